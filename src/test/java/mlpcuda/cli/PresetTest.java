package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mlpcuda.run.Presets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the settings of the published programs, and that they reach the run. */
class PresetTest {
  @TempDir Path tmp;

  @ParameterizedTest
  @CsvSource({
    "300x300, '[35, 300, 300, 3]', none, z-score, 32, 1000, 10",
    "128x64x32-relu-out, '[35, 128, 64, 32, 3]', relu, unit, 64, 1000, 10",
    "128, '[35, 128, 3]', none, unit, 64, 1000, 3",
    "128x64, '[35, 128, 64, 3]', none, z-score, 64, 64, 10",
    "128x64-centred, '[35, 128, 64, 3]', none, centred, 64, 64, 20"
  })
  void settings(
      String name,
      String layers,
      String output,
      String scaling,
      int batchSize,
      int testBatchSize,
      int epochs) {
    Path data = Program.writeData(tmp, 5, 7, 3, 4, 2);
    // There are so few examples that every epoch is one step.
    Map<?, ?> metrics =
        Program.json(
            Program.succeed("--preset", name, "--data", data, "--json", "--out", tmp.resolve("run"))
                .out());
    Map<?, ?> settings = (Map<?, ?>) metrics.get("settings");
    assertEquals(name, settings.get("preset"));
    assertEquals(layers, settings.get("layers").toString());
    assertEquals("relu", settings.get("activation"));
    assertEquals(output, settings.get("output_activation"));
    assertEquals(scaling, settings.get("scaling"));
    assertEquals(batchSize, settings.get("batch_size"));
    assertEquals(testBatchSize, settings.get("test_batch_size"));
    assertEquals(epochs, settings.get("epochs"));
    assertEquals(epochs, ((List<?>) metrics.get("epochs")).size());
    assertEquals(0.001, settings.get("learning_rate"));
    assertEquals(true, settings.get("shuffle"));
    assertEquals(1, settings.get("seed"));
  }

  @Test
  void optionsOverride() {
    Path data = Program.writeData(tmp, 5, 7, 3, 4, 2);
    Program run =
        Program.succeed(
            Program.words(
                "--preset 128x64x32-relu-out --no-relu-output --hidden 6,5 --activation tanh"
                    + " --scaling centred --batch-size 3 --test-batch-size 2 --epochs 2 --lr 0.5"
                    + " --seed -9 --no-shuffle --dry-run --json --data "
                    + data));
    Map<?, ?> settings = (Map<?, ?>) Program.json(run.out()).get("settings");
    assertEquals("[35, 6, 5, 3]", settings.get("layers").toString());
    assertEquals("tanh", settings.get("activation"));
    assertEquals("none", settings.get("output_activation"));
    assertEquals("centred", settings.get("scaling"));
    assertEquals(0.5, settings.get("mean"));
    assertEquals(0.5, settings.get("std"));
    assertEquals(3, settings.get("batch_size"));
    assertEquals(2, settings.get("test_batch_size"));
    assertEquals(0.5, settings.get("learning_rate"));
    assertEquals(-9, settings.get("seed"));
    assertEquals(false, settings.get("shuffle"));
  }

  @Test
  void theDefaultOne() {
    assertEquals("128x64", Presets.DEFAULT.preset());
  }
}
