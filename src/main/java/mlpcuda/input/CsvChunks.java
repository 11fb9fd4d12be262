package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;

/** Reads a table's text chunk by chunk. Each chunk begins with a row and ends with one. */
final class CsvChunks implements AutoCloseable {
  private final CsvText text;
  private final char separator;
  private final int chunkBytes;
  private final InputStream in;
  private final long bytes;
  private long done;
  private long lines;
  private byte[] rest = {}; // what was read and put back
  private int restAt;

  /**
   * Opens a table.
   *
   * @param chunkBytes the bytes of a chunk; a longer row makes its chunk longer
   */
  CsvChunks(CsvText text, char separator, int chunkBytes) throws IOException {
    this.text = text;
    this.separator = separator;
    this.chunkBytes = chunkBytes;
    this.bytes = text.bytes();
    this.in = text.open();
  }

  /** The number of lines that {@link #skipRow} went over. */
  long skippedLines() {
    return lines;
  }

  /** Goes over blank lines and the row after them; nothing may have been read before. */
  void skipRow() throws IOException {
    var chunk = new CsvChunk();
    if (!next(chunk) || chunk.isTooLong()) {
      return;
    }
    int from = chunk.start();
    int end = chunk.end();
    byte[] bytes = chunk.text();
    while (from < end && CsvChunk.isBreak(bytes[from])) {
      from = CsvChunk.afterBreak(bytes, from, end);
    }
    int to = CsvChunk.endOfRow(bytes, from, end, separator, false);
    to = to < 0 ? end : to;
    putBack(bytes, to, end);
    chunk.set(chunk.start(), to);
    lines = chunk.lines();
  }

  /**
   * Reads the next chunk.
   *
   * @return whether there is one
   * @throws IOException if the file cannot be read
   */
  boolean next(CsvChunk chunk) throws IOException {
    boolean first = done == 0;
    int limit = chunkBytes;
    byte[] into = chunk.reserve(limit);
    int filled = fill(into, 0, limit);
    int start = first ? CsvText.markBytes(into, filled) : 0;
    boolean wide = false;
    while (filled == limit) {
      // A chunk that had to grow gives one row alone, so that the memory for its cells has a bound.
      int end = CsvChunk.endOfRow(into, start, filled, separator, !wide);
      if (end >= 0) {
        putBack(into, end, filled);
        chunk.set(start, end);
        return true;
      }
      if (limit >= CsvText.MOST_ROW_BYTES) {
        chunk.set(start, filled);
        chunk.setTooLong();
        return true;
      }
      wide = true;
      limit = Math.min(CsvText.MOST_ROW_BYTES, 2 * limit);
      into = chunk.reserve(limit);
      filled = fill(into, filled, limit);
    }
    chunk.set(start, filled);
    return filled > start;
  }

  /** Fills bytes with those that were put back and then the file's; returns where they end. */
  private int fill(byte[] into, int from, int to) throws IOException {
    int back = Math.min(rest.length - restAt, to - from);
    System.arraycopy(rest, restAt, into, from, back);
    restAt += back;
    int read = in.readNBytes(into, from + back, to - from - back);
    if (read > 0) {
      done += read;
      text.progress().at(bytes == 0 ? done : Math.min(done, bytes), bytes);
    }
    return from + back + read;
  }

  private void putBack(byte[] from, int start, int end) {
    byte[] joined = new byte[end - start + rest.length - restAt];
    System.arraycopy(from, start, joined, 0, end - start);
    System.arraycopy(rest, restAt, joined, end - start, rest.length - restAt);
    rest = joined;
    restAt = 0;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
