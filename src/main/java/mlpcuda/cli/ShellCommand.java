package mlpcuda.cli;

import java.io.File;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A command line as a shell of Unix takes it, for people to run it again. */
final class ShellCommand {
  /** Words that no shell reads as anything but themselves. */
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z0-9_%+:,./@-][A-Za-z0-9_%+:,./@=-]*");

  private ShellCommand() {}

  /**
   * The line that runs the program with {@code args}.
   *
   * @param classPath of the Java runtime: a jar alone is what {@code java -jar} was given
   * @param args of the program, those of @files in their place
   */
  static String of(String classPath, List<String> args) {
    boolean jar = classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator);
    String program = jar ? "java -jar " + quoted(classPath) : "mlp-cuda";
    return args.stream()
        // An argument that begins with @ would name a file of arguments: picocli unfolds @@ to @.
        .map(arg -> quoted(arg.startsWith("@") ? "@" + arg : arg))
        .collect(Collectors.joining(" ", program + " ", ""))
        .strip();
  }

  private static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
