package mlpcuda.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.train.DivergedException;
import mlpcuda.train.Evaluation;
import mlpcuda.train.Trainer.EpochResult;
import mlpcuda.train.Trainer.StepResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {
  @TempDir Path folder;

  /** Two epochs of three steps, the second cut short by a loss that is not finite. */
  private static Metrics sample(int logInterval) {
    var metrics = new Metrics(Map.of("dataset", "a \"quoted\" näme"), logInterval);
    metrics.stepDone(new StepResult(1, 1, 1, 2.5));
    metrics.stepDone(new StepResult(1, 2, 2, 1e-7));
    metrics.stepDone(new StepResult(1, 3, 3, 0));
    metrics.epochDone(new EpochResult(1, 3, 0.75, 0.5, 0.001, null, 0.125, 1234567.5));
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
            "kind,epoch,step,loss,accuracy,seconds,images_per_second",
            "step,1,1,2.5,,,",
            "step,1,2,1.0E-7,,,",
            "step,1,3,0.0,,,",
            "epoch,1,3,0.75,0.5,0.125,1234567.5",
            "step,2,4,1.0E30,,,",
            "step,2,5,0.1,,,"),
        csv());
    assertEquals(
        Map.of(
            "settings",
            Map.of("dataset", "a \"quoted\" näme"),
            "epochs",
            List.of(
                Map.of(
                    "epoch",
                    1,
                    "step",
                    3,
                    "loss",
                    0.75,
                    "accuracy",
                    0.5,
                    "seconds",
                    0.125,
                    "images_per_second",
                    1234567.5)),
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
            "kind,epoch,step,loss,accuracy,seconds,images_per_second",
            "step,1,2,1.0E-7,,,",
            "epoch,1,3,0.75,0.5,0.125,1234567.5",
            "step,2,5,0.1,,,"),
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
    metrics.evaluated("test", new Evaluation(Double.NaN, new long[][] {{1, 0}, {2, 0}}));
    metrics.diverged(new DivergedException(2, 6, Double.NaN));
    metrics.write(folder);
    assertEquals(Map.of("epoch", 2, "step", 6), json().get("diverged"));
    assertEquals(1.0 / 3, ((Map<?, ?>) json().get("test")).get("accuracy"));
  }

  @Test
  void replacesFormerFilesAndLeavesNoOthers() throws IOException {
    sample(1).write(folder);
    new Metrics(Map.of(), 1).write(folder);
    assertEquals(List.of("kind,epoch,step,loss,accuracy,seconds,images_per_second"), csv());
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
        missing.resolve("metrics.json") + ": cannot be written: ",
        message.substring(0, message.indexOf("java.")));
  }
}
