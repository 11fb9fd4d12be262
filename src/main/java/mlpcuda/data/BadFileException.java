package mlpcuda.data;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import mlpcuda.files.Reason;

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

  /** The exception for a {@code file} that cannot be read at all, with the reason. */
  public static BadFileException unreadable(Object file, IOException e) {
    String what = e instanceof NoSuchFileException ? "" : "cannot be read: ";
    return new BadFileException(file + ": " + what + Reason.of(e), e);
  }
}
