package mlpcuda.input;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The type of an array's elements.
 *
 * @param kind what an element is
 * @param bytes the size of an element in bytes
 * @param order the order of its bytes
 */
record NumberType(Kind kind, int bytes, ByteOrder order) {
  /** What an element is. */
  enum Kind {
    /** A truth value of one byte: 0 is false, all else true. */
    BOOLEAN,
    /** A signed integer of 1, 2, 4 or 8 bytes. */
    SIGNED,
    /** An unsigned integer of 1, 2, 4 or 8 bytes. */
    UNSIGNED,
    /** An IEEE float of 2, 4 or 8 bytes. */
    FLOAT,
    /** A text in UTF-32 that zeros fill up. */
    TEXT,
    /** A text in UTF-8 that zeros fill up. */
    BYTES
  }

  /** Unsigned bytes, such as pixels. */
  boolean isPixel() {
    return kind == Kind.UNSIGNED && bytes == 1;
  }

  boolean isInteger() {
    return kind == Kind.SIGNED || kind == Kind.UNSIGNED;
  }

  boolean isText() {
    return kind == Kind.TEXT || kind == Kind.BYTES;
  }

  /** Whether the elements lie in a file as {@link mlpcuda.features.Features} hold floats. */
  boolean isNativeFloat() {
    return kind == Kind.FLOAT && bytes == Float.BYTES && order == ByteOrder.nativeOrder();
  }

  /**
   * Returns an element that is a number; a truth value is 0 or 1. An integer of 8 bytes is rounded
   * to a double.
   *
   * @param from in this type's byte order
   * @param at the index of the element's first byte
   */
  double number(ByteBuffer from, int at) {
    if (kind == Kind.FLOAT) {
      return switch (bytes) {
        case 2 -> half(from.getShort(at));
        case 4 -> from.getFloat(at);
        default -> from.getDouble(at);
      };
    }
    long integer = integer(from, at);
    if (kind == Kind.UNSIGNED && integer < 0) { // an unsigned integer of 8 bytes, 2^63 or more
      return (integer >>> 1 | integer & 1) * 2.0;
    }
    return integer;
  }

  /** Returns an element that is an integer or a truth value; one of 2⁶³ or more is negative. */
  long integer(ByteBuffer from, int at) {
    if (kind == Kind.BOOLEAN) {
      return from.get(at) == 0 ? 0 : 1;
    }
    boolean unsigned = kind == Kind.UNSIGNED;
    return switch (bytes) {
      case 1 -> unsigned ? from.get(at) & 0xff : from.get(at);
      case 2 -> unsigned ? from.getShort(at) & 0xffff : from.getShort(at);
      case 4 -> unsigned ? from.getInt(at) & 0xffff_ffffL : from.getInt(at);
      default -> from.getLong(at);
    };
  }

  /** Returns an element that is a text, without the zeros at its end. */
  String text(ByteBuffer from, int at) {
    if (kind == Kind.BYTES) {
      int length = bytes;
      while (length > 0 && from.get(at + length - 1) == 0) {
        length--;
      }
      byte[] text = new byte[length];
      from.get(at, text);
      return new String(text, StandardCharsets.UTF_8);
    }
    var text = new StringBuilder();
    int length = bytes / Integer.BYTES;
    while (length > 0 && from.getInt(at + Integer.BYTES * (length - 1)) == 0) {
      length--;
    }
    for (int i = 0; i < length; i++) {
      int code = from.getInt(at + Integer.BYTES * i);
      text.appendCodePoint(Character.isValidCodePoint(code) ? code : 0xfffd);
    }
    return text.toString();
  }

  /** Converts an IEEE 754 binary16. */
  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    float size;
    if (exponent == 0) {
      size = fraction * 0x1p-24f;
    } else if (exponent == 0x1f) {
      size = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
    } else {
      size = Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
    }
    return bits < 0 ? -size : size;
  }
}
