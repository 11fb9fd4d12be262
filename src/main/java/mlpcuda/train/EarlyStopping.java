package mlpcuda.train;

/**
 * Ends a run that no longer gets better: when {@code patience} epochs in a row brought nothing
 * better than the best before them. Any improvement counts; an equal value and NaN are not
 * improvements.
 */
public final class EarlyStopping {
  /** The measure that an epoch is judged by: the validation loss, or the validation accuracy. */
  public enum Monitor {
    /** The validation loss: lower is better. */
    LOSS,
    /** The validation accuracy: higher is better. */
    ACCURACY
  }

  /**
   * The state that a run needs to go on.
   *
   * @param best the best value so far; before there is one the worst, an infinity
   * @param bestEpoch the epoch of the best value, from 1; 0 before there is one
   * @param epochs the number of epochs observed
   */
  public record State(double best, int bestEpoch, int epochs) {
    /** The state of a run that begins. */
    public static State initial(Monitor monitor) {
      return new State(
          monitor == Monitor.LOSS ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY, 0, 0);
    }
  }

  private final Monitor monitor;
  private final int patience;
  private State state;

  /** Goes on from {@code state}; {@code patience} is in epochs, at least 1. */
  public EarlyStopping(Monitor monitor, int patience, State state) {
    if (patience < 1) {
      throw new IllegalArgumentException("patience must be from 1 on, found " + patience);
    }
    this.monitor = monitor;
    this.patience = patience;
    this.state = state;
  }

  /** Notes an epoch that is done, and returns whether the run should end. */
  public boolean observe(double loss, double accuracy) {
    int epoch = state.epochs + 1;
    boolean better =
        monitor == Monitor.LOSS ? loss < state.best : accuracy > state.best; // never so for NaN
    state =
        better
            ? new State(monitor == Monitor.LOSS ? loss : accuracy, epoch, epoch)
            : new State(state.best, state.bestEpoch, epoch);
    return stops();
  }

  /** Whether the run should end; a run that is resumed may have been at its end already. */
  public boolean stops() {
    return state.epochs - state.bestEpoch >= patience;
  }

  /** Whether the last epoch was the best so far: the one whose weights are to be kept. */
  public boolean lastWasBest() {
    return state.epochs > 0 && state.bestEpoch == state.epochs;
  }

  /** The best epoch so far, from 1; 0 before there is one. */
  public int bestEpoch() {
    return state.bestEpoch;
  }

  /** The state that a checkpoint keeps. */
  public State state() {
    return state;
  }
}
