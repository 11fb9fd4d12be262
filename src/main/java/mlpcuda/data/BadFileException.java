package mlpcuda.data;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/**
 * A data or model file that cannot be used. The message is one line that names the file, what was
 * expected and what was found; the program prints it and ends with exit code 4.
 */
public final class BadFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@code message}: one line with file, expectation and finding. */
  public BadFileException(String message) {
    super(message);
  }

  /** That {@code file} cannot be read at all, and why. */
  public static BadFileException unreadable(Object file, IOException e) {
    String why =
        e instanceof NoSuchFileException
            ? "no such file"
            : e instanceof AccessDeniedException
                ? "cannot be read: permission denied"
                : "cannot be read: " + e.getMessage();
    return new BadFileException(file + ": " + why, e);
  }

  /** {@code message}: one line with file, expectation and finding; {@code cause}: what failed. */
  public BadFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
