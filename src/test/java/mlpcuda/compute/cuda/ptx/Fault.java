package mlpcuda.compute.cuda.ptx;

/**
 * Thrown for an error that a real device would make in silence: the message says who did what, and
 * where.
 */
public final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@code message} says what was done, by whom, and what would have been right. */
  public Fault(String message) {
    super(message);
  }
}
