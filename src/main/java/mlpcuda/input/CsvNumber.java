package mlpcuda.input;

import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;

/**
 * Reads decimal numbers from bytes. A result is the float that {@link Float#parseFloat} makes of
 * the text, bit for bit.
 */
final class CsvNumber {
  /** The largest exponent of ten that is worth a table. */
  private static final int MOST_EXPONENT = 60;

  /** 10ⁱ, each the double next to it. */
  private static final double[] POWERS =
      IntStream.rangeClosed(0, MOST_EXPONENT)
          .mapToDouble(i -> Double.parseDouble("1e" + i))
          .toArray();

  /** A long without its sign holds any number of 19 digits. */
  private static final int MOST_DIGITS = 19;

  /** The bits of a double that a float has not. */
  private static final int CUT_BITS = 0x1fffffff;

  /** The bits that are cut off a double that lies in the middle between two floats. */
  private static final int MIDDLE = 0x10000000;

  /**
   * A number of units in the last place that is greater than the error of two roundings and 10ⁱ.
   */
  private static final int ERROR = 8;

  /** Doubles between these bounds are near a float of full precision. */
  private static final double LEAST = 1.2e-38;

  private static final double GREATEST = 3.4e38;

  private CsvNumber() {}

  /**
   * Reads a number: a sign or none, digits with a decimal separator or without, an exponent or
   * none.
   *
   * @param text the bytes, of which those from {@code from} to {@code to} (exclusive) count
   * @param point the decimal separator
   * @return the number; an infinity if it is too large for a float or is the word inf or infinity;
   *     NaN if the text is no number
   */
  static float parse(byte[] text, int from, int to, byte point) {
    int at = from;
    boolean negative = at < to && text[at] == '-';
    if (negative || at < to && text[at] == '+') {
      at++;
    }
    long mantissa = 0;
    int start = at;
    char digit;
    while (at < to && (digit = (char) (text[at] - '0')) <= 9) {
      mantissa = 10 * mantissa + digit;
      at++;
    }
    int digits = at - start;
    int exponent = 0;
    if (at < to && text[at] == point) {
      start = ++at;
      while (at < to && (digit = (char) (text[at] - '0')) <= 9) {
        mantissa = 10 * mantissa + digit;
        at++;
      }
      exponent = start - at;
      digits += at - start;
    }
    if (digits == 0) {
      return infinity(text, start, to, negative);
    }
    if (at < to) {
      if ((text[at] | 0x20) != 'e' || !isExponent(text, at + 1, to)) {
        return Float.NaN;
      }
      if (to - at > 4) { // the letter, a sign and two digits
        return slow(text, from, to, point);
      }
      exponent += Integer.parseInt(text(text, at + 1, to));
    }
    if (digits > MOST_DIGITS || mantissa < 0 || Math.abs(exponent) > MOST_EXPONENT) {
      return slow(text, from, to, point);
    }
    // The double has an error of a few units in its last place: its own rounding, that of the
    // mantissa and that of the power. Rounding it to a float is right unless the middle between two
    // floats lies within that error.
    double value = exponent < 0 ? mantissa / POWERS[-exponent] : mantissa * POWERS[exponent];
    int cut = (int) Double.doubleToRawLongBits(value) & CUT_BITS;
    boolean plain = value >= LEAST && value <= GREATEST && Math.abs(cut - MIDDLE) > ERROR;
    if (!plain && mantissa != 0) {
      return slow(text, from, to, point);
    }
    return negative ? (float) -value : (float) value;
  }

  private static boolean isDigit(byte c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isExponent(byte[] text, int from, int to) {
    int at = from;
    if (at < to && (text[at] == '-' || text[at] == '+')) {
      at++;
    }
    int start = at;
    while (at < to && isDigit(text[at])) {
      at++;
    }
    return at == to && at > start;
  }

  private static float infinity(byte[] text, int from, int to, boolean negative) {
    int length = to - from;
    if (length != 3 && length != 8) {
      return Float.NaN;
    }
    String word = text(text, from, to);
    if (word.equalsIgnoreCase("inf") || word.equalsIgnoreCase("infinity")) {
      return negative ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
    }
    return Float.NaN;
  }

  private static float slow(byte[] text, int from, int to, byte point) {
    return Float.parseFloat(text(text, from, to).replace((char) point, '.'));
  }

  private static String text(byte[] text, int from, int to) {
    return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
  }
}
