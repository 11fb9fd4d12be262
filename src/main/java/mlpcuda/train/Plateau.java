package mlpcuda.train;

/**
 * The memory of {@link Schedule.ReduceOnPlateau} from epoch to epoch. An epoch is better when its
 * loss is below the best by more than a ten-thousandth of it, as with PyTorch's {@code threshold}
 * 1e-4, relative; there is no cooldown, no lowest rate and no {@code eps}.
 */
public final class Plateau {
  private static final double THRESHOLD = 1e-4;

  /**
   * The state that a run needs to go on.
   *
   * @param best the lowest loss so far; infinite before the first epoch
   * @param badEpochs the epochs since the lowest loss, or since the last reduction
   * @param factor the product of the reductions so far
   */
  public record State(double best, int badEpochs, double factor) {
    /** The state of a run that begins. */
    public static final State INITIAL = new State(Double.POSITIVE_INFINITY, 0, 1);
  }

  private final Schedule.ReduceOnPlateau schedule;
  private State state;

  /** Goes on from {@code state}. */
  public Plateau(Schedule.ReduceOnPlateau schedule, State state) {
    this.schedule = schedule;
    this.state = state;
  }

  /**
   * Notes the loss of an epoch that is done: of the validation set, or of the training set where
   * there is none. NaN is not better.
   */
  public void observe(double loss) {
    if (loss < state.best * (1 - THRESHOLD)) {
      state = new State(loss, 0, state.factor);
    } else if (state.badEpochs < schedule.patience()) {
      state = new State(state.best, state.badEpochs + 1, state.factor);
    } else {
      state = new State(state.best, 0, state.factor * schedule.factor());
    }
  }

  /** The factor of the learning rate in the next epoch. */
  public double factor() {
    return state.factor;
  }

  /** The state that a checkpoint keeps. */
  public State state() {
    return state;
  }
}
