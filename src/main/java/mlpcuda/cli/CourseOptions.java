package mlpcuda.cli;

import mlpcuda.run.RunSettings;
import mlpcuda.train.Course;
import picocli.CommandLine.Option;

/**
 * The options that say how long a run goes on, and in which batches and order it takes the
 * examples.
 */
final class CourseOptions {
  @Option(
      names = "--batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples of a training step. Default: the preset's.")
  private Integer batchSize;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      converter = Converters.NotNegative.class,
      description = "Passes over the training set; 0 evaluates the initial network.")
  private Integer epochs;

  @Option(
      names = "--max-steps",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "End training after N steps.")
  private Integer maxSteps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Converters.Whole.class,
      description =
          "Seed of the initial weights, the order of examples, dropout and the validation set."
              + " Default: 1.")
  private long seed = 1;

  @Option(
      names = "--no-shuffle",
      description = "Visit the examples in the order of the file in every epoch.")
  private boolean noShuffle;

  long seed() {
    return seed;
  }

  /** The course of the run; the preset fills in what no option says. */
  Course course(RunSettings preset) {
    Course presets = preset.course();
    return new Course(
        epochs != null ? epochs : presets.epochs(),
        maxSteps != null ? maxSteps : Course.NO_LIMIT,
        batchSize != null ? batchSize : presets.batchSize(),
        !noShuffle);
  }

  /** The course of a run that goes on, with another end if an option says so. */
  Course changed(Course former) {
    return new Course(
        epochs != null ? epochs : former.epochs(),
        maxSteps != null ? maxSteps : former.maxSteps(),
        former.batchSize(),
        former.shuffle());
  }
}
