package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests that each attack of SECURITY.md names tests that exist. */
class SecurityTest {
  private static final Path SOURCES = Path.of("src/test/java");
  private static final Pattern NAME = Pattern.compile("`([A-Z]\\w+(?:Test|IT))\\.(\\w+)`");

  @Test
  void theTestsOfTheTablesExist() throws IOException {
    var missing = new ArrayList<String>();
    List<String> rows =
        Files.readAllLines(Path.of("SECURITY.md")).stream()
            .filter(line -> line.startsWith("| ") && line.contains("`"))
            .filter(line -> NAME.matcher(line).find())
            .toList();
    assertTrue(rows.size() > 25, rows.size() + " attacks");
    for (String row : rows) {
      NAME.matcher(row)
          .results()
          .filter(found -> !isThere(found.group(1), found.group(2)))
          .forEach(found -> missing.add(found.group()));
    }
    assertEquals(List.of(), missing);
  }

  private static boolean isThere(String type, String method) {
    Pattern test =
        Pattern.compile(
            "@(Test|ParameterizedTest)\\b[^{}]*?(\\{[^{}]*}[^{}]*?)?\\bvoid " + method + "\\(",
            Pattern.DOTALL);
    try (Stream<Path> files = Files.walk(SOURCES)) {
      for (Path file : files.filter(f -> f.endsWith(type + ".java")).toList()) {
        if (test.matcher(Files.readString(file)).find()) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
