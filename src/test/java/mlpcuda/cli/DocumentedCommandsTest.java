package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Tests that the program has the options of each command line that a document shows. */
class DocumentedCommandsTest {
  private static final Pattern COMMAND = Pattern.compile("java -jar target/mlp-cuda\\.jar(.*)");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|\\S+");

  @Test
  void theProgramTakesThem() throws IOException {
    var refused = new ArrayList<String>();
    int lines = 0;
    for (Path page : pages()) {
      for (String line : Files.readString(page).replace("\\\n", " ").lines().toList()) {
        var command = COMMAND.matcher(line);
        if (line.startsWith("    ") && command.find()) {
          lines++;
          refusal(words(command.group(1))).ifPresent(why -> refused.add(page + ": " + why));
        }
      }
    }
    assertEquals(List.of(), refused);
    assertTrue(lines > 20, lines + " command lines");
  }

  private static Optional<String> refusal(List<String> words) {
    CommandLine program = Main.described(Program.NO_GPUS);
    String first = words.isEmpty() ? "" : words.get(0);
    if (!program.getSubcommands().containsKey(first) && !first.equals("--version")) {
      words.add(0, "train");
    }
    try {
      program.parseArgs(words.toArray(new String[0]));
      return Optional.empty();
    } catch (ParameterException e) {
      return Optional.of(words + ": " + e.getMessage());
    }
  }

  /** The words up to a comment or to the next command of the line. */
  private static List<String> words(String line) {
    var words = new ArrayList<String>();
    for (var word : WORD.matcher(line).results().toList()) {
      if (word.group().matches("#|\\||&&|>")) {
        break;
      }
      words.add(word.group(1) == null ? word.group() : word.group(1));
    }
    return words;
  }

  private static List<Path> pages() throws IOException {
    try (Stream<Path> site = Files.list(Path.of("src/site/markdown"))) {
      return Stream.concat(Stream.of("README.md", "CONTRIBUTING.md").map(Path::of), site).toList();
    }
  }
}
