package mlpcuda.files;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Files that a user names, where {@code -} stands for standard input. Standard input, pipes and
 * devices have no length and can be read only once, from their beginning to their end.
 */
public final class InputFile {
  private static final String STANDARD_INPUT = "-";

  private InputFile() {}

  /** Whether the name stands for standard input. */
  public static boolean isStandardInput(Path file) {
    return file.toString().equals(STANDARD_INPUT);
  }

  /** Returns the name of the file for messages. */
  public static String name(Path file) {
    return isStandardInput(file) ? "standard input" : file.toString();
  }

  /** Returns the path for messages: {@code standard input} in place of {@code -}. */
  public static Path forMessages(Path file) {
    return Path.of(name(file));
  }

  /**
   * Whether the path is a folder; {@code -} is always standard input, even beside a folder of that
   * name.
   */
  public static boolean isFolder(Path file) {
    return !isStandardInput(file) && Files.isDirectory(file);
  }

  /** Whether the file has no length and can be read only once. */
  public static boolean isStream(Path file) {
    return isStandardInput(file)
        || Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
  }

  /** Opens the file for reading; opening a pipe waits for the process that writes into it. */
  public static InputStream open(Path file) throws IOException {
    return new FilterInputStream(isStandardInput(file) ? System.in : Files.newInputStream(file)) {
      @Override
      public int available() { // the JDK's stream would ask a pipe for its position, and fail
        return 0;
      }
    };
  }
}
