package mlpcuda.train;

/**
 * A training run whose losses or weights are no longer finite. The message names epoch and step;
 * the program prints it and ends with exit code 5.
 */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int epoch;
  private final int step;

  /**
   * {@code step}: its number from the run's beginning, from 1; {@code found}: the loss before its
   * update, or a weight after it.
   */
  public DivergedException(int epoch, int step, double found) {
    super(
        ("training diverged: losses and weights must be finite, found %s at epoch %d, step %d;"
                + " a lower --lr may help")
            .formatted(found, epoch, step));
    this.epoch = epoch;
    this.step = step;
  }

  /** The epoch, from 1. */
  public int epoch() {
    return epoch;
  }

  /** The step from the run's beginning, from 1. */
  public int step() {
    return step;
  }
}
