package mlpcuda.compute.cuda.ptx.arithmetic;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** The comparisons of setp and testp. */
public final class Comparisons {
  /** A comparison of a and b, with a bit for each lane in which it holds. */
  @FunctionalInterface
  public interface Comparison {
    int lanes(long[] a, long[] b);
  }

  /** A comparison in one lane. */
  @FunctionalInterface
  private interface Test {
    boolean holds(long a, long b);
  }

  /** A comparison of floats in one lane. */
  @FunctionalInterface
  private interface FloatTest {
    boolean holds(double a, double b);
  }

  private Comparisons() {}

  /** The comparison of that name for the type; null where there is none. */
  public static Comparison find(String name, Type type, boolean flush) {
    if (type.isFloat()) {
      FloatTest test = ofFloats(name);
      return test == null ? null : ofFloats(type, flush, test);
    }
    if (type.equals(Type.of("s32"))) {
      Comparison fast = ofInts(name);
      if (fast != null) {
        return fast;
      }
    }
    Test test = type.isSigned() ? ofSigned(name) : ofUnsigned(name, type);
    return test == null ? null : each((a, b) -> test.holds(type.extend(a), type.extend(b)));
  }

  /** The result of testp. */
  public static boolean test(String kind, float x) {
    boolean subnormal = x != 0 && Math.abs(x) < Float.MIN_NORMAL;
    return switch (kind) {
      case "finite" -> Float.isFinite(x);
      case "infinite" -> Float.isInfinite(x);
      case "number" -> x == x;
      case "notanumber" -> x != x;
      case "subnormal" -> subnormal;
      default -> Float.isFinite(x) && x != 0 && !subnormal;
    };
  }

  private static Comparison each(Test test) {
    return (a, b) -> {
      int mask = 0;
      for (int i = 0; i < Lanes.COUNT; i++) {
        mask |= test.holds(a[i], b[i]) ? 1 << i : 0;
      }
      return mask;
    };
  }

  /** The comparisons of s32, which loops end with, in a faster form. */
  private static Comparison ofInts(String name) {
    return switch (name) {
      case "eq" -> (a, b) -> equal(a, b);
      case "ne" -> (a, b) -> ~equal(a, b);
      case "lt" -> (a, b) -> less(a, b);
      case "ge" -> (a, b) -> ~less(a, b);
      case "gt" -> (a, b) -> less(b, a);
      case "le" -> (a, b) -> ~less(b, a);
      default -> null;
    };
  }

  private static int less(long[] a, long[] b) {
    int mask = 0;
    for (int i = 0; i < Lanes.COUNT; i++) {
      mask |= (int) ((long) (int) a[i] - (int) b[i] >>> 63) << i;
    }
    return mask;
  }

  private static int equal(long[] a, long[] b) {
    int mask = 0;
    for (int i = 0; i < Lanes.COUNT; i++) {
      mask |= (int) a[i] == (int) b[i] ? 1 << i : 0;
    }
    return mask;
  }

  private static Test ofSigned(String name) {
    return switch (name) {
      case "eq" -> (a, b) -> a == b;
      case "ne" -> (a, b) -> a != b;
      case "lt" -> (a, b) -> a < b;
      case "le" -> (a, b) -> a <= b;
      case "gt" -> (a, b) -> a > b;
      case "ge" -> (a, b) -> a >= b;
      default -> null;
    };
  }

  private static Test ofUnsigned(String name, Type type) {
    if (type.kind() == Type.Kind.BITS && !name.equals("eq") && !name.equals("ne")) {
      return null;
    }
    return switch (name) {
      case "eq" -> (a, b) -> a == b;
      case "ne" -> (a, b) -> a != b;
      case "lt", "lo" -> (a, b) -> Long.compareUnsigned(a, b) < 0;
      case "le", "ls" -> (a, b) -> Long.compareUnsigned(a, b) <= 0;
      case "gt", "hi" -> (a, b) -> Long.compareUnsigned(a, b) > 0;
      case "ge", "hs" -> (a, b) -> Long.compareUnsigned(a, b) >= 0;
      default -> null;
    };
  }

  private static FloatTest ofFloats(String name) {
    return switch (name) {
      case "eq" -> (a, b) -> a == b;
      case "ne" -> (a, b) -> a < b || a > b;
      case "lt" -> (a, b) -> a < b;
      case "le" -> (a, b) -> a <= b;
      case "gt" -> (a, b) -> a > b;
      case "ge" -> (a, b) -> a >= b;
      case "equ" -> (a, b) -> !(a < b || a > b);
      case "neu" -> (a, b) -> a != b;
      case "ltu" -> (a, b) -> !(a >= b);
      case "leu" -> (a, b) -> !(a > b);
      case "gtu" -> (a, b) -> !(a <= b);
      case "geu" -> (a, b) -> !(a < b);
      case "num" -> (a, b) -> a == a && b == b;
      case "nan" -> (a, b) -> a != a || b != b;
      default -> null;
    };
  }

  private static Comparison ofFloats(Type type, boolean flush, FloatTest test) {
    if (type.bits() == 64) {
      return each((a, b) -> test.holds(Double.longBitsToDouble(a), Double.longBitsToDouble(b)));
    }
    return each(
        (a, b) -> {
          float x = FloatOperations.value(a);
          float y = FloatOperations.value(b);
          return flush ? test.holds(Rounding.flush(x), Rounding.flush(y)) : test.holds(x, y);
        });
  }
}
