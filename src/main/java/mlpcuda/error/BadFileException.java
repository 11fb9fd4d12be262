package mlpcuda.error;

/**
 * Thrown for a data or model file that cannot be used. The message is one line that names the file,
 * what was expected and what was found; the program prints it and ends with exit code 4.
 */
public final class BadFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@code message}: one line with file, expectation and finding. */
  public BadFileException(String message) {
    super(message);
  }

  /** {@code message}: one line with file, expectation and finding; {@code cause}: what failed. */
  public BadFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
