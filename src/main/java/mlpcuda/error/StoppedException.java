package mlpcuda.error;

/**
 * Thrown when a training run was told to stop. The message names epoch and step; the program prints
 * it, releases everything and ends with the exit code of the signal.
 */
public final class StoppedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; {@code steps} is the number of steps done since the run's beginning. */
  public StoppedException(int epoch, int steps) {
    this("stopped in epoch %d, after step %d".formatted(epoch, steps));
  }

  /** Creates the exception with a message that says how far the run has come. */
  public StoppedException(String message) {
    super(message);
  }

  /** Returns a copy of this exception whose message also says how to resume the run. */
  public StoppedException resumable(String how) {
    return new StoppedException(getMessage() + "; " + how + " goes on");
  }
}
