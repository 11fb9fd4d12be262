package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import mlpcuda.model.Checkpoint;
import mlpcuda.model.ModelFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests runs whose network answers with an average of its weights. */
class AveragedRunTest {
  @TempDir private Path tmp;

  private Program train(Path data, String name, String options) {
    String line = "train --cpu --threads 1 --epochs 3 --hidden 8 --batch-size 16 --lr 0.02 ";
    return Program.succeed(
        Program.words(line + options, "--data", data, "--out", tmp.resolve(name)));
  }

  private Path file(String run, String name) {
    return tmp.resolve(run).resolve(name);
  }

  private static void assertSameBits(List<float[]> expected, List<float[]> found) {
    assertEquals(expected.size(), found.size());
    for (int t = 0; t < expected.size(); t++) {
      assertArrayEquals(expected.get(t), found.get(t));
    }
  }

  private static String answers(Program program) {
    return program.lastLine().replaceFirst("^[^0-9]*", "");
  }

  @Test
  void theModelIsTheAverage() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 90, 40);
    Program averaged = train(data, "averaged", "--ema 0.9");
    assertTrue(
        averaged
            .lines()
            .contains(
                "The network that is evaluated and saved has the average of the weights, of decay"
                    + " 0.9."),
        averaged.out());
    Checkpoint checkpoint = Checkpoint.read(file("averaged", "checkpoint.safetensors"));
    List<float[]> weights = ModelFile.read(file("averaged", "model.safetensors")).weights();
    assertSameBits(checkpoint.weights(), weights);
    assertFalse(Arrays.equals(weights.get(0), checkpoint.raw().get(0)));

    Program raw = train(data, "raw", "");
    assertSameBits(ModelFile.read(file("raw", "model.safetensors")).weights(), checkpoint.raw());
    assertEquals(List.of(), Checkpoint.read(file("raw", "checkpoint.safetensors")).raw());
    assertFalse(raw.lastLine().equals(averaged.lastLine()), raw.lastLine());

    for (String name : List.of("model.safetensors", "checkpoint.safetensors")) {
      Program again =
          Program.succeed("evaluate", "--cpu", "--data", data, "--model", file("averaged", name));
      assertEquals(answers(averaged), answers(again), name);
    }
    Map<String, Object> metrics = Program.json(Files.readString(file("averaged", "metrics.json")));
    assertEquals(0.9, ((Map<?, ?>) metrics.get("settings")).get("ema"));
  }

  /** The validation set judges the average, and the best epoch's average is kept. */
  @Test
  void theBestAverageIsKept() throws IOException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 90, 40);
    Program averaged = train(data, "averaged", "--validation 30 --save-best --ema 0.9");
    Checkpoint checkpoint = Checkpoint.read(file("averaged", "checkpoint.safetensors"));
    List<float[]> weights = ModelFile.read(file("averaged", "model.safetensors")).weights();
    assertSameBits(checkpoint.best(), weights);
    Map<String, Object> metrics = Program.json(Files.readString(file("averaged", "metrics.json")));
    double least =
        ((List<?>) metrics.get("epochs"))
            .stream()
                .mapToDouble(e -> ((Number) ((Map<?, ?>) e).get("validation_loss")).doubleValue())
                .min()
                .orElseThrow();
    Map<?, ?> kept = (Map<?, ?>) metrics.get("validation");
    assertEquals(least, ((Number) kept.get("loss")).doubleValue(), 1e-9, averaged.out());
  }
}
