package mlpcuda.compute.cuda.ptx;

/** What a real device would have got wrong in silence: the message says who did what, and where. */
public final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@code message}: what was done, by whom, what would have been right. */
  public Fault(String message) {
    super(message);
  }
}
