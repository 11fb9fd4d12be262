package mlpcuda.input;

/** Thrown for a row of a table that cannot be read; the message lacks the file and the line. */
final class CsvRowException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long line;

  /**
   * Creates the exception.
   *
   * @param line the number of the line where the row begins, from 1 on, in the chunk or in the file
   * @param message what is wrong, with the column
   */
  CsvRowException(long line, String message) {
    super(message, null, false, false);
    this.line = line;
  }

  /** The number of the line where the row begins. */
  long line() {
    return line;
  }

  /** The exception for a chunk that begins after {@code lines} lines of the file. */
  CsvRowException after(long lines) {
    return new CsvRowException(lines + line, getMessage());
  }
}
