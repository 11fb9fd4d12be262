package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.data.ExampleSet;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.run.Warnings;
import mlpcuda.train.Score;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a run whose network is useless says so, and that one that learns says nothing. */
class WarningsTest {
  private static final String LEARNS = "--hidden 8 --batch-size 16 --epochs 20 --lr 0.01";

  @TempDir private Path tmp;
  private Path data;
  private Path out;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    out = tmp.resolve("out");
  }

  private Program train(String line) {
    return Program.succeed(
        Program.words(line, "--overwrite", "--data", data, "--out", out, "--threads", 1));
  }

  /** The lines that are printed with {@code --quiet}, which {@code metrics.json} has, too. */
  private List<String> warnings(String line) throws IOException {
    Program run = train(line + " --quiet");
    assertEquals("", run.err());
    List<String> lines = run.lines();
    assertTrue(run.lastLine().startsWith("Test set: "), run.out());
    List<String> warnings = lines.subList(0, lines.size() - 1);
    Map<String, Object> metrics = Program.json(Files.readString(out.resolve("metrics.json")));
    assertEquals(warnings, metrics.getOrDefault("warnings", List.of()));
    return warnings;
  }

  /** Adds a number to all labels of a set. */
  private void shiftLabels(String set, int by) throws IOException {
    Path file = data.resolve(set + "-labels-idx1-ubyte");
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 8; i < bytes.length; i++) {
      bytes[i] += (byte) by;
    }
    Files.write(file, bytes);
  }

  @Test
  void aNetworkThatLearnsHasNone() throws IOException {
    assertEquals(List.of(), warnings(LEARNS));
    assertFalse(Files.readString(out.resolve("metrics.json")).contains("warnings"));
    Program evaluated =
        Program.succeed(
            "evaluate", "--quiet", "--data", data, "--model", out.resolve("model.safetensors"));
    assertEquals(1, evaluated.lines().size(), evaluated.out());
  }

  /** A network that was not trained gets no warning: nobody has claimed that it is of use. */
  @ParameterizedTest
  @ValueSource(strings = {"--epochs 0", "--max-steps 1"})
  void aNetworkThatWasNotTrainedHasNone(String line) throws IOException {
    assertEquals(List.of(), warnings("--hidden 8 --init " + sure(2) + " " + line));
  }

  @Test
  void labelsThatStartAtOne() throws IOException {
    shiftLabels("train", 1);
    shiftLabels("t10k", 1);
    List<String> warnings = warnings(LEARNS);
    assertEquals(
        List.of(
            "No example has the label 0: the labels probably start at 1. If so, nothing is wrong:"
                + " the network has an output for a class 0 that it never answers."),
        warnings);
    assertEquals(warnings.get(0), train(LEARNS).lines().get(2), "before the training");
  }

  @Test
  void aClassWithTestImagesAlone() throws IOException {
    shiftLabels("train", 1);
    List<String> warnings = warnings(LEARNS);
    assertEquals(
        List.of(
            "Class 0 has no training example: the network cannot learn it.",
            "The network never answers 0, though the test set has it. It had no training example."),
        warnings);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 2|3|Class 0 has",
        "0 2|3|Class 1 has",
        "0 1|4|Classes 2 and 3 have",
        "0 1|5|Classes 2 to 4 have",
        "0 2 4|6|Classes 1, 3 and 5 have",
        "3|12|Classes 0 to 2 and 4 to 11 have",
        "1 3 5 7 9 11 13 15 17 19 21 23|24|Classes 0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and others have",
      })
  void theClassesAreNamed(String labels, int classes, String begin) {
    var bytes = new byte[labels.split(" ").length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = Byte.parseByte(labels.split(" ")[i]);
    }
    var train = ExampleSet.images(1, 1, new byte[bytes.length], bytes);
    var test = ExampleSet.images(1, 1, new byte[1], new byte[1]);
    String said = Warnings.ofLabels(train, test, classes, List.of()).orElseThrow();
    assertTrue(said.startsWith(begin + " no training example"), said);
    var whole = new byte[classes];
    for (int c = 0; c < classes; c++) {
      whole[c] = (byte) c;
    }
    var all = ExampleSet.images(1, 1, new byte[classes], whole);
    assertEquals(Optional.empty(), Warnings.ofLabels(all, test, classes, List.of()));
  }

  @Test
  void classesAreCalledByTheirNames() {
    var train = ExampleSet.images(1, 1, new byte[1], new byte[] {2});
    List<String> labels = List.of("cat", "dog", "emu", "hen\n" + "n".repeat(40));
    assertEquals(
        "Classes cat, dog and hen?"
            + "n".repeat(26)
            + "… have no training examples: the network cannot learn them.",
        Warnings.ofLabels(train, train, 4, labels).orElseThrow());
    var tested = new Score(1, new long[][] {{0, 2}, {0, 3}});
    var shape = new MlpShape(List.of(1, 2), Activation.RELU, Activation.NONE);
    String said =
        Warnings.ofAnswers(tested, shape, List.of("cat", "dog"), false, null).orElseThrow();
    assertTrue(said.startsWith("The network answers dog to every test example. "), said);
  }

  @ParameterizedTest
  @ValueSource(strings = {"adam", "sgd --activation sigmoid"})
  void aLearningRateThatIsFarTooHigh(String optimizer) throws IOException {
    ResumeTest.hardData(data);
    String line = LEARNS.replace("0.01", "1000");
    List<String> warnings = warnings(line + " --optimizer " + optimizer);
    String rule =
        "The mean loss of the last epoch is \\S+, where guessing has 1\\.10: training has gone astray\\."
            + " The learning rate, 1000, is probably too high; 'mlp-cuda lr-find' suggests one\\.";
    assertTrue(warnings.get(0).matches(rule), warnings.toString());
    Map<?, ?> report = (Map<?, ?>) ReportTest.data(out.resolve("report.html")).get("metrics");
    assertEquals(warnings, report.get("warnings"));
  }

  /** A network whose bias makes it answer one class for every image. */
  private Path sure(int answer) throws IOException {
    train("--hidden 8 --epochs 0");
    ModelFile model = ModelFile.read(out.resolve("model.safetensors"));
    model.weights().get(3)[answer] = 1000;
    Path file = tmp.resolve("sure.safetensors");
    model.write(file);
    return file;
  }

  @Test
  void oneAnswerToEverything() throws IOException {
    List<String> warnings = warnings("--hidden 8 --epochs 2 --lr 1e-9 --init " + sure(2));
    String said = "The network answers 2 to every test image.";
    assertTrue(warnings.get(1).startsWith(said), warnings.toString());
    Program evaluated =
        Program.succeed(
            "evaluate", "--json", "--data", data, "--model", out.resolve("model.safetensors"));
    Object found = Program.json(evaluated.out()).get("warnings");
    assertTrue(found.toString().startsWith("[" + said), evaluated.out());
    List<String> lines = evaluated.err().lines().toList();
    assertTrue(lines.get(lines.size() - 2).startsWith(said), evaluated.err());
  }

  /** A unit of an output with a ReLU has died: the network learns the other classes. */
  @Test
  void unitsThatDied() throws IOException {
    train("--hidden 8 --relu-output --epochs 0");
    ModelFile model = ModelFile.read(out.resolve("model.safetensors"));
    model.weights().get(3)[1] = -1000;
    Path file = tmp.resolve("dead.safetensors");
    model.write(file);
    String said =
        "The network never answers 1, though the test set has it. Its output has a ReLU, and a unit"
            + " there that gives 0 to every image gets no gradient and has died: another seed, a"
            + " lower learning rate or an output without ReLU may help.";
    assertEquals(List.of(said), warnings(LEARNS + " --relu-output --init " + file));
    Program evaluated =
        Program.succeed(
            "evaluate", "--quiet", "--data", data, "--model", out.resolve("model.safetensors"));
    assertEquals(said, evaluated.lines().get(0));
  }
}
