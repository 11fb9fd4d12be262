package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mlpcuda.report.Printable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that nothing which the program prints commands a terminal or turns its text around. */
class PrintableTest {
  /** Sets the window's title, clears the screen, and reverses the text that follows. */
  private static final String EVIL = "\u001b]0;x\u0007\u009b2J\u202e\u2066\u200f\u2028\r";

  private static final String SHOWN =
      "\\u001b]0;x\\u0007\\u009b2J\\u202e\\u2066\\u200f\\u2028\\u000d";

  @TempDir private Path tmp;

  private static String safe(String text) {
    var out = new StringWriter();
    PrintWriter safe = Printable.safe(new PrintWriter(out));
    safe.print(text);
    for (char c : text.toCharArray()) {
      safe.write(c);
    }
    safe.flush();
    return out.toString();
  }

  @Test
  void escapesWhatCommandsATerminal() {
    assertEquals(SHOWN, Printable.oneLine(EVIL));
    assertEquals(SHOWN + SHOWN, safe(EVIL));
    for (int c = 0; c < 0x10000; c++) {
      int type = Character.getType(c);
      boolean commands =
          type == Character.CONTROL
              || type == Character.LINE_SEPARATOR
              || type == Character.PARAGRAPH_SEPARATOR
              || Character.getDirectionality(c) >= Character.DIRECTIONALITY_LEFT_TO_RIGHT_EMBEDDING
              || c == '\u200e'
              || c == '\u200f'
              || c == '\u061c';
      if (commands) {
        assertEquals("\\u%04x".formatted(c), Printable.oneLine("" + (char) c));
      }
    }
  }

  /** Scripts of people, emoji and the program's own tables are printed as they are. */
  @Test
  void leavesOrdinaryTextAlone() {
    String text = "Ünï çødé 数字 ١٢٣ עברית نمی\u200cخواهم 👩\u200d🔬 \\ \" '";
    assertEquals(text, Printable.oneLine(text));
    assertEquals("a\tb\nc\r\n", safe("a\tb\nc\r\n").substring(0, 7));
    assertEquals("a\\u000db", safe("a\rb").substring(0, 8));
  }

  /** The name of a folder is in lines of success and in errors, on both outputs. */
  @Test
  void namesOfFilesCommandNothing() throws IOException {
    Path folder = Files.createDirectories(tmp.resolve("a\u001b[2J\u202e\nb"));
    Path data = Program.writeData(folder.resolve("data"), 5, 7, 3, 40, 20);
    Path out = folder.resolve("out");
    List<Program> runs =
        List.of(
            Program.succeed(
                Program.words("--cpu --hidden 4 --epochs 1", "--data", data, "--out", out)),
            Program.succeed(
                "evaluate", "--model", out.resolve("model.safetensors"), "--data", data),
            Program.succeed(
                "export",
                "--model",
                out.resolve("model.safetensors"),
                "--onnx",
                folder.resolve("x.onnx")),
            Program.succeed(
                Program.words(
                    "sweep --cpu --grid seed=1 --hidden 4 --epochs 1",
                    "--data",
                    data,
                    "--out",
                    folder.resolve("sweep"))),
            Program.run("--data", folder.resolve("missing")),
            Program.run("predict", "--model", out, folder.resolve("none.png")),
            Program.run("--lr", "\u001b[31m"),
            Program.run("\u001b[31m"));
    for (Program run : runs) {
      for (String text : List.of(run.out(), run.err())) {
        assertTrue(
            text.chars()
                .noneMatch(
                    c ->
                        c == '\n'
                            ? false
                            : Character.getType(c) == Character.CONTROL || c == '\u202e'),
            text);
        assertTrue(text.lines().noneMatch(line -> line.startsWith("b/")), text);
      }
    }
    assertTrue(runs.get(0).out().contains("Saved " + tmp + "/a\\u001b[2J\\u202e\\u000ab/out/"));
  }
}
