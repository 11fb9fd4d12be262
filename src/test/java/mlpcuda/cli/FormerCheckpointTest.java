package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mlpcuda.model.Checkpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that runs of version 0.1.0 go on, whose checkpoints have a command line in place of
 * settings. Both were written on 2026-11-28 by the jar of commit 556ba13, from the MNIST of the
 * jar. {@code finished}: {@code train --cpu --threads 1 --hidden 4 --subset 200 --batch-size 32
 * --seed 7 --epochs 2}. {@code stopped}, after epoch 2 by Ctrl-C, has an option of every kind, as
 * {@link #stoppedSettings} lists.
 */
class FormerCheckpointTest {
  @TempDir private Path tmp;

  private Path former(String name) throws IOException {
    return former(name, name);
  }

  private Path former(String name, String copy) throws IOException {
    Path folder = Files.createDirectories(tmp.resolve(copy));
    String resource = "former/" + name + "/checkpoint.safetensors";
    try (InputStream in = FormerCheckpointTest.class.getResourceAsStream(resource)) {
      Files.copy(in, folder.resolve("checkpoint.safetensors"));
    }
    return folder;
  }

  private static String state(Path folder) {
    return Checkpoint.read(folder.resolve("checkpoint.safetensors")).state();
  }

  private static Map<?, ?> settings(Path folder) throws IOException {
    String text = Files.readString(folder.resolve("metrics.json"));
    return (Map<?, ?>) Program.json(text).get("settings");
  }

  @Test
  void aFinishedRunGoesOn() throws IOException {
    Path run = former("finished");
    assertTrue(state(run).startsWith("{\"args\":"));
    Program program = Program.succeed("train", "--resume", run, "--epochs", 3);
    assertTrue(program.out().contains("Going on in epoch 3, after step 14"), program.out());
    assertTrue(program.lastLine().startsWith("Test set: "), program.out());
    assertTrue(state(run).startsWith("{\"version\":2,"));
    Map<?, ?> settings = settings(run);
    assertEquals(3, settings.get("epochs"));
    assertEquals(List.of(784, 4, 10), settings.get("layers"));
    assertEquals(32, settings.get("batch_size"));
    assertEquals(7, settings.get("seed"));
    assertEquals("--epochs=3", settings.get("resumed_with"));
    assertTrue(
        settings.get("command").toString().contains(" --seed 7 --out finished --epochs 2"),
        "how the run began stays on record");
  }

  /** The settings of the stopped run, as its command line gave them. */
  private static Map<String, Object> stoppedSettings() {
    return Map.ofEntries(
        Map.entry("activation", "tanh"),
        Map.entry("scaling", "unit"),
        Map.entry("preparation", "as-is"),
        Map.entry("test_batch_size", 500),
        Map.entry("learning_rate", 0.05),
        Map.entry("schedule", "plateau:0.5:2"),
        Map.entry("warmup", 3),
        Map.entry("optimizer", "sgd (momentum 0.9, nesterov, weight decay 0.0)"),
        Map.entry("clip_grad_norm", 5.0),
        Map.entry("dropout", List.of(0.1)),
        Map.entry("label_smoothing", 0.1),
        Map.entry("early_stopping", 4000),
        Map.entry("save_best", true),
        Map.entry("monitor", "accuracy"),
        Map.entry("validation_examples", 40),
        Map.entry("training_examples", 160),
        Map.entry("log_interval", 10),
        Map.entry("epochs", 6));
  }

  /** The run goes on alike from the old text and from the new one that takes its place. */
  @Test
  void aStoppedRunGoesOnAlikeFromBothVersions() throws IOException {
    Path whole = former("stopped");
    Program.succeed("train", "--resume", whole, "--epochs", 6);
    Map<?, ?> settings = settings(whole);
    stoppedSettings().forEach((name, value) -> assertEquals(value, settings.get(name), name));

    Path twice = former("stopped", "twice");
    int[] asked = {0};
    Object[] words = {"train", "--resume", twice, "--epochs", 6};
    Program stopped = Program.run(Program.NO_GPUS, () -> ++asked[0] > 4, words);
    assertEquals(130, stopped.code(), stopped.err());
    assertTrue(state(twice).startsWith("{\"version\":2,"));
    assertFalse(state(twice).contains("\"args\""));
    Program.succeed("train", "--resume", twice);
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(twice.resolve("model.safetensors")));
    assertEquals(
        Program.json(state(whole)).get("training"), Program.json(state(twice)).get("training"));
  }
}
