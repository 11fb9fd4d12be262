package mlpcuda.compute.cuda.ptx.arithmetic;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** cvt: from one type to another. */
final class Conversions {
  private Conversions() {}

  /** The operation of the opcode; null if it is no conversion. */
  static Operation find(Opcode op) {
    if (!op.name.equals("cvt")) {
      return null;
    }
    Type from = op.type();
    Type to = op.type();
    if (!isNumber(from) || !isNumber(to)) {
      throw op.statement.fault("has a type that a conversion does not take");
    }
    LongUnaryOperator f;
    if (from.isFloat()) {
      f = to.isFloat() ? floatToFloat(op, from, to) : floatToInteger(op, from, to);
    } else {
      f = to.isFloat() ? integerToFloat(op, from, to) : integerToInteger(op, from, to);
    }
    Lanes lanes =
        (d, a, b, c) -> {
          for (int i = 0; i < Lanes.COUNT; i++) {
            d[i] = f.applyAsLong(a[i]);
          }
        };
    return new Operation(lanes, to, List.of(from), true);
  }

  private static boolean isNumber(Type type) {
    return type.isInteger() || type.isFloat();
  }

  private static LongUnaryOperator integerToInteger(Opcode op, Type from, Type to) {
    if (!op.take("sat")) {
      return x -> to.extend(from.extend(x));
    }
    if (from.bits() == 64 || to.bits() == 64) {
      throw op.statement.fault("is not known to the emulator");
    }
    return x -> Math.max(least(to), Math.min(most(to), from.extend(x)));
  }

  private static long least(Type type) {
    return type.isSigned() ? -1L << type.bits() - 1 : 0;
  }

  private static long most(Type type) {
    return type.isSigned() ? (1L << type.bits() - 1) - 1 : -1L >>> 64 - type.bits();
  }

  private static LongUnaryOperator integerToFloat(Opcode op, Type from, Type to) {
    String spelled = op.takeOneOf("rn", "rz", "rm", "rp");
    if (spelled == null) {
      throw op.statement.fault("needs .rn, .rz, .rm or .rp");
    }
    Rounding.Mode mode = Rounding.Mode.of(spelled);
    if (mode != Rounding.Mode.NEAREST && (from.bits() == 64 || to.bits() == 64)) {
      throw op.statement.fault("is known to the emulator with .rn alone");
    }
    if (to.bits() == 64) {
      return x -> Double.doubleToRawLongBits(toDouble(from, from.extend(x)));
    }
    if (from.bits() == 64) {
      return x -> FloatOperations.bits(toFloat(from, x));
    }
    return x -> FloatOperations.bits(Rounding.toFloat(from.extend(x), mode));
  }

  private static double toDouble(Type from, long x) {
    // For unsigned longs with the top bit set it takes the half, its last bit kept for the
    // rounding.
    return from.isSigned() || x >= 0 ? x : 2.0 * (x >>> 1 | x & 1);
  }

  private static float toFloat(Type from, long x) {
    return from.isSigned() || x >= 0 ? x : 2.0f * (x >>> 1 | x & 1);
  }

  private static double value(Type from, long bits) {
    return from.bits() == 32 ? FloatOperations.value(bits) : Double.longBitsToDouble(bits);
  }

  private static LongUnaryOperator floatToInteger(Opcode op, Type from, Type to) {
    DoubleUnaryOperator round = toWhole(op);
    if (round == null) {
      throw op.statement.fault("needs .rni, .rzi, .rmi or .rpi");
    }
    boolean flush = from.bits() == 32 && op.take("ftz");
    // Conversions to integers saturate with or without .sat.
    op.take("sat");
    return bits -> {
      double x = value(from, bits);
      double whole = round.applyAsDouble(flush ? Rounding.flush((float) x) : x);
      if (to.bits() == 64 && !to.isSigned()) {
        return whole >= 0x1p64
            ? -1
            : whole >= 0x1p63 ? (long) (whole - 0x1p63) ^ 1L << 63 : whole > 0 ? (long) whole : 0;
      }
      return Math.max(least(to), Math.min(most(to), (long) whole));
    };
  }

  /** Rounds to a whole number in the direction that the opcode names; null if it names none. */
  private static DoubleUnaryOperator toWhole(Opcode op) {
    String spelled = op.takeOneOf("rni", "rzi", "rmi", "rpi");
    if (spelled == null) {
      return null;
    }
    return switch (spelled) {
      case "rni" -> Math::rint;
      case "rmi" -> Math::floor;
      case "rpi" -> Math::ceil;
      default -> x -> x < 0 ? Math.ceil(x) : Math.floor(x);
    };
  }

  private static LongUnaryOperator floatToFloat(Opcode op, Type from, Type to) {
    boolean flush = (from.bits() == 32 || to.bits() == 32) && op.take("ftz");
    boolean saturate = op.take("sat");
    DoubleUnaryOperator whole = from.equals(to) ? toWhole(op) : null;
    Rounding.Mode mode = Rounding.Mode.NEAREST;
    if (to.bits() < from.bits()) {
      String spelled = op.takeOneOf("rn", "rz", "rm", "rp");
      if (spelled == null) {
        throw op.statement.fault("needs .rn, .rz, .rm or .rp");
      }
      mode = Rounding.Mode.of(spelled);
    }
    Rounding.Mode rounding = mode;
    return bits -> {
      double x = value(from, bits);
      x = flush && from.bits() == 32 ? Rounding.flush((float) x) : x;
      x = whole != null ? whole.applyAsDouble(x) : x;
      x = saturate ? x > 0 ? Math.min(x, 1) : 0 : x;
      if (to.bits() == 64) {
        return Double.doubleToRawLongBits(x);
      }
      float y = Rounding.toFloat(x, rounding);
      return FloatOperations.bits(flush ? Rounding.flush(y) : y);
    };
  }
}
