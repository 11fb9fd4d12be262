package mlpcuda.input;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A piece of a table's text that begins with a row and ends with one. */
final class CsvChunk {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long ONES = 0x0101010101010101L;
  private static final long HIGH_BITS = 0x8080808080808080L;
  private static final long QUOTES = '"' * ONES;

  private byte[] text = {};
  private int start;
  private int end;
  private boolean quoted;
  private boolean tooLong;

  /** The bytes, of which those from {@link #start} to {@link #end} are the chunk's. */
  byte[] text() {
    return text;
  }

  /** The index of the first byte. */
  int start() {
    return start;
  }

  /** The index after the last byte. */
  int end() {
    return end;
  }

  /** Whether there is a quote anywhere, in a place where it has a meaning or not. */
  boolean isQuoted() {
    return quoted;
  }

  /** Whether the chunk is the beginning of a row that is longer than rows may be. */
  boolean isTooLong() {
    return tooLong;
  }

  /** Makes room for so many bytes, and keeps those that are there. */
  byte[] reserve(int bytes) {
    if (text.length < bytes) {
      text = Arrays.copyOf(text, bytes);
    }
    return text;
  }

  /** Makes the chunk those bytes of its text. */
  void set(int from, int to) {
    start = from;
    end = to;
    quoted = hasQuote(text, from, to);
    tooLong = false;
  }

  /** Marks the chunk as the beginning of a row that is too long. */
  void setTooLong() {
    tooLong = true;
  }

  /** The number of line breaks, those within quotes too. */
  long lines() {
    return lines(text, start, end);
  }

  /** The number of line breaks; CR and LF together are one. */
  static long lines(byte[] text, int from, int to) {
    long lines = 0;
    for (int i = from; i < to; i++) {
      if (text[i] == '\n' || text[i] == '\r' && (i + 1 == to || text[i + 1] != '\n')) {
        lines++;
      }
    }
    return lines;
  }

  /** Whether a byte is a line feed or a carriage return. */
  static boolean isBreak(byte c) {
    return c <= '\r' && (c == '\n' || c == '\r');
  }

  /** The index after the line break at an index: after two bytes if it is CR and LF. */
  static int afterBreak(byte[] text, int at, int end) {
    return at + 1 < end && text[at] == '\r' && text[at + 1] == '\n' ? at + 2 : at + 1;
  }

  /** Whether any of the bytes is a quote; eight of them are looked at in one step. */
  static boolean hasQuote(byte[] text, int from, int to) {
    int at = from;
    for (; at + Long.BYTES <= to; at += Long.BYTES) {
      long difference = (long) LONGS.get(text, at) ^ QUOTES; // a quote becomes a zero byte
      if ((difference - ONES & ~difference & HIGH_BITS) != 0) {
        return true;
      }
    }
    for (; at < to; at++) {
      if (text[at] == '"') {
        return true;
      }
    }
    return false;
  }

  /**
   * The index after the line break that ends a row, in text that begins with a row.
   *
   * @param last whether the last row is wanted, else the first
   * @return -1 if no row ends in the text. A CR as the last byte ends none, as a LF may follow.
   */
  static int endOfRow(byte[] text, int from, int to, char separator, boolean last) {
    if (last && !hasQuote(text, from, to)) {
      for (int at = to - 1; at >= from; at--) {
        if (text[at] == '\n' || text[at] == '\r' && at + 1 < to) {
          return afterBreak(text, at, to);
        }
      }
      return -1;
    }
    return endOfQuotedRow(text, from, to, separator, last);
  }

  private static int endOfQuotedRow(byte[] text, int from, int to, char separator, boolean last) {
    int found = -1;
    boolean quoted = false;
    boolean opens =
        true; // whether a quote here opens a quoted cell, or reopens the one just closed
    for (int at = from; at < to; at++) {
      byte c = text[at];
      if (c == '"') {
        boolean closes = quoted;
        quoted = !quoted && opens;
        opens = closes;
      } else if (!quoted) {
        boolean ends = isBreak(c);
        opens = ends || c == separator;
        if (ends && (c == '\n' || at + 1 < to)) {
          found = afterBreak(text, at, to);
          if (!last) {
            return found;
          }
          at = found - 1;
        }
      }
    }
    return found;
  }
}
