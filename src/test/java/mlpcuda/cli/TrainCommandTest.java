package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.model.ModelFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests training as a user meets it: lines, files, exit codes. */
class TrainCommandTest {
  private static final int TRAIN = 50;

  @TempDir Path tmp;
  private Path data;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, TRAIN, 20);
  }

  /** Trains on the small data, with one thread, into the folder {@code name}. */
  private Program train(String name, String line) {
    return Program.run(
        Program.words(line, "--data", data, "--out", tmp.resolve(name), "--threads", 1));
  }

  private Program trained(String name, String line) {
    Program program = train(name, line);
    assertEquals(0, program.code(), program.err());
    return program;
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(tmp.resolve(name).resolve("model.safetensors"));
  }

  private Map<String, Object> metrics(String name) throws IOException {
    return Program.json(Files.readString(tmp.resolve(name).resolve("metrics.json")));
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> list(Map<String, Object> metrics, String name) {
    return (List<Map<String, Object>>) metrics.get(name);
  }

  private Set<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  /** The names in the folder for runs without a folder of their own. */
  private Set<String> runs() throws IOException {
    Path runs = Path.of("runs");
    return Files.exists(runs) ? files(runs) : Set.of();
  }

  /** The parts of the start must all be told, none lost as the program changes. */
  @Test
  void verboseTellsWhatTheStartTook() {
    String all =
        Stream.of("JVM", "options", "natives", "device", "waiting for the data")
                .map(part -> part + " \\d+\\.\\d\\d, ")
                .collect(Collectors.joining())
            + "network and files \\d+\\.\\d\\d; meanwhile: reading the data \\d+\\.\\d\\d";
    String line = "Training begins after \\d+\\.\\d\\d s: " + all;
    Program verbose = trained("run", "--epochs 1 --verbose");
    assertEquals(1, verbose.lines().stream().filter(l -> l.matches(line)).count(), verbose.out());
    Program usual = trained("other", "--epochs 1");
    assertFalse(usual.out().contains("Training begins"), usual.out());
  }

  @Test
  void theWholeOutput() throws IOException {
    Program run = trained("run", "train --hidden 4 --epochs 2 --batch-size 16 --log-interval 3");
    List<String> lines = run.lines();
    assertTrue(lines.get(0).matches("CPU, 1 thread, .* \\(--threads 1\\)"), lines.get(0));
    assertEquals(
        List.of(
            data + ": 50 training and 20 test images, 5x7, 3 classes, z-score scaling",
            "layer        inputs  outputs  activation   parameters",
            "layers.0         35        4  relu                144",
            "layers.1          4        3  none                 15",
            "network 35-4-3                                    159"),
        lines.subList(1, 6));
    for (int epoch = 1; epoch <= 2; epoch++) {
      String step = lines.get(4 + 2 * epoch);
      assertTrue(step.matches("Epoch " + epoch + "/2, batch 3/4: loss \\d\\.\\d{4}"), step);
      String done = lines.get(5 + 2 * epoch);
      String expected =
          "Epoch %d/2: mean loss \\d\\.\\d{4}, accuracy \\d+\\.\\d\\d%%, test loss \\d\\.\\d{4}, accuracy \\d+\\.\\d\\d%%, rate 1.00e-03, \\d+\\.\\d\\d s, [\\d,]+ images/s"
              .formatted(epoch);
      assertTrue(done.matches(expected), done);
    }
    assertEquals("class   precision     recall         F1   examples", lines.get(10));
    assertEquals(
        "Saved "
            + tmp.resolve("run/model.safetensors")
            + ", report.html, metrics.json and metrics.csv",
        lines.get(lines.size() - 3));
    assertEquals( // checked after eight steps
        "The network never answers 2, though the test set has it. It was probably trained too short,"
            + " at too high a learning rate, or on too few examples.",
        lines.get(lines.size() - 2));
    assertTrue(
        run.lastLine()
            .matches(
                "Test set: Average loss: \\d\\.\\d{4}, Accuracy: \\d+/20 \\(\\d+\\.\\d\\d%\\)"),
        run.lastLine());
    assertEquals("", run.err());
    assertEquals(
        Set.of(
            "model.safetensors",
            "checkpoint.safetensors",
            ".lock",
            "report.html",
            "metrics.json",
            "metrics.csv"),
        files(tmp.resolve("run")));
  }

  /** Each precision learns what single precision learns, by other weights, and says what it is. */
  @ParameterizedTest
  @ValueSource(strings = {"fp32", "tf32", "bf16", "fp16"})
  void eachPrecisionLearns(String precision) throws IOException {
    String line = "--hidden 8 --batch-size 16 --epochs 20 --lr 0.01";
    Program run = trained("run", line + " --precision " + precision);
    boolean single = precision.equals("fp32");
    assertEquals(
        !single,
        run.lines().get(0).contains(", operands rounded to " + precision + " ("),
        run.lines().get(0));
    Map<String, Object> metrics = metrics("run");
    assertEquals(precision, ((Map<?, ?>) metrics.get("settings")).get("precision"));
    assertTrue(run.lastLine().endsWith("Accuracy: 20/20 (100.00%)"), run.lastLine());
    trained("other", line);
    assertEquals(single, Arrays.equals(model("run"), model("other")));
    boolean scaled = precision.equals("fp16");
    assertEquals(scaled, metrics.containsKey("loss_scale"));
    assertEquals(scaled, metrics.containsKey("skipped_steps"));
    String closing = "Loss scale 65536, none of 80 steps skipped.";
    assertEquals(scaled, run.lines().contains(closing), run.out());
    assertEquals(
        scaled, Files.readString(tmp.resolve("run/report.html")).contains(closing), "the report");
  }

  /**
   * In batches of one the gradient of a logit is up to 1: times 65536 it is out of half's range.
   */
  @Test
  void gradientsBeyondHalvesAreSkippedAndLearningGoesOn() throws IOException {
    ResumeTest.hardData(data); // some labels are wrong, and the network is sure that they are
    String line = "--hidden 8 --batch-size 1 --lr 0.01 --epochs 30";
    Program run = trained("run", line + " --precision fp16");
    Map<String, Object> metrics = metrics("run");
    int skipped = (int) metrics.get("skipped_steps");
    double scale = ((Number) metrics.get("loss_scale")).doubleValue();
    assertTrue(skipped > 0 && skipped < 16, run.out());
    assertEquals(Math.scalb(65536.0, -skipped), scale, "too few steps to double it");
    assertTrue(
        run.lines()
            .contains(
                "Loss scale %.0f, %d of 1500 steps skipped: their gradients were not finite in fp16."
                    .formatted(scale, skipped)),
        run.out());
    assertLearnt("run");
    trained("single", line);
    assertEquals(lastLoss("single"), lastLoss("run"), 0.1 * lastLoss("single"));
  }

  private void assertLearnt(String name) throws IOException {
    double first = (double) list(metrics(name), "epochs").get(0).get("loss");
    assertTrue(lastLoss(name) < 0.8 * first, first + " to " + lastLoss(name));
  }

  private double lastLoss(String name) throws IOException {
    List<Map<String, Object>> epochs = list(metrics(name), "epochs");
    return (double) epochs.get(epochs.size() - 1).get("loss");
  }

  /** A step that is skipped moves nothing, not even by weight decay; the next one does. */
  @Test
  void aSkippedStepMovesNothing() throws IOException {
    String line = "--hidden 8 --batch-size 1 --no-shuffle --weight-decay 0.1 --precision ";
    trained("usual", line + "fp16 --epochs 0");
    Path init = tmp.resolve("usual/model.safetensors");
    ModelFile model = ModelFile.read(init);
    model.weights().get(3)[1] = 1000; // the first example is of class 0, so that its gradient is −1
    Path sure = tmp.resolve("sure.safetensors");
    model.write(sure);
    line = "--init " + sure + " " + line;
    trained("initial", line + "fp16 --epochs 0");
    assertEquals(0, metrics("initial").get("skipped_steps"));
    Program run = trained("run", line + "fp16 --max-steps 1");
    assertTrue(
        run.lines()
            .contains(
                "Loss scale 65536, 1 of 1 step skipped: their gradients were not finite in fp16."),
        run.out());
    assertArrayEquals(model("initial"), model("run"));
    trained("moved", line + "bf16 --max-steps 1");
    assertFalse(Arrays.equals(model("initial"), model("moved")));
    trained("longer", line + "fp16 --max-steps 20");
    assertFalse(Arrays.equals(model("initial"), model("longer")));
  }

  /** The precision of training is no part of a model: each command has a precision of its own. */
  @Test
  void otherCommandsTakeAPrecision() throws IOException {
    trained("run", "--hidden 8 --batch-size 16 --epochs 3 --precision fp16");
    Path model = tmp.resolve("run/model.safetensors");
    Program evaluated =
        Program.succeed(
            "evaluate", "--cpu", "--precision", "bf16", "--data", data, "--model", model);
    assertTrue(evaluated.lines().get(0).contains("operands rounded to bf16"), evaluated.out());
    Path images = data.resolve("t10k-images-idx3-ubyte");
    Program predicted =
        Program.succeed("predict", "--cpu", "--precision", "bf16", "--model", model, images);
    Program single = Program.succeed("predict", "--cpu", "--model", model, images);
    assertNotEquals(single.out(), predicted.out());
    Program found =
        Program.succeed(
            Program.words(
                "lr-find --cpu --precision fp16 --steps 5 --hidden 8 --batch-size 16",
                "--data",
                data));
    assertTrue(found.lines().get(0).contains("operands rounded to fp16"), found.out());
  }

  @ParameterizedTest
  @CsvSource({
    "--batch-size 16 --epochs 2,                   2, 4, 8", // 16, 16, 16, 2
    "--batch-size 25 --epochs 3,                   3, 2, 6",
    "--batch-size 2147483647 --epochs 2,           2, 1, 2",
    "--batch-size 16 --epochs 5 --max-steps 6,     2, 4, 6",
    "--batch-size 16 --epochs 5 --max-steps 4,     1, 4, 4",
    "--batch-size 1 --epochs 2 --max-steps 77,     2, 50, 77",
    "--batch-size 1 --epochs 9 --max-steps 1,      1, 50, 1"
  })
  void everyStepOnce(String line, int epochs, int batches, int steps) throws IOException {
    Program run = trained("run", line + " --hidden 4 --log-interval 1");
    Map<String, Object> metrics = metrics("run");
    List<Map<String, Object>> stepRows = list(metrics, "steps");
    assertEquals(
        IntStream.rangeClosed(1, steps).boxed().toList(),
        stepRows.stream().map(row -> row.get("step")).toList());
    assertEquals(
        IntStream.range(0, steps).map(step -> 1 + step / batches).boxed().toList(),
        stepRows.stream().map(row -> row.get("epoch")).toList());

    List<Map<String, Object>> epochRows = list(metrics, "epochs");
    assertEquals(
        IntStream.rangeClosed(1, epochs).boxed().toList(),
        epochRows.stream().map(row -> row.get("epoch")).toList());
    int batchSize = (int) ((Map<?, ?>) metrics.get("settings")).get("batch_size");
    for (int epoch = 1; epoch <= epochs; epoch++) {
      int last = Math.min(steps, epoch * batches);
      Map<String, Object> row = epochRows.get(epoch - 1);
      assertEquals(last, row.get("step"));
      // An epoch's loss is the mean over the examples that its steps have met.
      double sum = 0;
      int seen = 0;
      for (int step = (epoch - 1) * batches + 1; step <= last; step++) {
        int size = Math.min(batchSize, TRAIN - (step - 1) % batches * batchSize);
        sum += size * (double) stepRows.get(step - 1).get("loss");
        seen += size;
      }
      assertEquals(sum / seen, (double) row.get("loss"), 1e-9);
      double right = seen * (double) row.get("accuracy");
      assertEquals(Math.round(right), right, 1e-9);
    }
    assertPrinted(run, metrics);
    assertCsv(metrics);
  }

  /** Asserts that the printed lines are those of the metrics, in their order. */
  private static void assertPrinted(Program run, Map<String, Object> metrics) {
    var expected = new ArrayList<String>();
    List<Map<String, Object>> steps = list(metrics, "steps");
    int next = 0;
    for (Map<String, Object> epoch : list(metrics, "epochs")) {
      for (; next < steps.size() && steps.get(next).get("epoch").equals(epoch.get("epoch")); next++)
        expected.add(
            String.format(
                Locale.ROOT,
                "Epoch %d loss %.4f",
                epoch.get("epoch"),
                steps.get(next).get("loss")));
      expected.add(
          String.format(
              Locale.ROOT,
              "Epoch %d mean loss %.4f, accuracy %.2f%%, test loss %.4f, accuracy %.2f%%",
              epoch.get("epoch"),
              epoch.get("loss"),
              100 * (double) epoch.get("accuracy"),
              epoch.get("test_loss"),
              100 * (double) epoch.get("test_accuracy")));
    }
    assertEquals(
        expected,
        run.lines().stream()
            .filter(line -> line.startsWith("Epoch "))
            .map(line -> line.replaceAll("/\\d+(, batch \\d+/\\d+)?:", ""))
            .map(line -> line.replaceAll(", validation loss [^,]*, accuracy [^,]*|, rate .*", ""))
            .toList());
    Map<?, ?> test = (Map<?, ?>) metrics.get("test");
    assertEquals(
        String.format(
            Locale.ROOT,
            "Test set: Average loss: %.4f, Accuracy: %d/%d (%.2f%%)",
            test.get("loss"),
            test.get("right"),
            test.get("size"),
            100 * (double) test.get("accuracy")),
        run.lastLine());
  }

  /** Asserts that the CSV file has the rows of the metrics: each epoch's steps, then the epoch. */
  private void assertCsv(Map<String, Object> metrics) throws IOException {
    List<Map<String, Object>> steps = list(metrics, "steps");
    var expected = new ArrayList<String>();
    expected.add("kind," + String.join(",", COLUMNS));
    int next = 0;
    for (Map<String, Object> epoch : list(metrics, "epochs")) {
      for (; next < steps.size() && steps.get(next).get("epoch").equals(epoch.get("epoch")); next++)
        expected.add(row("step", steps.get(next)));
      expected.add(row("epoch", epoch));
    }
    for (; next < steps.size(); next++) {
      expected.add(row("step", steps.get(next)));
    }
    assertEquals(expected, Files.readAllLines(tmp.resolve("run/metrics.csv")));
  }

  private static final List<String> COLUMNS =
      List.of(
          "epoch",
          "step",
          "loss",
          "accuracy",
          "seconds",
          "images_per_second",
          "learning_rate",
          "validation_loss",
          "validation_accuracy",
          "test_loss",
          "test_accuracy");

  private static String row(String kind, Map<String, Object> values) {
    return kind
        + COLUMNS.stream()
            .map(name -> "," + values.getOrDefault(name, ""))
            .collect(Collectors.joining());
  }

  @Test
  void logIntervals() throws IOException {
    // An epoch has 1500 steps: more than the 1024 whose losses a device keeps.
    Program.writeData(data, 1, 2, 2, 1500, 5);
    String line = "--hidden none --batch-size 1 --epochs 2 --log-interval ";
    trained("run", line + 1);
    Map<String, Object> all = metrics("run");
    assertEquals(
        IntStream.rangeClosed(1, 3000).boxed().toList(),
        list(all, "steps").stream().map(row -> row.get("step")).toList());
    assertCsv(all);
    for (int interval : new int[] {7, 100, 1024, 1025, 1499, 1500, 1501, Integer.MAX_VALUE}) {
      Program run = trained("run", "--overwrite " + line + interval);
      Map<String, Object> some = metrics("run");
      // The steps are counted anew in each epoch, as in PyTorch's example.
      assertEquals(
          list(all, "steps").stream()
              .filter(row -> (((int) row.get("step") - 1) % 1500 + 1) % interval == 0)
              .toList(),
          list(some, "steps"),
          "every " + interval);
      for (int epoch = 0; epoch < 2; epoch++) {
        assertEquals(
            (double) list(all, "epochs").get(epoch).get("loss"),
            (double) list(some, "epochs").get(epoch).get("loss"),
            1e-12);
      }
      assertPrinted(run, some);
      assertCsv(some);
    }
  }

  @Test
  void sameSeedSameModel() throws IOException {
    String line = "--hidden 6,5 --batch-size 16 --epochs 2 --seed ";
    trained("one", line + 3);
    trained("again", line + 3);
    trained("other", line + 4);
    assertArrayEquals(model("one"), model("again"));
    assertFalse(Arrays.equals(model("one"), model("other")));
    assertEquals(metrics("one").get("test"), metrics("again").get("test"));
  }

  @Test
  void oneIsTheDefaultSeed() throws IOException {
    trained("none", "--epochs 0");
    trained("one", "--epochs 0 --seed 1");
    trained("zero", "--epochs 0 --seed 0");
    assertArrayEquals(model("none"), model("one"));
    assertFalse(Arrays.equals(model("none"), model("zero")));
  }

  @Test
  void initialWeightsAndOrderFromOutside() throws IOException {
    trained("initial", "--hidden 6 --epochs 0 --seed 7");
    String init = " --init " + tmp.resolve("initial/model.safetensors");
    String line = "--hidden 6 --epochs 2 --batch-size 16 ";
    trained("whole", line + "--no-shuffle --seed 7");
    trained("begun", line + "--no-shuffle --seed 8" + init);
    trained("shuffled", line + "--seed 8" + init);
    trained("shuffled otherwise", line + "--seed 9" + init);
    assertArrayEquals(model("whole"), model("begun"), "the seed reaches nothing else");
    assertFalse(Arrays.equals(model("begun"), model("shuffled")));
    assertFalse(Arrays.equals(model("shuffled"), model("shuffled otherwise")));
    trained("unchanged", "--hidden 6 --epochs 0 --seed 1" + init);
    assertArrayEquals(model("initial"), model("unchanged"));
  }

  @Test
  void noEpochsSavesTheInitialNetwork() throws IOException {
    Program run = trained("run", "--epochs 0");
    assertEquals(List.of(), list(metrics("run"), "epochs"));
    assertEquals(List.of(), list(metrics("run"), "steps"));
    assertPrinted(run, metrics("run"));
    assertCsv(metrics("run"));
    assertTrue(model("run").length > 4 * (36 * 128 + 129 * 64 + 65 * 3));
  }

  @Test
  void dryRunWritesNothing() throws IOException {
    Set<String> before = runs();
    boolean existed = Files.exists(Path.of("runs"));
    Program run = trained("run", "--dry-run --batch-size 16 --log-interval 1");
    assertFalse(Files.exists(tmp.resolve("run")));
    assertEquals(existed, Files.exists(Path.of("runs")));
    assertEquals(before, runs());
    assertEquals(
        1, run.lines().stream().filter(line -> line.startsWith("Epoch 1/1, batch 1/1: ")).count());
    assertTrue(run.lastLine().startsWith("Test set: "), run.lastLine());
    assertFalse(run.out().contains("Saved"));
    assertEquals(0, Program.run("--dry-run", "--data", data).code());
    assertEquals(before, runs());
  }

  @Test
  void subsetIsEvaluatedToo() throws IOException {
    Program run =
        trained(
            "run", "--subset 9 --hidden 16 --epochs 40 --batch-size 4 --lr 0.01 --log-interval 1");
    Map<String, Object> metrics = metrics("run");
    assertEquals(9, ((Map<?, ?>) metrics.get("settings")).get("training_examples"));
    assertEquals(3 * 40, list(metrics, "steps").size());
    Map<?, ?> train = (Map<?, ?>) metrics.get("train");
    assertEquals(9, train.get("size"));
    assertEquals(20, ((Map<?, ?>) metrics.get("test")).get("size"));
    assertEquals(9, train.get("right"), "nine examples are learnt by heart");
    List<String> lines = run.lines();
    assertEquals(
        String.format(
            Locale.ROOT,
            "Training set: Average loss: %.4f, Accuracy: 9/9 (100.00%%)",
            train.get("loss")),
        lines.get(lines.size() - 3));
    assertPrinted(run, metrics);
  }

  @Test
  void withoutSubsetTheTrainingSetIsNotEvaluated() throws IOException {
    assertFalse(trained("run", "--epochs 1").out().contains("Training set"));
    assertFalse(metrics("run").containsKey("train"));
  }

  @Test
  void theWholeSetMayBeTheSubset() {
    assertTrue(trained("run", "--subset 50 --epochs 0").out().contains("Training set: "));
  }

  @Test
  void json() throws IOException {
    Program run = trained("run", "--json --epochs 2 --hidden 4");
    assertEquals(metrics("run"), Program.json(run.out()));
    List<String> lines = run.err().lines().toList();
    assertTrue(lines.get(0).startsWith("CPU, 1 thread"), lines.get(0));
    assertTrue(
        lines.get(lines.size() - 1).startsWith("Test set: Average loss: "),
        lines.get(lines.size() - 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"de-DE", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva", "tr-TR"})
  void numbersAreTheSameInEveryLanguage(String language) throws IOException {
    String line = "--epochs 2 --hidden 4 --batch-size 16 --log-interval 2 --validation 0.2 ";
    trained("run", line);
    Locale before = Locale.getDefault();
    Program german;
    try {
      Locale.setDefault(Locale.forLanguageTag(language));
      german = trained("run", "--overwrite " + line);
      train("never", "--subset 51")
          .assertRefused(
              2,
              "Invalid value for option '--subset': must be at most the 50 training examples,"
                  + " found 51",
              "'mlp-cuda train --help' lists the options.");
    } finally {
      Locale.setDefault(before);
    }
    assertPrinted(german, metrics("run"));
    assertCsv(metrics("run"));
    String ascii = german.out(); // every terminal can show this
    assertArrayEquals(
        ascii.getBytes(StandardCharsets.UTF_8), ascii.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void oddNames() throws IOException {
    data = Program.writeData(tmp.resolve("my %d data %n"), 5, 7, 3, 10, 5);
    Program run = trained("my %s run/100%", "--epochs 1 --hidden 4");
    assertEquals(
        data + ": 10 training and 5 test images, 5x7, 3 classes, z-score scaling",
        run.lines().get(1));
    Path model = tmp.resolve("my %s run/100%/model.safetensors");
    assertTrue(run.out().contains("Saved " + model + ", report.html, metrics.json"), run.out());
    assertEquals(
        data.toString(), ((Map<?, ?>) metrics("my %s run/100%").get("settings")).get("dataset"));
    Program evaluated = Program.succeed("evaluate", "--model", model, "--data", data);
    assertEquals(run.lastLine(), evaluated.lastLine());
  }

  @Test
  void anOlderRunIsReplaced() throws IOException {
    trained("run", "--epochs 3 --hidden 4 --log-interval 1");
    Program second = trained("run", "--overwrite --epochs 1 --hidden 5 --seed 2");
    trained("fresh", "--epochs 1 --hidden 5 --seed 2");
    assertArrayEquals(model("fresh"), model("run"));
    assertPrinted(second, metrics("run"));
    assertCsv(metrics("run"));
    String replaced = tmp.resolve("run") + ": the run that it holds is replaced";
    assertTrue(second.lines().contains(replaced), second.out());
    assertEquals(1, metrics("run").get("model_epoch"));
    assertEquals(
        Set.of(
            "model.safetensors",
            "checkpoint.safetensors",
            ".lock",
            "report.html",
            "metrics.json",
            "metrics.csv"),
        files(tmp.resolve("run")));
  }

  /** Options with which the factor of the weights is infinite as a float. */
  private static final String OVERFLOWING = "--optimizer adamw --lr 1e38 --weight-decay 100";

  /**
   * The update at the end of an epoch overflows: no model of that epoch is written, and none is
   * claimed.
   */
  @Test
  void theNetworkThatIsNamedIsTheOneInTheFile() throws IOException {
    Program none = train("none", OVERFLOWING + " --batch-size 50 --epochs 3");
    assertEquals(5, none.code(), none.out());
    assertFalse(none.out().contains("the network after epoch"), none.out());
    assertTrue(none.err().contains("at epoch 1, step 1"), none.err());
    assertFalse(Files.exists(tmp.resolve("none/model.safetensors")));
  }

  /** PyTorch's AdamW decays by 0.01 unless it is told otherwise. */
  @Test
  void adamwDecaysByItself() throws IOException {
    trained("adamw", "--epochs 1 --hidden 4 --optimizer adamw");
    trained("same", "--epochs 1 --hidden 4 --optimizer adamw --weight-decay 0.01");
    trained("adam", "--epochs 1 --hidden 4");
    assertArrayEquals(model("same"), model("adamw"));
    assertFalse(Arrays.equals(model("adam"), model("adamw")));
  }

  /** The folder is named as the command line names it, also where its parents are made. */
  @Test
  void aRelativeFolderIsShownAsItWasGiven() {
    Path here = Path.of("").toAbsolutePath();
    Path relative = here.relativize(tmp.toAbsolutePath()).resolve("not there/run");
    Program run =
        Program.succeed(
            Program.words("--cpu --epochs 1 --hidden 4", "--data", data, "--out", relative));
    assertTrue(
        run.out().contains("\nSaved " + relative.resolve("model.safetensors") + ", report.html"),
        run.out());
  }

  @Test
  void divergesInTheFirstEpoch() throws IOException {
    Program run = train("run", "--lr 1e30 --batch-size 16 --log-interval 1");
    assertEquals(5, run.code());
    assertEquals(
        List.of(
            "training diverged: losses and weights must be finite, found NaN at epoch 1, step 2; a lower"
                + " learning rate may help"),
        run.err().lines().toList());
    assertEquals(
        Set.of(".lock", "report.html", "metrics.json", "metrics.csv", "checkpoint.safetensors"),
        files(tmp.resolve("run")));
    Map<String, Object> metrics = metrics("run");
    assertEquals(Map.of("epoch", 1, "step", 2), metrics.get("diverged"));
    assertEquals(List.of(), list(metrics, "epochs"));
    assertEquals(List.of(1), list(metrics, "steps").stream().map(row -> row.get("step")).toList());
    assertCsv(metrics);
    assertFalse(metrics.containsKey("test"));
    assertFalse(run.out().contains("Test set"));
  }

  @Test
  void divergesLaterAndKeepsTheLastEpochsModel() throws IOException {
    // An epoch has one batch, so that the first loss is that of the initial weights.
    Program run = train("run", "--lr 1e30 --batch-size 50");
    assertEquals(5, run.code());
    assertEquals(
        "training diverged: losses and weights must be finite, found NaN at epoch 2, step 2; a lower learning rate may"
            + " help",
        run.err().strip());
    assertEquals(
        tmp.resolve("run/model.safetensors") + ": the network after epoch 1", run.lastLine());
    Map<String, Object> metrics = metrics("run");
    assertEquals(Map.of("epoch", 2, "step", 2), metrics.get("diverged"));
    assertEquals(1, list(metrics, "epochs").size());
    train("one epoch", "--lr 1e30 --batch-size 50 --epochs 1");
    assertArrayEquals(model("one epoch"), model("run"));
  }

  @Test
  void divergesInTheVeryLastUpdate() throws IOException {
    Program run = train("run", "--lr 1e30 --batch-size 50 --epochs 1");
    assertEquals(5, run.code());
    assertEquals(
        "training diverged: losses and weights must be finite, found NaN at epoch 1, step 1; a lower learning rate may"
            + " help",
        run.err().strip());
    assertEquals(Map.of("epoch", 1, "step", 1), metrics("run").get("diverged"));
    assertFalse(run.out().contains("Test set"));
  }

  @Test
  void weightsThatAreNotFiniteAreNeverSaved() throws IOException {
    trained("run", "--epochs 1");
    byte[] older = model("run");
    Program run = train("run", OVERFLOWING + " --batch-size 50 --epochs 1 --overwrite");
    assertEquals(5, run.code());
    assertTrue(run.err().contains("epoch 1, step 1;"), run.err());
    assertArrayEquals(older, model("run"));
  }

  @Test
  void aDivergedRunSaysThatTheModelIsOlder() throws IOException {
    trained("run", "--epochs 1");
    byte[] older = model("run");
    Program run = train("run", "--lr 1e30 --batch-size 16 --overwrite");
    assertEquals(5, run.code());
    assertEquals(
        tmp.resolve("run/model.safetensors")
            + ": left as an earlier run wrote it, for no epoch was done",
        run.lastLine());
    assertArrayEquals(older, model("run"));
    assertTrue(metrics("run").containsKey("diverged"));
  }

  @Test
  void aDivergedDryRunWritesNothing() throws IOException {
    Program run = train("run", "--lr 1e30 --dry-run");
    assertEquals(5, run.code());
    assertFalse(Files.exists(tmp.resolve("run")));
  }

  @Test
  void hugeTestBatchesTakeNoMoreThanTheSet() {
    Program usual = trained("run", "--epochs 1 --test-batch-size 20");
    Program huge = trained("run", "--overwrite --epochs 1 --test-batch-size 2147483647");
    assertEquals(usual.lastLine(), huge.lastLine());
  }

  @Test
  void noHiddenLayerAndOneClass() throws IOException {
    data = Program.writeData(tmp.resolve("one class"), 5, 7, 1, 10, 5);
    Program run = trained("run", "--hidden none --epochs 1");
    assertEquals("Test set: Average loss: 0.0000, Accuracy: 5/5 (100.00%)", run.lastLine());
  }

  @Test
  void classesMayBeMoreThanTheLabels() throws IOException {
    trained("run", "--classes 12 --epochs 1 --hidden 4");
    assertEquals(List.of(35, 4, 12), ((Map<?, ?>) metrics("run").get("settings")).get("layers"));
    assertEquals(12, ((List<?>) ((Map<?, ?>) metrics("run").get("test")).get("confusion")).size());
  }

  @Test
  void aFileWhereTheFolderShouldBe() throws IOException {
    Path file = Files.writeString(tmp.resolve("a file"), "");
    train("a file", "--epochs 0")
        .assertRefused(
            7,
            "--out "
                + file
                + ": must be a folder to write to, or a name for a new one, found: a file of that"
                + " name is there");
    Program below = train("a file/run", "--epochs 0");
    assertEquals(7, below.code());
    assertEquals(1, below.err().lines().count(), below.err());
    assertTrue(
        below
            .err()
            .startsWith(
                "--out " + file.resolve("run") + ": must be a folder to write to, or a name for"),
        below.err());
    assertEquals("", below.out());
  }

  @Test
  void aFolderWhereAFileShouldBe() throws IOException {
    Path inTheWay = Files.createDirectories(tmp.resolve("run/model.safetensors/x")).getParent();
    Program run = train("run", "--epochs 0");
    assertEquals(7, run.code());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith(inTheWay + ": cannot be written: "), run.err());
    assertEquals(
        Set.of(".lock", "model.safetensors", "checkpoint.safetensors", "report.html"),
        files(tmp.resolve("run")));
  }

  @Test
  void theMnistInTheJar() throws IOException {
    Program run =
        Program.succeed(
            Program.words("--max-steps 3 --log-interval 1 --out " + tmp.resolve("run")));
    assertTrue(
        run.out()
            .contains(
                "MNIST: 60,000 training and 10,000 test images, 28x28, 10 classes, z-score scaling"),
        run.out());
    assertTrue(run.out().contains("\nnetwork 784-128-64-10 "), run.out());
    assertTrue(run.out().contains(" 109,386\n"), run.out());
    assertTrue(run.out().contains("\nEpoch 1/10, batch 3/3: loss "), run.out());
    Map<?, ?> settings = (Map<?, ?>) metrics("run").get("settings");
    assertEquals(0.1307, settings.get("mean"));
    assertEquals(0.3081, settings.get("std"));
    assertEquals(109_386, settings.get("parameters"));
    assertEquals(10_000, ((Map<?, ?>) metrics("run").get("test")).get("size"));
  }
}
