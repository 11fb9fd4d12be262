package mlpcuda.input;

import java.util.Arrays;

/** A row of a table: bytes, and where its cells lie in them. The next row takes its place. */
final class CsvRow {
  /** Takes rows, one after another. */
  @FunctionalInterface
  interface Taker {
    /** Takes a row, which is not blank; returns whether more rows are wanted. */
    boolean take(CsvRow row);
  }

  private byte[] text;
  private int line;
  private int start;
  private int[] ends = new int[64]; // a cell ends there, and the next one begins a byte later
  private int columns;

  /** Begins a row without cells at an index of the text. */
  void begin(byte[] rowText, int rowLine, int rowStart) {
    text = rowText;
    line = rowLine;
    start = rowStart;
    columns = 0;
  }

  /** Finds the cells of a row without quotes; returns the index of the line break after it. */
  int split(byte separator, int end) {
    byte[] bytes = text;
    int[] found = ends;
    int at = start;
    int n = 0;
    while (true) {
      int stop = Math.min(end, at + found.length - 1 - n);
      byte c = 0;
      while (at < stop && !CsvChunk.isBreak(c = bytes[at])) {
        // Each index is written, and stays if it is a separator's. The sum is -1 for a separator,
        // and
        // its sign is added: the processor would often guess a branch wrong.
        found[n] = at;
        n += ((c ^ separator) & 0xff) - 1 >>> 31;
        at++;
      }
      if (at < stop || at == end) {
        break;
      }
      found = Arrays.copyOf(found, 2 * found.length);
    }
    found[n] = at;
    ends = found;
    columns = n + 1;
    return at;
  }

  /** Adds a cell that ends at an index of the text. */
  void addCell(int end) {
    if (columns == ends.length) {
      ends = Arrays.copyOf(ends, 2 * columns);
    }
    ends[columns++] = end;
  }

  /** The bytes of the row and of others. */
  byte[] text() {
    return text;
  }

  /** The number of the line where the row begins, from 1 on, in the chunk. */
  int line() {
    return line;
  }

  /** The number of cells. */
  int columns() {
    return columns;
  }

  /** The index of the first byte of a cell, after the spaces before it. */
  int from(int column) {
    int from = column == 0 ? start : ends[column - 1] + 1;
    int end = ends[column];
    while (from < end && text[from] == ' ') {
      from++;
    }
    return from;
  }

  /**
   * The index after the last byte of a cell, before the spaces after it.
   *
   * @param from where the cell begins
   */
  int to(int column, int from) {
    int to = ends[column];
    while (to > from && text[to - 1] == ' ') {
      to--;
    }
    return to;
  }
}
