package mlpcuda.spark;

/**
 * A row that a network cannot learn from or answer. Spark repeats a failed task, which here fails
 * again; the driver then throws an exception with this message.
 */
final class BadRowException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  BadRowException(String message) {
    super(message);
  }

  /** The message of the row that made a job fail, as an exception of its own; else the failure. */
  static RuntimeException of(RuntimeException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BadRowException) {
        return new IllegalArgumentException(cause.getMessage(), failure);
      }
    }
    return failure;
  }
}
