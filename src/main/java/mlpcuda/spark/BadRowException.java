package mlpcuda.spark;

import mlpcuda.error.DivergedException;

/**
 * A row that a network cannot learn from or answer. Spark repeats a failed task, which here fails
 * again; the driver then throws an exception with this message.
 */
final class BadRowException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  BadRowException(String message) {
    super(message);
  }

  /**
   * The message of the row that made a job fail, as an exception of its own, or the divergence that
   * did. Any other failure is thrown as it is, although a failed job's is checked: Spark's methods
   * do not declare it, and so no caller can expect it to be wrapped.
   */
  @SuppressWarnings("unchecked")
  static <E extends Exception> RuntimeException of(Exception failure) throws E {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BadRowException) {
        return new IllegalArgumentException(cause.getMessage(), failure);
      }
      if (cause instanceof DivergedException diverged) {
        return diverged;
      }
    }
    throw (E) failure;
  }
}
