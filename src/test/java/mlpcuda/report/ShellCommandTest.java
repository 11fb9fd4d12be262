package mlpcuda.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShellCommandTest {
  /** A shell reads the same words again, whatever they contain. */
  @Test
  void aShellReadsTheSameWords() throws IOException, InterruptedException {
    List<String> args =
        List.of(
            "train",
            "--data",
            "a folder",
            "--out=it's",
            "\"quoted\"",
            "$HOME",
            "`id`",
            "~",
            "*",
            "a;b&c|d>e<f",
            "\\",
            "",
            "!!",
            "#",
            "line\nbreak",
            "\t",
            "<script>alert('1')</script>",
            "dropout=0.1,0.2",
            "=ls",
            "{a,b}",
            "'",
            "größe");
    String line = ShellCommand.of("/a dir/mlp-cuda.jar", args);
    var shell =
        new ProcessBuilder("sh", "-c", "java() { printf '%s\\0' \"$@\"; }\n" + line)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String read = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, shell.waitFor());
    var expected = new ArrayList<>(List.of("-jar", "/a dir/mlp-cuda.jar"));
    expected.addAll(args);
    assertEquals(String.join("\0", expected) + "\0", read);
  }

  @Test
  void plainWordsStayPlain() {
    assertEquals(
        "java -jar target/mlp-cuda.jar --cpu --lr 1e-3 --out runs/a_b --hidden 10,20 --seed=3",
        ShellCommand.of(
            "target/mlp-cuda.jar",
            List.of(
                "--cpu", "--lr", "1e-3", "--out", "runs/a_b", "--hidden", "10,20", "--seed=3")));
    assertEquals("mlp-cuda", ShellCommand.of("classes:a.jar", List.of()));
  }

  /** An argument that begins with an at sign must name no file when it is read again. */
  @Test
  void anAtSignIsDoubled() {
    assertEquals("mlp-cuda --out @@home", ShellCommand.of("classes", List.of("--out", "@home")));
  }
}
