package mlpcuda.train;

/**
 * How long a run goes on, and in which batches it visits the examples.
 *
 * @param epochs the number of passes over the examples, from 0
 * @param maxSteps the number of steps after which the run ends, wherever it is; {@link #NO_LIMIT}
 *     for a run that only its epochs end
 * @param batchSize the number of examples of a step; the last step of an epoch may have fewer
 * @param shuffle whether each epoch has its own order of the examples
 */
public record Course(int epochs, int maxSteps, int batchSize, boolean shuffle) {
  /** The limit of steps of a run that only its epochs end. */
  public static final int NO_LIMIT = Integer.MAX_VALUE;

  /** Checks that a batch has an example and that no number is negative. */
  public Course {
    if (epochs < 0) {
      throw new IllegalArgumentException("epochs must be at least 0, found " + epochs);
    }
    if (maxSteps < 1) {
      throw new IllegalArgumentException(
          "the limit of steps must be at least 1, found " + maxSteps);
    }
    if (batchSize < 1) {
      throw new IllegalArgumentException("the batch size must be at least 1, found " + batchSize);
    }
  }

  /** A copy with another number of epochs. */
  public Course withEpochs(int other) {
    return new Course(other, maxSteps, batchSize, shuffle);
  }

  /** A copy with another limit of steps. */
  public Course withMaxSteps(int other) {
    return new Course(epochs, other, batchSize, shuffle);
  }

  /** A copy with another number of examples of a step. */
  public Course withBatchSize(int other) {
    return new Course(epochs, maxSteps, other, shuffle);
  }

  /** A copy that visits the examples in a new order in each epoch, or in one order. */
  public Course withShuffle(boolean other) {
    return new Course(epochs, maxSteps, batchSize, other);
  }

  /** The number of batches of an epoch over {@code examples} examples, the last perhaps short. */
  public int batches(int examples) {
    return (examples - 1) / batchSize + 1;
  }

  /** The number of examples of the largest batch of {@code examples} examples. */
  public int largestBatch(int examples) {
    return Math.min(batchSize, examples);
  }

  /** Whether a run that is about to do that epoch, after so many steps, still has steps to do. */
  boolean goesOn(int epoch, int steps) {
    return epoch <= epochs && steps < maxSteps;
  }
}
