package mlpcuda.conformance;

/** Thrown when an operation wrote where it must not: into an input, or beside a buffer. */
final class DamageException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String buffer;

  DamageException(String buffer, String message) {
    super(message);
    this.buffer = buffer;
  }

  /** The name of the buffer that was damaged. */
  String buffer() {
    return buffer;
  }
}
