package mlpcuda.error;

import java.util.List;

/**
 * Thrown when the losses, weights or gradients of a training run are no longer finite. The message
 * names epoch and step; the program prints it and ends with exit code 5.
 */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int epoch;
  private final int step;

  /**
   * Creates the exception for a step, which is counted from 1 at the run's beginning; {@code found}
   * is the non-finite loss before the step's update, or a non-finite weight after it.
   */
  public DivergedException(int epoch, int step, double found) {
    this(
        epoch,
        step,
        "losses and weights must be finite, found %s at epoch %d, step %d; a lower learning rate may help"
            .formatted(found, epoch, step));
  }

  /**
   * Checks weights after a step.
   *
   * @throws DivergedException if one is not finite
   */
  public static void check(List<float[]> weights, int epoch, int step) {
    for (float[] tensor : weights) {
      for (float weight : tensor) {
        if (!Float.isFinite(weight)) { // an update can make it so whose loss no step has met yet
          throw new DivergedException(epoch, step, weight);
        }
      }
    }
  }

  /**
   * Makes the exception for gradients in half precision that stay non-finite at every loss scale;
   * {@code step} is counted from 1 at the run's beginning.
   */
  public static DivergedException ofLossScale(int epoch, int step, float scale) {
    return new DivergedException(
        epoch,
        step,
        ("gradients must be finite in fp16, found others at a loss scale of %s at epoch %d, step"
                + " %d; a lower learning rate or bf16 may help")
            .formatted(scale, epoch, step));
  }

  private DivergedException(int epoch, int step, String what) {
    super("training diverged: " + what);
    this.epoch = epoch;
    this.step = step;
  }

  /** The epoch in which the run diverged, counted from 1. */
  public int epoch() {
    return epoch;
  }

  /** The step at which the run diverged, counted from 1 at the run's beginning. */
  public int step() {
    return step;
  }
}
