package mlpcuda.serve;

/** A request that is answered with an error: a status of the README's table, and one line. */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;

  /** {@code message}: one line for {@code {"error": …}}. */
  RefusedException(int status, String message) {
    super(message.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?"));
    this.status = status;
  }

  /** HTTP's. */
  int status() {
    return status;
  }
}
