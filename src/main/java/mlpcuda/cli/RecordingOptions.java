package mlpcuda.cli;

import java.nio.file.Path;
import java.util.Optional;
import mlpcuda.run.RunSettings;
import mlpcuda.run.RunSettings.Recording;
import picocli.CommandLine.Option;

/** The options that say what a run evaluates, logs and writes. */
final class RecordingOptions {
  @Option(
      names = "--test-batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples evaluated at once. Default: the preset's.")
  private Integer testBatchSize;

  @Option(
      names = "--test-at-end",
      description =
          "Evaluate the test set once, at the end. Default: after each epoch too, in time that is"
              + " not counted as the epoch's.")
  private boolean testAtEnd;

  @Option(
      names = "--importance",
      description =
          "Measure the importance of each column of a table at the end: how much worse the test set"
              + " is answered when the column's values are permuted over its rows.")
  private boolean importance;

  @Option(
      names = "--log-interval",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Log the loss of every N-th batch. Default: 100.")
  private Integer logInterval;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for the model and the metrics. Default: runs/<time>.")
  private Path out;

  @Option(
      names = "--overwrite",
      description = "Replace a finished run that the folder of --out holds.")
  private boolean overwrite;

  @Option(
      names = "--tensorboard",
      paramLabel = "DIR",
      description = "Write losses and accuracies as TensorBoard's events into that folder too.")
  private Path tensorboard;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "STEPS",
      converter = Converters.Positive.class,
      description = "Write a checkpoint every STEPS steps too. Default: after each epoch.")
  private int checkpointEvery;

  /** The folder of the run; empty if no option names one. */
  Optional<Path> out() {
    return Optional.ofNullable(out);
  }

  boolean overwrite() {
    return overwrite;
  }

  /** The folder of TensorBoard's events; empty if none are written. */
  Optional<Path> tensorboard() {
    return Optional.ofNullable(tensorboard);
  }

  /** What the run records; the preset fills in what no option says. */
  Recording recording(RunSettings preset, boolean evaluatesTraining) {
    Recording presets = preset.recording();
    return new Recording(
        logInterval != null ? logInterval : presets.logInterval(),
        checkpointEvery,
        testBatchSize != null ? testBatchSize : presets.testBatchSize(),
        testAtEnd,
        evaluatesTraining,
        importance);
  }

  /** What a run that goes on records. */
  Recording changed(Recording former) {
    return new Recording(
        former.logInterval(),
        former.checkpointEvery(),
        former.testBatchSize(),
        former.testAtEnd() || testAtEnd,
        former.evaluatesTraining(),
        former.importance());
  }
}
