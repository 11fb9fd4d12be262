package mlpcuda.serve;

import mlpcuda.files.OneLine;

/**
 * Thrown for a request that is answered with an error: a status of the README's table, and one
 * line.
 */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;

  /** {@code message} is one line for {@code {"error": …}}. */
  RefusedException(int status, String message) {
    super(OneLine.of(message));
    this.status = status;
  }

  /** The answer to a request that met a bug, or a device that failed. */
  static RefusedException internal() {
    return new RefusedException(500, "internal failure: the server's terminal says which");
  }

  /** The status of HTTP. */
  int status() {
    return status;
  }
}
