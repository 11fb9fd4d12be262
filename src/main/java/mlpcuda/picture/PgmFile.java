package mlpcuda.picture;

import java.nio.charset.StandardCharsets;
import java.util.function.IntSupplier;
import mlpcuda.error.BadFileException;

/**
 * Parses portable grey maps, plain (P2) and raw (P5), of one image that reaches to the end of the
 * file.
 *
 * <p>Source: <a href="https://netpbm.sourceforge.net/doc/pgm.html">the PGM format</a>: magic
 * number, width, height and maximum in decimal, between white space and comments; then, after one
 * white space, rows of samples, as bytes, as two bytes (big-endian, if the maximum is above 255),
 * or in decimal.
 */
final class PgmFile {
  private static final int MAX_SAMPLE = 65_535;

  private final String name;
  private final byte[] bytes;
  private int at = 2; // after the magic number

  private PgmFile(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  /** Whether a file with these first bytes is a PGM. */
  static boolean isPgm(byte[] start) {
    return start.length >= 3
        && start[0] == 'P'
        && (start[1] == '2' || start[1] == '5')
        && (isSpace(start[2]) || start[2] == '#');
  }

  /**
   * Parses the picture and scales its levels so that the maximum becomes 255. A maximum of 65,535
   * is taken for 4095 if no sample has more than 12 bits.
   *
   * @throws BadFileException if the bytes are not exactly a PGM
   */
  static Picture parse(String name, byte[] bytes, long maxPixels) {
    return new PgmFile(name, bytes).parse(maxPixels);
  }

  private Picture parse(long maxPixels) {
    int cols = number("the width", Integer.MAX_VALUE);
    int rows = number("the height", Integer.MAX_VALUE);
    Picture.checkSize(name, rows, cols, maxPixels);
    int max = number("the maximum", MAX_SAMPLE);
    if (max == 0) {
      throw bad("the maximum must be from 1 to %d, found 0".formatted(MAX_SAMPLE));
    }
    int n = rows * cols;
    byte[] pixels = bytes[1] == '5' ? raw(n, max) : plain(n, max);
    return new Picture(name, rows, cols, pixels);
  }

  private byte[] raw(int n, int max) {
    if (at == bytes.length || !isSpace(bytes[at])) {
      throw bad("one white space must follow the maximum, found " + found());
    }
    at++;
    int width = max < 256 ? 1 : 2;
    long need = at + (long) n * width;
    if (bytes.length != need) {
      throw bad("%d samples need %d bytes, found %d".formatted(n, need, bytes.length));
    }
    return pixels(n, max, () -> width == 1 ? bytes[at++] & 0xff : next16());
  }

  private byte[] plain(int n, int max) {
    // A plain sample takes at least a digit and a white space; memory is allocated only for samples
    // that the bytes can hold.
    long need = at + 2L * n;
    if (bytes.length < need) {
      throw bad("%d samples need at least %d bytes, found %d".formatted(n, need, bytes.length));
    }
    byte[] pixels = pixels(n, max, () -> number("a sample", MAX_SAMPLE));
    skipSpace();
    if (at < bytes.length) {
      throw bad("%d samples must end the file, found %s after them".formatted(n, found()));
    }
    return pixels;
  }

  private int next16() {
    at += 2;
    return (bytes[at - 2] & 0xff) << 8 | bytes[at - 1] & 0xff;
  }

  private byte[] pixels(int n, int max, IntSupplier samples) {
    int start = at;
    int set = 0; // the bits that are set in any sample
    for (int i = 0; i < n; i++) {
      int sample = samples.getAsInt();
      if (sample > max) {
        throw bad("samples must be at most %d, found %d at index %d".formatted(max, sample, i));
      }
      set |= sample;
    }
    int white = max == MAX_SAMPLE ? (1 << GreyPixels.usedBits(set, 16, 0)) - 1 : max;
    at = start;
    byte[] pixels = new byte[n];
    for (int i = 0; i < n; i++) {
      pixels[i] = (byte) ((samples.getAsInt() * 255 + white / 2) / white);
    }
    return pixels;
  }

  /** Parses the next number, which white space or a comment must precede. */
  private int number(String what, int most) {
    int before = at;
    skipSpace();
    long value = 0;
    int start = at;
    while (at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9') {
      value = value * 10 + bytes[at++] - '0';
      if (value > most) {
        throw bad("%s must be at most %d, found more".formatted(what, most));
      }
    }
    if (at == start || start == before) {
      throw bad("%s must be a decimal number after white space, found %s".formatted(what, found()));
    }
    return (int) value;
  }

  private void skipSpace() {
    while (at < bytes.length && (isSpace(bytes[at]) || bytes[at] == '#')) {
      if (bytes[at] == '#') {
        while (at < bytes.length && bytes[at] != '\n' && bytes[at] != '\r') {
          at++;
        }
      } else {
        at++;
      }
    }
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || b >= '\t' && b <= '\r';
  }

  private String found() {
    if (at >= bytes.length) {
      return "the end";
    }
    byte b = bytes[at];
    return b > ' ' && b < 127
        ? new String(bytes, at, 1, StandardCharsets.US_ASCII)
        : "byte 0x%02x".formatted(b);
  }

  private BadFileException bad(String finding) {
    return new BadFileException(name + ": " + finding);
  }
}
