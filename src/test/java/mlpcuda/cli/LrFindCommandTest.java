package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LrFindCommandTest {
  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void writeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 500, 20);
  }

  private Program find(String line) {
    return Program.run(Program.words("lr-find --data " + data + " --hidden 16 " + line));
  }

  @Test
  void suggestsARateAndWritesTheCurve() throws IOException {
    Path csv = tmp.resolve("curve.csv");
    Program run = find("--steps 120 --batch-size 64 --json --out " + csv);
    assertEquals(0, run.code(), run.err());
    Map<String, Object> json = Program.json(run.out());
    double suggestion = (Double) json.get("suggestion");
    assertTrue(suggestion > 1e-4 && suggestion < 1, "suggestion " + suggestion);
    List<?> curve = (List<?>) json.get("curve");
    assertTrue(curve.size() > 60 && curve.size() <= 120, curve.size() + " steps");
    assertEquals(1e-6, (Double) ((Map<?, ?>) curve.get(0)).get("rate"), 1e-12);
    List<String> rows = Files.readAllLines(csv);
    assertEquals("rate,loss,smoothed", rows.get(0));
    assertEquals(curve.size() + 1, rows.size());
    Map<?, ?> last = (Map<?, ?>) curve.get(curve.size() - 1);
    assertEquals(
        "%s,%s,%s".formatted(last.get("rate"), last.get("loss"), last.get("smoothed")),
        rows.get(rows.size() - 1));
    assertTrue(
        run.err().contains(String.format(Locale.ROOT, "Suggestion: --lr %.1e", suggestion)),
        run.err());
  }

  /** The rates must really be used: at a tiny rate the loss hardly moves. */
  @Test
  void ratesThatAreTooSmallTeachNothing() {
    Map<String, Object> low = Program.json(find("--low 1e-9 --high 1e-8 --steps 30 --json").out());
    Map<String, Object> high = Program.json(find("--low 1e-2 --high 2e-2 --steps 30 --json").out());
    assertTrue(fall(low) < 0.05, "fall of the loss at 1e-8: " + fall(low));
    assertTrue(fall(high) > 0.2, "fall of the loss at 1e-2: " + fall(high));
  }

  private static double fall(Map<String, Object> json) {
    List<?> curve = (List<?>) json.get("curve");
    Map<?, ?> last = (Map<?, ?>) curve.get(curve.size() - 1);
    return (Double) ((Map<?, ?>) curve.get(0)).get("smoothed") - (Double) last.get("smoothed");
  }

  @Test
  void theStepsOfAGpuAreDescribed() {
    String line = "lr-find --gpu 0 --steps 2 --batch-size 16 --hidden 4 --clip-grad-norm 1 --data ";
    Program run = Program.run(GpuCommandsTest.DRIVER_ALONE, Program.words(line + data));
    assertEquals(0, run.code(), run.err());
    String device = run.lines().get(0);
    assertTrue(device.contains(", layered steps (auto: clipping needs all gradients"), device);
  }

  @Test
  void refusesWhatItIsThereToFindAndWhatHasNoEffect() {
    String help = "'mlp-cuda lr-find --help' lists the options.";
    find("--lr 1")
        .assertRefused(
            2, "--lr, --schedule and --warmup are what lr-find helps to choose, found one", help);
    find("--ema 0.9")
        .assertRefused(2, "--ema changes no loss that lr-find measures, found 0.9", help);
    find("--ema 0")
        .assertRefused(2, "--ema changes no loss that lr-find measures, found 0.0", help);
    find("--low 1 --high 0.1")
        .assertRefused(2, "rates must grow from above 0 to a finite one, found 1.0 to 0.1", help);
    assertFalse(Files.exists(tmp.resolve("runs")));
  }
}
