package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.Split;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests schedules, dropout and validation as a user of the command line meets them. */
class LearningOptionsTest {
  /** A learning rate so small that no weight changes: each epoch is as good as the one before. */
  private static final String STANDSTILL = " --lr 1e-12 ";

  @TempDir private Path tmp;
  private Path data;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
  }

  private Program trained(String name, String line) {
    String always =
        "--overwrite --cpu --threads 1 --data " + data + " --out " + tmp.resolve(name) + " ";
    return Program.succeed(Program.words(always + line));
  }

  private byte[] model(String name) throws IOException {
    return Files.readAllBytes(tmp.resolve(name).resolve("model.safetensors"));
  }

  /** The text after {@code before} in the line of each epoch, up to the next comma. */
  private static List<String> ofEpochs(Program run, String before) {
    Pattern pattern = Pattern.compile("Epoch \\d+/\\d+: .*?" + before + " ([^,]+).*");
    return run.lines().stream()
        .map(pattern::matcher)
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(1))
        .toList();
  }

  /**
   * The rate of the last step of each epoch, of two steps, was computed by hand from PyTorch's
   * formulas.
   */
  @ParameterizedTest
  @CsvSource({
    "--lr 0.02,                    2.00e-02 2.00e-02 2.00e-02 2.00e-02",
    "--schedule constant,          1.00e-03 1.00e-03 1.00e-03 1.00e-03",
    "--schedule step:2:0.1,        1.00e-03 1.00e-03 1.00e-04 1.00e-04",
    "--schedule exponential:0.5,   1.00e-03 5.00e-04 2.50e-04 1.25e-04",
    // (1 + cos(π/8 · 1, 3, 5, 7)) / 2
    "--schedule cosine,            9.62e-04 6.91e-04 3.09e-04 3.81e-05",
    // up to the peak at step 1.4 from 0, then down to 4e-6 of it at step 7
    "--schedule one-cycle,         8.19e-04 8.12e-04 2.83e-04 4.00e-09",
    "--warmup 5,                   4.00e-04 8.00e-04 1.00e-03 1.00e-03",
    "--warmup 5 --schedule step:1:0.5, 4.00e-04 4.00e-04 2.50e-04 1.25e-04",
    "--warmup 1,                   1.00e-03 1.00e-03 1.00e-03 1.00e-03",
    "--warmup 100,                 2.00e-05 4.00e-05 6.00e-05 8.00e-05",
    // a run of 5 steps is a whole cycle, and ends in its third epoch
    "--schedule cosine --max-steps 5, 9.05e-04 3.45e-04 9.55e-05"
  })
  void ratesOfTheEpochs(String line, String rates) {
    Program run = trained("run", "--hidden none --batch-size 25 --epochs 4 " + line);
    assertEquals(List.of(rates.split(" ")), ofEpochs(run, "rate"));
  }

  /**
   * The loss stalls: the first epoch is the best, and the second bad one after it reduces the rate.
   */
  @ParameterizedTest
  @ValueSource(strings = {"", " --validation 10"})
  void plateauReducesWhereTheLossStalls(String validation) {
    String line = "--hidden 4 --epochs 7 --no-shuffle --batch-size 50" + validation;
    Program stalls = trained("stalls", line + STANDSTILL + "--schedule plateau:0.1:1");
    assertEquals(
        List.of("1.00e-12", "1.00e-12", "1.00e-12", "1.00e-13", "1.00e-13", "1.00e-14", "1.00e-14"),
        ofEpochs(stalls, "rate"));
    Program falls = trained("falls", line + " --schedule plateau:0.1:1");
    assertEquals(Collections.nCopies(7, "1.00e-03"), ofEpochs(falls, "rate"));
  }

  @ParameterizedTest
  @CsvSource({"10, 40, 10", "0.1, 45, 5", "0.5, 25, 25", "49, 1, 49", "1, 49, 1"})
  void validationIsHeldBack(String amount, int train, int validation) throws IOException {
    String line = "--hidden 6 --epochs 3 --batch-size 4 --seed 5 --scaling unit --classes 3 ";
    Program run = trained("run", line + "--validation " + amount);
    assertEquals(
        "%s: %d training, %d validation and 20 test images, 5x7, 3 classes, unit scaling"
            .formatted(data, train, validation),
        run.lines().get(1));
    // A data set of the other examples alone makes the same network: nothing else was learnt from.
    ExampleSet whole = IdxFolder.read(data, OptionalInt.of(3)).train();
    Split split = Split.of(whole, validation, 5);
    assertEquals(train, split.train().size());
    replaceTrainingSet(split.train());
    trained("others", line);
    assertArrayEquals(model("others"), model("run"));
    // The examples that were held back are those that are evaluated.
    replaceTrainingSet(split.held());
    Program held =
        trained(
            "held",
            line.replace("--epochs 3", "--epochs 0") + "--subset " + validation + init("run"));
    assertEquals(
        result(held, "Training set: ").replace("Training", "Validation"),
        result(run, "Validation set: "));
  }

  private String init(String name) {
    return " --init " + tmp.resolve(name).resolve("model.safetensors");
  }

  private static String result(Program run, String start) {
    return run.lines().stream().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
  }

  private void replaceTrainingSet(ExampleSet set) throws IOException {
    ByteBuffer images = ByteBuffer.allocate(16 + set.features().array().length);
    images.putInt(0x803).putInt(set.size()).putInt(5).putInt(7);
    ByteBuffer labels = ByteBuffer.allocate(8 + set.size());
    labels.putInt(0x801).putInt(set.size());
    Files.write(
        data.resolve("train-images-idx3-ubyte"), images.put(set.features().array()).array());
    Files.write(data.resolve("train-labels-idx1-ubyte"), labels.put(set.labels()).array());
  }

  /**
   * An epoch that --max-steps cuts short is judged, too, and one that a dry run makes of a step.
   */
  @Test
  void aPartOfAnEpochIsEvaluatedToo() {
    String line = "--hidden 4 --batch-size 4 --validation 10 --save-best --early-stopping 1 ";
    Program steps = trained("steps", line + "--max-steps 13"); // an epoch of 10, and 3
    assertEquals(2, ofEpochs(steps, "validation loss").size());
    Program dry = trained("dry", line + "--dry-run --schedule one-cycle --warmup 2");
    assertEquals(1, ofEpochs(dry, "validation loss").size());
    assertFalse(Files.exists(tmp.resolve("dry")));
    Program none = trained("none", line + "--epochs 0");
    assertEquals(List.of(), ofEpochs(none, "validation loss"));
    assertTrue(none.out().contains("\nValidation set: "), none.out());
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "3, 4", "9, 10", "10, 10"})
  void endsAfterPatientEpochs(int patience, int epochs) {
    String line = "--hidden 4 --validation 10 --epochs 10" + STANDSTILL;
    for (String monitor : List.of("", " --monitor loss", " --monitor accuracy")) {
      Program run = trained("run", line + "--early-stopping " + patience + monitor);
      assertEquals(epochs, ofEpochs(run, "mean loss").size(), monitor);
      String ended =
          "Stopped early: no better validation %s for %s."
              .formatted(
                  monitor.endsWith("accuracy") ? "accuracy" : "loss",
                  patience == 1 ? "1 epoch" : patience + " epochs");
      assertEquals(epochs < 10, run.lines().contains(ended), run.out());
    }
    assertEquals(10, ofEpochs(trained("run", line), "mean loss").size());
  }

  /** The loss falls in each epoch, but the accuracy stays for some. */
  @Test
  void lossAndAccuracyAreTwoMonitors() {
    String line = "--hidden none --validation 20 --epochs 9 --optimizer sgd --lr 1e-4 ";
    Program byLoss = trained("run", line + "--early-stopping 2 --monitor loss");
    assertEquals(9, ofEpochs(byLoss, "mean loss").size(), byLoss.out());
    Program byAccuracy = trained("run", line + "--early-stopping 2 --monitor accuracy");
    List<String> accuracies = ofEpochs(byLoss, "validation loss [^,]+, accuracy");
    List<String> seen = ofEpochs(byAccuracy, "validation loss [^,]+, accuracy");
    assertEquals(accuracies.subList(0, seen.size()), seen);
    assertTrue(seen.size() < 9, accuracies.toString());
    assertEquals(seen.size() - 2, best(seen, false), accuracies.toString());
  }

  /** The first of the best epochs, from 1. */
  private static int best(List<String> values, boolean lowest) {
    int best = 0;
    for (int i = 1; i < values.size(); i++) {
      double now = Double.parseDouble(values.get(i).replace("%", ""));
      double before = Double.parseDouble(values.get(best).replace("%", ""));
      best = (lowest ? now < before : now > before) ? i : best;
    }
    return best + 1;
  }

  /** The network that is saved and evaluated is that of a run that ended with the best epoch. */
  @ParameterizedTest
  @CsvSource({"loss, 0.01", "accuracy, 0.005"}) // a rate with which neither end is the best
  void theBestEpochIsSaved(String monitor, String rate) throws IOException {
    ExampleSet noisy = IdxFolder.read(data, OptionalInt.of(3)).train();
    for (int i = 0; i < noisy.size(); i += 3) {
      noisy.labels()[i] = (byte) (i / 3 % 3);
    }
    replaceTrainingSet(noisy);
    String line = "--hidden 8 --validation 20 --batch-size 8 --lr " + rate + " ";
    String watched = line + "--epochs 8 --monitor " + monitor;
    Program last = trained("last", line + "--epochs 8");
    Program run = trained("run", watched + " --save-best");
    assertEquals(ofEpochs(last, "validation loss"), ofEpochs(run, "validation loss"));
    List<String> values =
        monitor.equals("loss")
            ? ofEpochs(run, "validation loss")
            : ofEpochs(run, "validation loss [^,]+, accuracy");
    int best = best(values, monitor.equals("loss"));
    assertTrue(best > 1 && best < 8, values.toString());
    Program upToIt = trained("shorter", line + "--epochs " + best);
    assertArrayEquals(model("shorter"), model("run"));
    assertFalse(Arrays.equals(model("last"), model("run")));
    for (String set : List.of("Validation set: ", "Test set: ")) {
      assertEquals(result(upToIt, set), result(run, set));
    }
    String kept =
        "The weights of epoch %d, the best by validation %s, are kept.".formatted(best, monitor);
    assertTrue(run.lines().contains(kept), run.out());
    // This holds with early stopping, too.
    Program stopped = trained("stopped", watched + " --save-best --early-stopping 2");
    assertTrue(stopped.out().contains(" for 2 epochs. " + kept), stopped.out());
    assertEquals(best + 2, ofEpochs(stopped, "mean loss").size());
    assertArrayEquals(model("run"), model("stopped"));
  }

  @Test
  void dropoutIsOfTrainingAlone() throws IOException {
    String line = "--hidden 12,9 --epochs 3 --batch-size 16 ";
    trained("none", line);
    trained("zero", line + "--dropout 0");
    assertArrayEquals(model("none"), model("zero"));
    trained("one", line + "--dropout 0.3");
    trained("twice", line + "--dropout 0.3,0.3");
    assertArrayEquals(model("one"), model("twice"));
    trained("first", line + "--dropout 0.3,0");
    trained("second", line + "--dropout 0,0.3");
    List<String> names = List.of("none", "one", "first", "second");
    for (String name : names) {
      for (String other : names) {
        assertEquals(name.equals(other), Arrays.equals(model(name), model(other)), name + other);
      }
    }
    String same = line + "--no-shuffle --init " + tmp.resolve("none/model.safetensors");
    trained("seed-1", same + " --dropout 0.3 --seed 1");
    trained("seed-2", same + " --dropout 0.3 --seed 2");
    assertFalse(Arrays.equals(model("seed-1"), model("seed-2")), "the masks are the seed's");
    assertEquals(
        trained("begun", line.replace("--epochs 3", "--epochs 0") + "").lastLine(),
        trained("begun", line.replace("--epochs 3", "--epochs 0") + " --dropout 0.5").lastLine());
  }
}
