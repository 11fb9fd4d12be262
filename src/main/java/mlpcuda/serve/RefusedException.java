package mlpcuda.serve;

/**
 * Thrown for a request that is answered with an error: a status of the README's table, and one
 * line.
 */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;

  /** {@code message} is one line for {@code {"error": …}}. */
  RefusedException(int status, String message) {
    super(message.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?"));
    this.status = status;
  }

  /** The status of HTTP. */
  int status() {
    return status;
  }
}
