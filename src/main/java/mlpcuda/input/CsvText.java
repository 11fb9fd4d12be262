package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import mlpcuda.data.GzipInput;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.files.Reason;

/**
 * The text of a table, plain or gzip, which can be read several times. A pipe, which can be read
 * only once, is copied to a temporary file first.
 */
final class CsvText implements AutoCloseable {
  /** The most bytes of a row: memory must not grow with a file that has no line breaks. */
  static final int MOST_ROW_BYTES = 1 << 24;

  /** The bytes of a chunk, unless its only row is longer. */
  static final int CHUNK_BYTES = 1 << 20;

  private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  private final String name;
  private final Path file;
  private final boolean temporary;
  private final ReadingProgress progress;

  private CsvText(String name, Path file, boolean temporary, ReadingProgress progress) {
    this.name = name;
    this.file = file;
    this.temporary = temporary;
    this.progress = progress;
  }

  /**
   * The text of a file, or of standard input for {@code -}.
   *
   * @throws BadFileException if it is a folder or cannot be read
   */
  static CsvText of(Path file, ReadingProgress progress) {
    String name = InputFile.name(file);
    if (InputFile.isFolder(file)) {
      throw new BadFileException(name + ": this is a folder, not a table");
    }
    if (!InputFile.isStream(file)) {
      return new CsvText(name, file, false, progress);
    }
    try {
      Path copy = Files.createTempFile("mlp-cuda-table", ".csv");
      var text = new CsvText(name, copy, true, progress);
      try (InputStream in = GzipInput.open(file);
          OutputStream out = Files.newOutputStream(copy)) {
        in.transferTo(out);
      } catch (IOException | RuntimeException e) {
        text.close();
        throw e;
      }
      return text;
    } catch (IOException e) {
      throw Reason.unreadable(name, e);
    }
  }

  /** The name of the file, for messages. */
  String name() {
    return name;
  }

  /** Makes the exception for the whole file. */
  BadFileException bad(String finding) {
    return new BadFileException(name + ": " + finding);
  }

  /** Makes the exception for a row. */
  BadFileException bad(CsvRowException e) {
    return bad("line %,d: %s".formatted(e.line(), e.getMessage()));
  }

  /** Says that a row is too long. */
  static String tooLong(boolean quoted) {
    return "a row must have %d MiB at most, and this one is longer%s"
        .formatted(MOST_ROW_BYTES >> 20, quoted ? ": is a quote not closed?" : "");
  }

  /**
   * Returns the first bytes, at most so many, without a mark of UTF-8.
   *
   * @throws BadFileException if the file cannot be read
   */
  byte[] start(int bytes) {
    try (InputStream in = open()) {
      byte[] start = in.readNBytes(bytes);
      return Arrays.copyOfRange(start, markBytes(start, start.length), start.length);
    } catch (IOException e) {
      throw Reason.unreadable(name, e);
    }
  }

  /** Opens the uncompressed bytes. */
  InputStream open() throws IOException {
    return GzipInput.open(file);
  }

  /** The number of bytes of the file; 0 if the uncompressed ones are not as many, or not known. */
  long bytes() throws IOException {
    try (InputStream in = InputFile.open(file)) {
      return GzipInput.isGzip(in.readNBytes(2), 0) ? 0 : Files.size(file);
    }
  }

  /** Who is told how far the reading has come. */
  ReadingProgress progress() {
    return progress;
  }

  /** The length of the mark of UTF-8 at the beginning of the text: 0 or 3. */
  static int markBytes(byte[] text, int length) {
    return length >= MARK.length && Arrays.equals(text, 0, MARK.length, MARK, 0, MARK.length)
        ? MARK.length
        : 0;
  }

  @Override
  public void close() {
    if (temporary) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        file.toFile().deleteOnExit();
      }
    }
  }
}
