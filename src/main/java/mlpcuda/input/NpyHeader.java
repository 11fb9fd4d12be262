package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;
import mlpcuda.input.NumberType.Kind;

/**
 * The header of an array in NumPy's format, versions 1.0 to 3.0.
 *
 * <p>Source: <a
 * href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">numpy.lib.format
 * </a>: the magic string, the version in two bytes, the header's length in two bytes (from version
 * 2.0 on in four), and a Python literal, a dictionary with the keys {@code descr}, {@code
 * fortran_order} and {@code shape}.
 *
 * @param type the type of the elements
 * @param columnMajor whether the array is in Fortran's order
 * @param shape the size of each dimension
 * @param length the number of bytes before the first element
 */
record NpyHeader(NumberType type, boolean columnMajor, long[] shape, int length) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  /** The longest literal that is parsed, which is also NumPy's own limit. */
  private static final int MOST_BYTES = 10_000;

  /** The most dimensions, which is NumPy's own limit. */
  private static final int MOST_DIMENSIONS = 64;

  private static final int MOST_TEXT_BYTES = 1 << 12;

  private static final Pattern TYPE = Pattern.compile("([<>|])([a-zA-Z])(\\d{1,6})");

  /**
   * Reads a header.
   *
   * @param name the array, for messages
   * @param in the stream, which is then at the first element
   * @throws BadFileException if it is no header, or the elements are of a type that cannot be read
   */
  static NpyHeader read(String name, InputStream in) throws IOException {
    byte[] start = in.readNBytes(MAGIC.length + 2);
    if (start.length < MAGIC.length + 2
        || !Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new BadFileException(name + ": this is no NumPy array");
    }
    int version = start[MAGIC.length];
    if (version < 1 || version > 3 || start[MAGIC.length + 1] != 0) {
      throw new BadFileException(
          "%s: NumPy's format must have version 1.0, 2.0 or 3.0, found %d.%d"
              .formatted(name, version & 0xff, start[MAGIC.length + 1] & 0xff));
    }
    int sizeBytes = version == 1 ? 2 : 4;
    byte[] size = in.readNBytes(sizeBytes);
    long length = 0;
    for (int i = size.length - 1; i >= 0; i--) {
      length = length << 8 | size[i] & 0xff;
    }
    if (size.length < sizeBytes || length > MOST_BYTES) {
      throw new BadFileException(
          "%s: the header of a NumPy array may have %,d bytes at most, found %,d"
              .formatted(name, MOST_BYTES, length));
    }
    byte[] literal = in.readNBytes((int) length);
    if (literal.length < length) {
      throw new BadFileException(name + ": the file is cut off within the header of the array");
    }
    var text =
        new String(literal, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
    return new Literal(name, text).header(start.length + sizeBytes + literal.length);
  }

  /** Parses the dictionary, and nothing else that Python could write. */
  private static final class Literal {
    private final String name;
    private final String text;
    private int at;

    Literal(String name, String text) {
      this.name = name;
      this.text = text;
    }

    NpyHeader header(int length) {
      NumberType type = null;
      Boolean columnMajor = null;
      long[] shape = null;
      expect('{');
      while (!skip('}')) {
        String key = string();
        expect(':');
        if (key.equals("descr") && type == null) {
          type = type();
        } else if (key.equals("fortran_order") && columnMajor == null) {
          columnMajor = truth();
        } else if (key.equals("shape") && shape == null) {
          shape = tuple();
        } else {
          throw bad();
        }
        if (!skip(',')) {
          expect('}');
          break;
        }
      }
      skipSpace();
      if (at < text.length() || type == null || columnMajor == null || shape == null) {
        throw bad();
      }
      return new NpyHeader(type, columnMajor, shape, length);
    }

    private NumberType type() {
      skipSpace();
      if (at < text.length() && text.charAt(at) == '[') {
        throw new BadFileException(
            name + ": the array has several fields for each element; save each as its own array");
      }
      String descr = string();
      if (descr.endsWith("O")) {
        throw new BadFileException(
            name
                + ": the array holds Python objects, which are a pickle and are never run; give it a"
                + " type of numbers, or of texts for labels, before it is saved");
      }
      Matcher matcher = TYPE.matcher(descr);
      if (matcher.matches()) {
        int size = Integer.parseInt(matcher.group(3));
        Kind kind = kind(matcher.group(2).charAt(0), size);
        if (kind != null) {
          boolean big = matcher.group(1).equals(">");
          return new NumberType(
              kind,
              kind == Kind.TEXT ? Integer.BYTES * size : size,
              big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        }
      }
      throw new BadFileException(
          "%s: the elements must be integers, floats of 16, 32 or 64 bits, truth values or short"
                  .formatted(name)
              + " texts, found the type "
              + OneLine.orNothing(OneLine.start(descr, 30)));
    }

    /** Returns the kind of elements; null if it cannot be read. */
    private static Kind kind(char letter, int size) {
      boolean power = size == 1 || size == 2 || size == 4 || size == 8;
      return switch (letter) {
        case 'b' -> size == 1 ? Kind.BOOLEAN : null;
        case 'i' -> power ? Kind.SIGNED : null;
        case 'u' -> power ? Kind.UNSIGNED : null;
        case 'f' -> power && size > 1 ? Kind.FLOAT : null;
        case 'U' -> size > 0 && Integer.BYTES * size <= MOST_TEXT_BYTES ? Kind.TEXT : null;
        case 'S' -> size > 0 && size <= MOST_TEXT_BYTES ? Kind.BYTES : null;
        default -> null;
      };
    }

    private String string() {
      skipSpace();
      char quote = at < text.length() ? text.charAt(at) : 0;
      int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
      if (end < 0 || text.substring(at, end).indexOf('\\') >= 0) {
        throw bad();
      }
      String string = text.substring(at + 1, end);
      at = end + 1;
      return string;
    }

    private boolean truth() {
      skipSpace();
      for (boolean value : new boolean[] {false, true}) {
        String word = value ? "True" : "False";
        if (text.startsWith(word, at)) {
          at += word.length();
          return value;
        }
      }
      throw bad();
    }

    /** Parses a tuple of integers; {@code L} after an integer is Python 2's. */
    private long[] tuple() {
      List<Long> sizes = new ArrayList<>();
      expect('(');
      while (!skip(')')) {
        skipSpace();
        int start = at;
        while (at < text.length() && at - start < 18 && isDigit(text.charAt(at))) {
          at++;
        }
        if (at == start || sizes.size() == MOST_DIMENSIONS) {
          throw bad();
        }
        sizes.add(Long.parseLong(text, start, at, 10));
        skip('L');
        if (!skip(',')) {
          expect(')');
          break;
        }
      }
      return sizes.stream().mapToLong(Long::longValue).toArray();
    }

    private static boolean isDigit(char c) {
      return c >= '0' && c <= '9';
    }

    private void expect(char c) {
      if (!skip(c)) {
        throw bad();
      }
    }

    private boolean skip(char c) {
      skipSpace();
      boolean there = at < text.length() && text.charAt(at) == c;
      at += there ? 1 : 0;
      return there;
    }

    private void skipSpace() {
      while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
    }

    private BadFileException bad() {
      return new BadFileException(
          "%s: the header of a NumPy array must name descr, fortran_order and shape, and this one is"
                  .formatted(name)
              + " malformed at character "
              + at);
    }
  }
}
