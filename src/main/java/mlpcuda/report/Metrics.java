package mlpcuda.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import mlpcuda.compute.LossScale;
import mlpcuda.error.BadFileException;
import mlpcuda.error.DivergedException;
import mlpcuda.files.WholeFile;
import mlpcuda.train.Averages;
import mlpcuda.train.Calibration;
import mlpcuda.train.Importance;
import mlpcuda.train.Progress;
import mlpcuda.train.Score;
import mlpcuda.train.Trainer;

/** Collects what a run measures, and writes {@code metrics.json} and {@code metrics.csv}. */
public final class Metrics implements Trainer.Listener {
  /** The name of the file of {@link #write} that has a row for each step and epoch. */
  public static final String CSV = "metrics.csv";

  /** The name of the set that is evaluated when a run is done. */
  public static final String TEST = "test";

  /** The name of the file of {@link #write} that has everything. */
  public static final String FILE = "metrics.json";

  private static final String EPOCHS = "epochs";
  private static final String STEPS = "steps";
  private static final String SECONDS = "seconds";
  private static final String TOTAL_SECONDS = "total_seconds";

  private final long began = System.nanoTime();
  private double secondsBefore; // the time that the run took before it was resumed
  private final Map<String, Object> settings;
  private final int logInterval;
  private final List<Trainer.StepResult> steps = new ArrayList<>();
  private final List<Trainer.EpochResult> epochs = new ArrayList<>();
  private final Map<String, Object> results = new LinkedHashMap<>();
  private final List<String> warnings = new ArrayList<>();

  /**
   * Creates the metrics of a run with the given settings, which are written unchanged. Every {@code
   * logInterval}-th step of an epoch is kept.
   */
  public Metrics(Map<String, Object> settings, int logInterval) {
    this.settings = settings;
    this.logInterval = logInterval;
  }

  @Override
  public void stepDone(Trainer.StepResult result) {
    if (result.batch() % logInterval == 0) {
      steps.add(result);
    }
  }

  @Override
  public void epochDone(Trainer.EpochResult result) {
    epochs.add(result);
  }

  /**
   * Notes the time and, if there is a loss scale, its value and the number of steps that were
   * skipped because of it.
   */
  @Override
  public void checkpoint(Progress progress) {
    noteTime();
    float[] lossScale = progress.lossScale();
    if (lossScale.length > 0) {
      results.put("loss_scale", lossScale[LossScale.SCALE]);
      results.put("skipped_steps", LossScale.skipped(lossScale));
    }
  }

  /** Notes that the model file holds the network after the given epoch, counted from 1. */
  public void modelWritten(int epoch) {
    results.put("model_epoch", epoch);
  }

  /** Returns the epoch whose network the model file holds; 0 if no file was written yet. */
  public int modelEpoch() {
    return (Integer) results.getOrDefault("model_epoch", 0);
  }

  /** The number of epochs that are done. */
  public int epochsDone() {
    return epochs.size();
  }

  /** The number of steps in the epochs that are done. */
  public int stepsDone() {
    return epochs.isEmpty() ? 0 : epochs.get(epochs.size() - 1).steps();
  }

  /**
   * Notes the evaluation of another set than the test set: {@code validation} or {@code train}.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  public void evaluated(String set, Score evaluation, List<String> labels) {
    results.put(set, json(evaluation, labels));
    noteTime();
  }

  /**
   * Notes the evaluation of the test set, and how far its answers' probabilities can be trusted.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  public void tested(Score evaluation, List<String> labels, Calibration calibration) {
    Map<String, Object> json = json(evaluation, labels);
    json.put("calibration", ResultJson.of(calibration));
    results.put(TEST, json);
    noteTime();
  }

  /** Notes the results of the members of a committee, an object each. */
  public void members(List<Map<String, Object>> members) {
    results.put("members", members);
  }

  /** Notes the importance of a table's columns. */
  public void measured(Importance importance) {
    results.put("importance", ResultJson.of(importance));
    noteTime();
  }

  /**
   * Notes how long the run has taken so far. The noted time changes only at an event of the run, so
   * that files that are written one after another agree.
   */
  private void noteTime() {
    results.put(TOTAL_SECONDS, seconds());
    if (secondsBefore > 0) {
      results.put("seconds_before_resuming", secondsBefore);
    }
  }

  private double seconds() {
    return secondsBefore + (System.nanoTime() - began) / 1e9;
  }

  /** Notes a warning: a sentence that says what is probably wrong. */
  public void warn(String warning) {
    warnings.add(warning);
  }

  /** The warnings so far. */
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  /** The epochs that were done, in their order. */
  public List<Trainer.EpochResult> epochs() {
    return List.copyOf(epochs);
  }

  /** Notes that the run ended because its loss was no longer finite. */
  public void diverged(DivergedException e) {
    var diverged = new LinkedHashMap<String, Object>();
    diverged.put("epoch", e.epoch());
    diverged.put("step", e.step());
    results.put("diverged", diverged);
    noteTime();
  }

  /**
   * Returns the state for {@link #restore}: the steps and epochs so far, every number exact, and
   * the time that they took, as JSON objects.
   */
  public Map<String, Object> state() {
    double seconds = (Double) results.getOrDefault(TOTAL_SECONDS, secondsBefore);
    return new MetricsState(epochs, steps, seconds).json();
  }

  /**
   * Replaces the steps, the epochs and the time noted so far by those of an earlier run.
   *
   * @param file the file of {@code state}, for the message
   * @param state a state that {@link #state} returned, perhaps by way of JSON
   * @throws BadFileException if {@code state} is malformed; nothing is then changed
   */
  public void restore(Path file, Map<String, Object> state) {
    MetricsState before = MetricsState.of(file, state);
    secondsBefore = before.seconds();
    if (secondsBefore > 0) {
      noteTime();
    }
    epochs.clear();
    epochs.addAll(before.epochs());
    steps.clear();
    steps.addAll(before.steps());
  }

  /**
   * Converts an evaluation to JSON objects: loss, accuracy, classes and confusion matrix.
   *
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  public static Map<String, Object> json(Score evaluation, List<String> labels) {
    var json = new LinkedHashMap<String, Object>();
    json.put("loss", evaluation.loss());
    json.put("accuracy", evaluation.accuracy());
    json.put("right", evaluation.right());
    json.put("size", evaluation.size());
    var classes = new ArrayList<Map<String, Object>>();
    for (int c = 0; c < evaluation.classes(); c++) {
      var of = new LinkedHashMap<String, Object>();
      of.put("class", c);
      if (!labels.isEmpty()) {
        of.put("label", labels.get(c));
      }
      of.put("precision", evaluation.precision(c));
      of.put("recall", evaluation.recall(c));
      of.put("f1", evaluation.f1(c));
      of.put("examples", evaluation.support(c));
      classes.add(of);
    }
    json.put("classes", classes);
    json.put("confusion", evaluation.confusion());
    return json;
  }

  /**
   * Whether the metrics in {@code folder} have a test result, which means that their run was
   * completed.
   */
  public static boolean tellsOfTheEnd(Path folder) {
    try {
      return JSON.std.mapFrom(Files.readAllBytes(folder.resolve(FILE))).containsKey(TEST);
    } catch (IOException e) { // the file is missing or damaged
      return false;
    }
  }

  /** Converts all metrics to JSON objects. */
  public Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("settings", settings);
    json.put(EPOCHS, epochs.stream().map(Metrics::json).toList());
    json.put(STEPS, steps.stream().map(Metrics::json).toList());
    json.putAll(results);
    if (!warnings.isEmpty()) {
      json.put("warnings", warnings());
    }
    return json;
  }

  private static Map<String, Object> json(Trainer.EpochResult epoch) {
    var json = new LinkedHashMap<String, Object>();
    json.put("epoch", epoch.epoch());
    json.put("step", epoch.steps());
    json.put("loss", epoch.train().loss());
    json.put("accuracy", epoch.train().accuracy());
    json.put("learning_rate", epoch.rate());
    put(json, "validation", epoch.validation());
    put(json, "test", epoch.test());
    json.put(SECONDS, epoch.seconds());
    json.put("images_per_second", epoch.imagesPerSecond());
    return json;
  }

  private static void put(Map<String, Object> json, String set, Optional<Averages> scores) {
    scores.ifPresent(
        s -> {
          json.put(set + "_loss", s.loss());
          json.put(set + "_accuracy", s.accuracy());
        });
  }

  private static Map<String, Object> json(Trainer.StepResult step) {
    var json = new LinkedHashMap<String, Object>();
    json.put("epoch", step.epoch());
    json.put("step", step.step());
    json.put("loss", step.loss());
    return json;
  }

  /**
   * Writes {@code metrics.json} and {@code metrics.csv} into {@code folder}, over former files.
   * Each row of the CSV file is a step or an epoch, which its first column tells; columns that a
   * step does not have are empty.
   *
   * @throws java.io.UncheckedIOException if writing fails
   */
  public void write(Path folder) {
    WholeFile.write(
        folder.resolve(FILE),
        out -> out.write(JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asBytes(json())));
    WholeFile.write(
        folder.resolve(CSV),
        out -> {
          var csv = new PrintWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
          csv.print(
              "kind,epoch,step,loss,accuracy,seconds,images_per_second,"
                  + "learning_rate,validation_loss,validation_accuracy,test_loss,test_accuracy\n");
          int next = 0;
          for (Trainer.EpochResult epoch : epochs) {
            next = writeSteps(csv, next, epoch.epoch());
            csv.printf(
                Locale.ROOT,
                "epoch,%d,%d,%s,%s,%s,%s,%s,%s,%s,%s,%s\n",
                epoch.epoch(),
                epoch.steps(),
                epoch.train().loss(),
                epoch.train().accuracy(),
                epoch.seconds(),
                epoch.imagesPerSecond(),
                epoch.rate(),
                cell(epoch.validation().map(Averages::loss)),
                cell(epoch.validation().map(Averages::accuracy)),
                cell(epoch.test().map(Averages::loss)),
                cell(epoch.test().map(Averages::accuracy)));
          }
          writeSteps(csv, next, Integer.MAX_VALUE); // the steps of an unfinished epoch
          csv.flush();
        });
  }

  private static String cell(Optional<Double> number) {
    return number.map(String::valueOf).orElse("");
  }

  /**
   * Writes the steps from index {@code next} on that belong to epochs up to {@code epoch}; returns
   * the index of the next step.
   */
  private int writeSteps(PrintWriter csv, int next, int epoch) {
    while (next < steps.size() && steps.get(next).epoch() <= epoch) {
      Trainer.StepResult step = steps.get(next++);
      csv.printf(Locale.ROOT, "step,%d,%d,%s,,,,,,,,\n", step.epoch(), step.step(), step.loss());
    }
    return next;
  }
}
