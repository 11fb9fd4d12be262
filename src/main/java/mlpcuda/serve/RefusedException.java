package mlpcuda.serve;

import mlpcuda.files.OneLine;

/**
 * Thrown for a request that is answered with an error: a status of HTTP that is not 200, and a
 * message of one line.
 */
final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * Creates the exception; {@code message} becomes the text of {@code {"error": …}}, in one line.
   */
  RefusedException(int status, String message) {
    super(OneLine.of(message));
    this.status = status;
  }

  /** Makes the answer to a request at which the program or the device failed. */
  static RefusedException internal() {
    return new RefusedException(500, "internal failure: the server's terminal shows the reason");
  }

  /** Returns the status of HTTP. */
  int status() {
    return status;
  }
}
