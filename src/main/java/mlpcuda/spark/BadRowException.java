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

  /** The exception of a row that the library refuses, which says why. */
  static BadRowException of(IllegalArgumentException refused) {
    if (refused instanceof BadRowException bad) {
      return bad;
    }
    var bad = new BadRowException(refused.getMessage());
    bad.initCause(refused);
    return bad;
  }
}
