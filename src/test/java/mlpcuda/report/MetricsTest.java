package mlpcuda.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.error.DivergedException;
import mlpcuda.train.Averages;
import mlpcuda.train.Calibration;
import mlpcuda.train.Predictions;
import mlpcuda.train.Score;
import mlpcuda.train.Trainer.EpochResult;
import mlpcuda.train.Trainer.StepResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsTest {
  @TempDir Path folder;

  /** Notes two epochs of three steps, the second of which ends early by a non-finite loss. */
  private static Metrics sample(int logInterval) {
    var metrics = new Metrics(Map.of("dataset", "a \"quoted\" näme"), logInterval);
    metrics.stepDone(new StepResult(1, 1, 1, 2.5));
    metrics.stepDone(new StepResult(1, 2, 2, 1e-7));
    metrics.stepDone(new StepResult(1, 3, 3, 0));
    metrics.epochDone(
        new EpochResult(
            1,
            3,
            new Averages(0.75, 0.5),
            Optional.of(new Averages(0.25, 0.875)),
            Optional.of(new Averages(0.375, 0.9375)),
            0.001,
            0.125,
            1234567.5));
    metrics.stepDone(new StepResult(2, 4, 1, 1e30));
    metrics.stepDone(new StepResult(2, 5, 2, 0.1));
    return metrics;
  }

  private Map<String, Object> json() throws IOException {
    return JSON.std.mapFrom(Files.readString(folder.resolve("metrics.json")));
  }

  private List<String> csv() throws IOException {
    return Files.readAllLines(folder.resolve("metrics.csv"));
  }

  @Test
  void everyStepAndEpochInBothFiles() throws IOException {
    sample(1).write(folder);
    assertEquals(
        List.of(
            "kind,epoch,step,loss,accuracy,seconds,images_per_second,learning_rate,"
                + "validation_loss,validation_accuracy,test_loss,test_accuracy",
            "step,1,1,2.5,,,,,,,,",
            "step,1,2,1.0E-7,,,,,,,,",
            "step,1,3,0.0,,,,,,,,",
            "epoch,1,3,0.75,0.5,0.125,1234567.5,0.001,0.25,0.875,0.375,0.9375",
            "step,2,4,1.0E30,,,,,,,,",
            "step,2,5,0.1,,,,,,,,"),
        csv());
    assertEquals(
        Map.of(
            "settings",
            Map.of("dataset", "a \"quoted\" näme"),
            "epochs",
            List.of(
                Map.ofEntries(
                    Map.entry("epoch", 1),
                    Map.entry("step", 3),
                    Map.entry("loss", 0.75),
                    Map.entry("accuracy", 0.5),
                    Map.entry("learning_rate", 0.001),
                    Map.entry("validation_loss", 0.25),
                    Map.entry("validation_accuracy", 0.875),
                    Map.entry("test_loss", 0.375),
                    Map.entry("test_accuracy", 0.9375),
                    Map.entry("seconds", 0.125),
                    Map.entry("images_per_second", 1234567.5))),
            "steps",
            List.of(
                Map.of("epoch", 1, "step", 1, "loss", 2.5),
                Map.of("epoch", 1, "step", 2, "loss", 1e-7),
                Map.of("epoch", 1, "step", 3, "loss", 0.0),
                Map.of("epoch", 2, "step", 4, "loss", 1e30),
                Map.of("epoch", 2, "step", 5, "loss", 0.1))),
        json());
  }

  @Test
  void everySecondStepOfAnEpoch() throws IOException {
    sample(2).write(folder);
    assertEquals(
        List.of(
            "kind,epoch,step,loss,accuracy,seconds,images_per_second,learning_rate,"
                + "validation_loss,validation_accuracy,test_loss,test_accuracy",
            "step,1,2,1.0E-7,,,,,,,,",
            "epoch,1,3,0.75,0.5,0.125,1234567.5,0.001,0.25,0.875,0.375,0.9375",
            "step,2,5,0.1,,,,,,,,"),
        csv());
  }

  @Test
  void whatWasDone() {
    assertEquals(0, new Metrics(Map.of(), 1).epochsDone());
    assertEquals(0, new Metrics(Map.of(), 1).stepsDone());
    assertEquals(1, sample(2).epochsDone());
    assertEquals(3, sample(2).stepsDone());
  }

  @Test
  void tellsOfDivergenceAndStaysJson() throws IOException {
    Metrics metrics = sample(1);
    var answers = new Predictions(new int[3], new float[] {0.75f, 0.75f, 0.75f});
    metrics.tested(
        new Score(Double.NaN, new long[][] {{1, 0}, {2, 0}}),
        List.of(),
        Calibration.of(answers, new byte[] {0, 1, 1}));
    metrics.diverged(new DivergedException(2, 6, Double.NaN));
    metrics.write(folder);
    assertEquals(Map.of("epoch", 2, "step", 6), json().get("diverged"));
    Map<?, ?> test = (Map<?, ?>) json().get("test");
    assertEquals(1.0 / 3, test.get("accuracy"));
    Map<?, ?> calibration = (Map<?, ?>) test.get("calibration");
    assertEquals(0.75 - 1.0 / 3, calibration.get("ece"));
    List<?> bins = (List<?>) calibration.get("bins");
    assertEquals(
        Map.of(
            "from",
            0.7,
            "to",
            0.8,
            "count",
            3,
            "right",
            1,
            "confidence",
            0.75,
            "accuracy",
            1 / 3.0),
        bins.get(7));
    assertEquals(Map.of("from", 0.6, "to", 0.7, "count", 0, "right", 0), bins.get(6));
  }

  @Test
  void replacesFormerFilesAndLeavesNoOthers() throws IOException {
    sample(1).write(folder);
    new Metrics(Map.of(), 1).write(folder);
    assertEquals(
        List.of(
            "kind,epoch,step,loss,accuracy,seconds,images_per_second,learning_rate,"
                + "validation_loss,validation_accuracy,test_loss,test_accuracy"),
        csv());
    assertEquals(Map.of("settings", Map.of(), "epochs", List.of(), "steps", List.of()), json());
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(
          Set.of("metrics.json", "metrics.csv"),
          files.map(file -> file.getFileName().toString()).collect(Collectors.toSet()));
    }
  }

  @Test
  void digitsAreTheSameInEveryLanguage() throws IOException {
    sample(1).write(folder);
    List<String> expected = csv();
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      sample(1).write(folder);
    } finally {
      Locale.setDefault(before);
    }
    assertEquals(expected, csv());
  }

  @Test
  void aMissingFolderIsTold() {
    Path missing = folder.resolve("none");
    String message =
        assertThrows(UncheckedIOException.class, () -> sample(1).write(missing)).getMessage();
    assertEquals(
        missing.resolve("metrics.json") + ": cannot be written: its folder does not exist",
        message);
  }

  private static Map<String, Object> throughJson(Map<String, Object> state) throws IOException {
    return JSON.std.mapFrom(JSON.std.asString(state));
  }

  @Test
  void aResumedRunGoesOnWithTheSameNumbers() throws IOException {
    double odd = Math.nextUp(1 / 3.0);
    Metrics before = sample(1);
    before.epochDone(
        new EpochResult(
            2,
            6,
            new Averages(odd, Double.MIN_VALUE),
            Optional.of(new Averages(0.25, 0.75)),
            Optional.of(new Averages(0.5, odd)),
            0.1,
            3,
            Double.POSITIVE_INFINITY));
    before.stepDone(new StepResult(3, 7, 1, -0.0));
    before.stepDone(new StepResult(3, 8, 2, Double.NaN));
    var after = new Metrics(Map.of("dataset", "a \"quoted\" näme"), 1);
    after.stepDone(new StepResult(9, 9, 9, 9)); // restore drops this step
    after.restore(folder, throughJson(before.state()));
    assertEquals(before.json(), after.json());
    assertEquals(before.state(), after.state());
    assertEquals(2, after.epochsDone());
    assertEquals(6, after.stepsDone());
    for (Metrics metrics : List.of(before, after)) {
      metrics.stepDone(new StepResult(3, 9, 3, 0.25));
      metrics.epochDone(
          new EpochResult(
              3, 9, new Averages(0.5, 0.5), Optional.empty(), Optional.empty(), 0.1, 1, 3));
    }
    before.write(folder);
    List<String> csv = csv();
    Map<String, Object> json = json();
    after.write(folder);
    assertEquals(csv, csv());
    assertEquals(json, json());
  }

  /**
   * A state of an older version, which did not evaluate the test set after each epoch, has no
   * results of it.
   */
  @Test
  void anOlderStateHasNothingOfTheTestSet() throws IOException {
    String state =
        "{'epochs':[[1,3,0.75,0.5,0.001,0.25,0.875,0.125,1234567.5]],'steps':[[1,1,1,2.5]]}";
    var metrics = new Metrics(Map.of(), 1);
    metrics.restore(folder, JSON.std.mapFrom(state.replace('\'', '"')));
    EpochResult epoch = metrics.epochs().get(0);
    assertEquals(Optional.empty(), epoch.test());
    assertEquals(Optional.of(new Averages(0.25, 0.875)), epoch.validation());
    assertEquals(0.125, epoch.seconds());
    assertEquals(1234567.5, epoch.imagesPerSecond());
    metrics.write(folder);
    assertEquals("epoch,1,3,0.75,0.5,0.125,1234567.5,0.001,0.25,0.875,,", csv().get(2));
    assertFalse(json().toString().contains("test_"));
  }

  @Test
  void aRunThatHasNotBegunHasAStateToo() throws IOException {
    Metrics metrics = sample(1);
    metrics.restore(folder, throughJson(new Metrics(Map.of(), 1).state()));
    assertEquals(0, metrics.epochsDone());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|epochs must be a list, found null",
        "{'epochs':7}|epochs must be a list, found 7",
        "{'epochs':[]}|steps must be a list, found null",
        "{'epochs':[],'steps':[],'seconds':-1}|seconds must be a number from 0, found -1",
        "{'epochs':[],'steps':[],'seconds':'NaN'}|seconds must be a number from 0, found NaN",
        "{'epochs':[{}]}|epochs must be lists of 11 numbers, found {}",
        "{'epochs':[[1,2]]}|epochs must be lists of 11 numbers, found [1, 2]",
        "{'epochs':[],'steps':[[1,1,1,1,1]]}|steps must be lists of 4 numbers, found [1, 1, 1, 1,",
        "{'epochs':[],'steps':[[0,1,1,1]]}|counts must be whole numbers from 1, found 0",
        "{'epochs':[],'steps':[[1,1.5,1,1]]}|counts must be whole numbers from 1, found 1.5",
        "{'epochs':[],'steps':[[1,1,9999999999,1]]}|counts must be whole numbers from 1, found 9",
        "{'epochs':[],'steps':[[1,1,1,'a\\nb']]}|losses, accuracies and times must be numbers, found a?b",
        "{'epochs':[],'steps':[[1,1,1,null]]}|losses, accuracies and times must be numbers, found n"
      },
      quoteCharacter = '#')
  void anotherStateIsRefusedAndChangesNothing(String state, String message) throws IOException {
    Metrics metrics = sample(1);
    Path file = Path.of("a file");
    Map<String, Object> map = JSON.std.mapFrom(state.replace('\'', '"'));
    String found =
        assertThrows(BadFileException.class, () -> metrics.restore(file, map)).getMessage();
    assertTrue(found.startsWith("a file: metrics: " + message), found);
    assertEquals(sample(1).state(), metrics.state());
  }
}
