package mlpcuda.compute.cuda.ptx.parse;

import java.util.Map;
import java.util.TreeMap;

/** A type of PTX: what the bits of an operand mean, and how many there are. */
public record Type(Kind kind, int bits) {
  /** The meaning of bits. */
  public enum Kind {
    SIGNED,
    UNSIGNED,
    FLOAT,
    BITS,
    PREDICATE
  }

  private static final Map<String, Type> KNOWN = new TreeMap<>();

  static {
    for (int bits : new int[] {8, 16, 32, 64}) {
      KNOWN.put("s" + bits, new Type(Kind.SIGNED, bits));
      KNOWN.put("u" + bits, new Type(Kind.UNSIGNED, bits));
      KNOWN.put("b" + bits, new Type(Kind.BITS, bits));
    }
    KNOWN.put("f32", new Type(Kind.FLOAT, 32));
    KNOWN.put("f64", new Type(Kind.FLOAT, 64));
    KNOWN.put("pred", new Type(Kind.PREDICATE, 1));
  }

  /** The type of that name without its dot; null if the emulator knows none. */
  public static Type of(String name) {
    return KNOWN.get(name);
  }

  public int bytes() {
    return bits / 8;
  }

  public boolean isFloat() {
    return kind == Kind.FLOAT;
  }

  public boolean isSigned() {
    return kind == Kind.SIGNED;
  }

  public boolean isInteger() {
    return kind == Kind.SIGNED || kind == Kind.UNSIGNED;
  }

  /** Extends a value of this type, whose upper bits may be anything, to a long. */
  public long extend(long value) {
    int unused = 64 - bits;
    return isSigned() ? value << unused >> unused : value << unused >>> unused;
  }
}
