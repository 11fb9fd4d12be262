package mlpcuda.error;

/**
 * Thrown for a data or model file that cannot be used. The message is one line that names the file,
 * what was expected and what was found; the program prints it and ends with exit code 4.
 */
public final class BadFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception; {@code message} is one line that names the file, what was expected and
   * what was found.
   */
  public BadFileException(String message) {
    super(message);
  }

  /**
   * Creates the exception; {@code message} is as above, and {@code cause} is the failure behind it.
   */
  public BadFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
