package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the Java code that the documents show compiles against the library. */
class DocumentedCodeTest {
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```java$(.*?)^```$");
  private static final String BEGINNING =
      "import java.nio.file.Path; import mlpcuda.*; class Example { void run() throws Exception {";

  @TempDir private Path classes;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "README.md",
        "src/site/markdown/library.md",
        "src/site/markdown/getting-started.md"
      })
  void theJavaOfAPageCompiles(String page) throws IOException {
    List<String> blocks =
        BLOCK
            .matcher(Files.readString(Path.of(page)))
            .results()
            .map(found -> found.group(1))
            .toList();
    assertFalse(blocks.isEmpty(), page + " has no Java");
    for (String block : blocks) {
      assertEquals("", errors(BEGINNING + block + "}}"), page);
    }
  }

  /** What the compiler says of a source file; empty if all is well. */
  private String errors(String text) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    var source =
        new SimpleJavaFileObject(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    var output = new StringWriter();
    List<String> options =
        List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
    boolean right = compiler.getTask(output, null, null, options, null, List.of(source)).call();
    return right ? "" : output.toString();
  }
}
