package mlpcuda.run;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import mlpcuda.error.DivergedException;
import mlpcuda.error.StoppedException;
import mlpcuda.model.Checkpoint;
import mlpcuda.model.ModelFile;
import mlpcuda.net.Parameters;
import mlpcuda.report.Metrics;
import mlpcuda.report.Printable;
import mlpcuda.report.Report;
import mlpcuda.report.Tables;
import mlpcuda.train.Predictions;
import mlpcuda.train.Progress;

/** The files of a run: its model, its measurements, the report, and what it needs to go on. */
public final class RunFolder {
  /** The file of the trained network. */
  static final String MODEL = "model.safetensors";

  private static final String REPORT = "report.html";

  /** The file that holds all that a run needs to go on. */
  public static final String CHECKPOINT = "checkpoint.safetensors";

  /** The time between two reports of a running run: each report takes some 20 ms. */
  private static final long REPORT_NANOS = 2_000_000_000L;

  /** The images that the report shows beside their distortions, and the distortions of each. */
  private static final int DISTORTED = 10;

  private static final int DISTORTED_EPOCHS = 7;

  private final Path folder;
  private final TrainingRun run;
  private final Metrics metrics;
  private final Report report;
  private long nextReport = System.nanoTime();

  /** The files of {@code run} in {@code folder}; none is written yet. */
  RunFolder(Path folder, TrainingRun run, Metrics metrics) {
    this.folder = folder;
    this.run = run;
    this.metrics = metrics;
    String name = Objects.toString(folder.toAbsolutePath().normalize().getFileName(), "/");
    RunData data = run.data();
    this.report = new Report(name, metrics, data.shape(), data.train(), data.test());
    run.distorted(DISTORTED, DISTORTED_EPOCHS).ifPresent(report::show);
  }

  /** Whether a folder holds a run that can be resumed. */
  public static boolean holdsARun(Path folder) {
    return Files.exists(folder.resolve(CHECKPOINT));
  }

  /** Whether a folder has all files of a run that is done. */
  public static boolean holdsTheEnd(Path folder) {
    for (String name : List.of(MODEL, REPORT, Metrics.CSV)) {
      if (!Files.exists(folder.resolve(name))) {
        return false;
      }
    }
    return Metrics.tellsOfTheEnd(folder);
  }

  /** Restores the metrics that the checkpoint has. */
  void restore() {
    metrics.restore(folder.resolve(CHECKPOINT), run.start().state().metrics());
    metrics.modelWritten(modelEpoch(run.start().state().progress()));
  }

  /** Saves the model of the last whole epoch, or of the best one, and the checkpoint. */
  void save(Parameters parameters, Progress progress) {
    List<float[]> weights = parameters.answering().read();
    boolean averaged = parameters.answering() != parameters;
    List<float[]> raw = averaged ? parameters.read() : List.of();
    Parameters.State optimizer = parameters.readState();
    int epoch = progress.batch() == 0 ? progress.epoch() - 1 : progress.epoch();
    DivergedException.check(weights, epoch, progress.steps());
    DivergedException.check(raw, epoch, progress.steps());
    if (progress.batch() == 0 && progress.epoch() > 1) {
      if (modelEpoch(progress) == metrics.modelEpoch()) {
        metrics.write(folder); // the best epoch's model is there already
      } else {
        metrics.modelWritten(modelEpoch(progress));
        writeModel(progress.best().isEmpty() ? weights : progress.best());
        metrics.write(folder);
      }
    }
    new Checkpoint(
            run.data().shape(),
            run.data().form(),
            weights,
            optimizer.m(),
            optimizer.v(),
            progress.best(),
            raw,
            run.start().state().at(progress, metrics.state()).json())
        .write(folder.resolve(CHECKPOINT));
    if (progress.batch() == 0 && System.nanoTime() - nextReport >= 0) {
      reportProgress((progress.best().isEmpty() ? weights : progress.best()).get(0));
      nextReport = System.nanoTime() + REPORT_NANOS;
    }
  }

  /** Writes what the folder must hold before the first step. */
  void begins(Parameters parameters) {
    Progress at = run.start().state().progress();
    if (run.start() instanceof Start.Resumed resumed) {
      if (resumed.from().changed()) { // the checkpoint must have the plan that the run follows now
        save(parameters, at);
      }
      // The run goes on, whatever the report said of its end before.
      reportProgress(parameters.answering().read().get(0));
    } else {
      save(parameters, at); // otherwise a run that is killed early would leave an older run's files
    }
  }

  private void reportProgress(float[] weights) {
    int epochs = run.start().state().plan().settings().course().epochs();
    reportBeforeTheEnd(
        "Training: %d of %s done.".formatted(metrics.epochsDone(), Tables.are(epochs, "epoch")),
        weights);
  }

  /**
   * Writes the report of a run that is not done. The run can do without, so a failure is only told.
   */
  private void reportBeforeTheEnd(String status, float[] weights) {
    try {
      report.write(folder, status, Optional.ofNullable(weights), Optional.empty());
    } catch (UncheckedIOException e) {
      run.reporter().warning(Printable.oneLine(e.getMessage()));
    }
  }

  /**
   * Reports that the run was stopped after a checkpoint; the exception returned says how to go on.
   */
  StoppedException stopped(Parameters parameters, StoppedException e) {
    StoppedException stopped = e.resumable(run.reporter().howToResume(folder));
    String status = "Interrupted: " + stopped.getMessage() + ".";
    reportBeforeTheEnd(status, parameters.answering().read().get(0));
    return stopped;
  }

  /** Writes the measurements, and says which model the folder holds. */
  void diverged(DivergedException e) {
    metrics.write(folder);
    reportBeforeTheEnd("Ended: " + e.getMessage() + ".", null);
    Path model = folder.resolve(MODEL);
    if (metrics.modelEpoch() > 0) {
      run.reporter()
          .line(
              Printable.oneLine(
                  "%s: the network after epoch %d".formatted(model, metrics.modelEpoch())));
    } else if (Files.exists(model)) {
      run.reporter()
          .line(
              Printable.oneLine(
                  model + ": left as an earlier run wrote it, for no epoch was done"));
    }
  }

  /**
   * Writes the trained network and all measurements.
   *
   * @param answers the answers to the test images
   * @param outcome what the validation set and the loss scale led to; empty if nothing
   * @return the file of the model
   */
  Path done(ModelFile network, Predictions answers, String outcome) {
    List<float[]> weights = network.weights();
    DivergedException.check(weights, metrics.epochsDone(), metrics.stepsDone());
    network.write(folder.resolve(MODEL));
    String status =
        "Done: %s, %s. %s"
            .formatted(
                Tables.count(metrics.epochsDone(), "epoch"),
                Tables.count(metrics.stepsDone(), "step"),
                outcome);
    report.write(folder, status.strip(), Optional.of(weights.get(0)), Optional.of(answers));
    metrics.write(folder); // written last, since their test result says that all is written
    return folder.resolve(MODEL);
  }

  /** The epoch whose network the model file holds: the last whole one, or the best. */
  private static int modelEpoch(Progress progress) {
    return progress.best().isEmpty() ? progress.epoch() - 1 : progress.stopping().bestEpoch();
  }

  private void writeModel(List<float[]> weights) {
    new ModelFile(run.data().shape(), run.data().form(), weights).write(folder.resolve(MODEL));
  }
}
