package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mlpcuda.Child;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests Ctrl-C, as a shell sends it to a process. */
class StopTest {
  @TempDir private Path tmp;

  @Test
  void controlCEndsTheRunAfterAStepAndLeavesTheLastEpochsModel() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 5000, 20);
    Path out = tmp.resolve("run");
    List<String> command =
        Child.java(
            List.of(),
            Main.class,
            Program.words("--cpu --epochs 1000000", "--data", data, "--out", out));
    try (Child child = Child.start(command)) {
      BufferedReader lines = child.output();
      String last = "";
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        last = line;
        if (line.startsWith("Epoch 2/")) {
          child.signal("INT");
        }
      }
      assertEquals(130, child.exitCode(), last);
      assertTrue(
          last.matches("stopped in epoch \\d+, after step \\d+; --resume .*run --data .* goes on"),
          last);
    }
    assertTrue(Files.size(out.resolve("model.safetensors")) > 0);
  }

  /** The parent ignores SIGINT, as {@code nohup} and a shell's background jobs may. */
  @Test
  void aParentThatIgnoresControlCLeavesSigtermToStopTheRun() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 5000, 20);
    List<String> command =
        Child.java(
            List.of(),
            Main.class,
            Program.words("--cpu --epochs 1000000", "--data", data, "--out", tmp.resolve("run")));
    assumeTrue(command.get(1).equals("--default-signal=INT"), "needs an env that sets signals");
    command.set(1, "--ignore-signal=INT");
    try (Child child = Child.start(command)) {
      String last = "";
      BufferedReader lines = child.output();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        last = line;
        if (line.startsWith("Epoch 2/")) {
          child.signal("INT");
        } else if (line.startsWith("Epoch 9/")) {
          child.signal("TERM");
        }
      }
      assertEquals(143, child.exitCode(), last);
      assertTrue(last.matches("stopped in epoch (9|\\d\\d+), after step .* goes on"), last);
    }
  }
}
