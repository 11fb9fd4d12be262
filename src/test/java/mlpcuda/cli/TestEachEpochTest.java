package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.Gpus;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the test set's result is told after each epoch, and does not affect training. */
class TestEachEpochTest {
  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void makeData() throws IOException {
    data = ResumeTest.hardData(tmp.resolve("data"));
  }

  private Program train(Gpus gpus, String name, String line) {
    Program program =
        Program.run(
            gpus,
            Program.words(
                "--overwrite --hidden 6 --batch-size 16 --test-batch-size 7 " + line,
                "--data",
                data,
                "--out",
                tmp.resolve(name)));
    assertEquals(0, program.code(), program.err());
    assertEquals("", program.err());
    return program;
  }

  private Program train(String name, String line) {
    return train(Program.NO_GPUS, name, line + " --threads 1");
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(tmp.resolve(name).resolve("model.safetensors"));
  }

  private Map<String, Object> metrics(String name) throws IOException {
    return Program.json(Files.readString(tmp.resolve(name).resolve("metrics.json")));
  }

  private List<?> epochs(String name) throws IOException {
    return (List<?>) metrics(name).get("epochs");
  }

  private static List<Object> answers(Object metrics, String prefix) {
    Map<?, ?> map = (Map<?, ?>) metrics;
    return List.of(map.get(prefix + "loss"), map.get(prefix + "accuracy"));
  }

  /** Each epoch's numbers are those of a run that ends there. */
  @Test
  void tellsWhatARunThatEndsThereTells() throws IOException {
    Program run = train("run", "--epochs 3");
    for (int epoch = 1; epoch <= 3; epoch++) {
      train("shorter", "--test-at-end --epochs " + epoch);
      assertEquals(
          answers(metrics("shorter").get("test"), ""),
          answers(epochs("run").get(epoch - 1), "test_"),
          "epoch " + epoch);
    }
    assertEquals(metrics("shorter").get("test"), metrics("run").get("test"));
    String rule =
        "Epoch 1/3: mean loss \\S+, accuracy \\S+%, test loss \\d\\.\\d{4}, accuracy \\d+\\.\\d\\d%, rate .*";
    assertEquals(1, run.lines().stream().filter(line -> line.matches(rule)).count(), run.out());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--epochs 3 --dropout 0.3",
        "--epochs 6 --validation 13 --save-best --lr 0.1 --schedule plateau:0.5:0",
        "--max-steps 6 --precision fp16",
        "--epochs 0",
      })
  void changesNothingElse(String line) throws IOException {
    Program each = train("each", line);
    Program once = train("once", line + " --test-at-end");
    assertArrayEquals(model("once"), model("each"));
    assertEquals(once.lastLine(), each.lastLine());
    assertEquals(metrics("once").get("test"), metrics("each").get("test"));
    assertFalse(epochs("once").toString().contains("test_"));
    assertFalse(once.out().contains("test loss"), once.out());
    String csv = Files.readString(tmp.resolve("once/metrics.csv"));
    assertTrue(
        csv.startsWith("kind,")
            && csv.lines()
                .allMatch(row -> row.endsWith(",,") || row.endsWith(",test_loss,test_accuracy")),
        csv);
  }

  /** The device gets the test set beside the training set, and releases all of it. */
  @ParameterizedTest
  @ValueSource(strings = {"", "--feed resident --no-graph --step layered --gemm ptx"})
  void onAGpu(String way) throws IOException {
    String line = "--epochs 2 --validation 13 --gpu 0 " + way;
    train(GpuCommandsTest.DRIVER_ALONE, "each", line);
    train(GpuCommandsTest.DRIVER_ALONE, "once", line + " --test-at-end");
    assertArrayEquals(model("once"), model("each"));
    assertEquals(metrics("once").get("test"), metrics("each").get("test"));
    assertEquals(answers(metrics("once").get("test"), ""), answers(epochs("each").get(1), "test_"));
  }

  @Test
  void quiet() throws IOException {
    String line = "--epochs 30 --lr 0.02";
    Program run = train("run", line);
    Program quiet = train("quiet", line + " --quiet");
    assertEquals(run.lastLine() + "\n", quiet.out());
    assertArrayEquals(model("run"), model("quiet"));
    Program json = train("json", line + " --quiet --json");
    assertEquals(metrics("json"), Program.json(json.out()));
    Program.run("--quiet", "--verbose")
        .assertRefused(
            2,
            "--quiet and --verbose exclude each other, found both",
            "'mlp-cuda train --help' lists the options.");
    Path model = tmp.resolve("run/model.safetensors");
    Program evaluated = Program.succeed("evaluate", "--quiet", "--data", data, "--model", model);
    assertEquals(run.lastLine() + "\n", evaluated.out());
    Program answers =
        Program.succeed("evaluate", "--quiet", "--json", "--data", data, "--model", model);
    assertEquals("", answers.err());
    assertTrue(Program.json(answers.out()).containsKey("confusion"));
  }

  /** A sweep prints its tables alone, but its runs keep their whole logs. */
  @Test
  void aQuietSweep() throws IOException {
    Path out = tmp.resolve("sweep");
    String line = "sweep --quiet --grid seed=1,2 --epochs 1 --hidden 4";
    Program sweep = Program.succeed(Program.words(line, "--data", data, "--out", out));
    assertFalse(sweep.out().contains("[1/2]"), sweep.out());
    assertFalse(sweep.out().contains("done before"), sweep.out());
    assertTrue(sweep.out().contains("seed"), sweep.out());
    Program one =
        Program.succeed(
            Program.words(
                "sweep --grid seed=1 --epochs 1", "--data", data, "--out", tmp.resolve("1")));
    assertEquals(tmp.resolve("1") + ": 1 run, 0 of them done before", one.lines().get(0));
    assertTrue(Files.readString(out.resolve("001-seed=1/log.txt")).contains("Epoch 1/1"));
  }
}
