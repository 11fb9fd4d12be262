package mlpcuda.train;

/**
 * What the results on the validation set decide.
 *
 * @param monitor the measure by which an epoch is better than those before
 * @param patience the number of epochs without a better one after which the run ends; {@link
 *     #FOR_EVER} for a run that does not end so
 * @param keepBest whether the run ends with the weights of the best epoch in place of the last
 */
public record Selection(EarlyStopping.Monitor monitor, int patience, boolean keepBest) {
  /** The patience of a run that no epoch ends early. */
  public static final int FOR_EVER = 0;

  /** The selection of a run that learns to its end, and keeps its last weights. */
  public static final Selection NONE = new Selection(EarlyStopping.Monitor.LOSS, FOR_EVER, false);

  /** Checks that the patience is not negative. */
  public Selection {
    if (patience < 0) {
      throw new IllegalArgumentException("the patience must be at least 1, found " + patience);
    }
  }

  /** Whether there is anything to decide, for which a validation set is needed. */
  public boolean decides() {
    return patience > 0 || keepBest;
  }

  EarlyStopping stopping(EarlyStopping.State state) {
    return new EarlyStopping(monitor, patience == FOR_EVER ? Integer.MAX_VALUE : patience, state);
  }
}
