package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C, as a shell sends it to a process. */
class StopTest {
  @TempDir private Path tmp;

  @Test
  @Timeout(60)
  void controlCEndsTheRunAfterAStepAndLeavesTheLastEpochsModel()
      throws IOException, InterruptedException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 5000, 20);
    Path out = tmp.resolve("run");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process process =
        new ProcessBuilder(
                List.of(
                    java,
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    "--cpu",
                    "--epochs=1000000",
                    "--data=" + data,
                    "--out=" + out))
            .redirectErrorStream(true)
            .start();
    String last = "";
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        last = line;
        if (line.startsWith("Epoch 2/")) {
          new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        }
      }
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the process must end");
    } finally {
      process.destroyForcibly();
    }
    assertTrue(
        last.matches("stopped in epoch \\d+, after step \\d+; --resume .*run goes on"), last);
    assertEquals(130, process.exitValue());
    assertTrue(Files.size(out.resolve("model.safetensors")) > 0);
  }
}
