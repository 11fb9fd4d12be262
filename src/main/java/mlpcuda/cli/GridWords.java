package mlpcuda.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * Gives {@code --grid} the words up to the next option, be it of {@code sweep} or {@code train}.
 */
final class GridWords implements IParameterConsumer {
  @Override
  public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
    var taken = new ArrayList<String>(option.<List<String>>getValue());
    int before = taken.size();
    while (!words.isEmpty() && !words.peek().startsWith("-")) {
      taken.add(words.pop());
    }
    if (taken.size() == before) {
      throw new ParameterException(
          command.commandLine(), "Missing required parameter for option '--grid' (NAME=VALUES)");
    }
    option.setValue(taken);
  }
}
