package mlpcuda.compute.cuda.ptx.arithmetic;

import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Arithmetic on integers. Sums and low products need not be narrowed: their low bits are right. */
final class IntegerOperations {
  private static final Lanes ADD =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = a[i] + b[i];
        }
      };
  private static final Lanes SUB =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = a[i] - b[i];
        }
      };
  private static final Lanes MUL_LO =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = a[i] * b[i];
        }
      };
  private static final Lanes MAD_LO =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = a[i] * b[i] + c[i];
        }
      };
  private static final Lanes MUL_WIDE_S32 =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = (long) (int) a[i] * (int) b[i];
        }
      };
  private static final Lanes MUL_HI_U32 =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = (a[i] & 0xffffffffL) * (b[i] & 0xffffffffL) >>> 32;
        }
      };

  private IntegerOperations() {}

  /** The operation of the opcode; null if it is not arithmetic on integers. */
  static Operation find(Opcode op) {
    Type type = op.peekType();
    if (type == null || !type.isInteger() || type.bits() < 16) {
      return null;
    }
    return switch (op.name) {
      case "add", "sub", "div", "rem", "min", "max" -> binary(op);
      case "neg", "abs" -> unary(op);
      case "mul" -> product(op, false);
      case "mad" -> product(op, true);
      default -> null;
    };
  }

  private static Operation unary(Opcode op) {
    Type type = op.type();
    if (!type.isSigned()) {
      throw op.statement.fault("is not known to the emulator");
    }
    LongUnaryOperator f = op.name.equals("neg") ? a -> -a : Math::abs;
    return Operation.of(one(type, f), type, type);
  }

  private static Operation binary(Opcode op) {
    Type type = op.type();
    boolean signed = type.isSigned();
    Lanes lanes =
        switch (op.name) {
          case "add" -> saturated(op, type, ADD, Long::sum);
          case "sub" -> saturated(op, type, SUB, (a, b) -> a - b);
          case "min" -> two(type, signed ? Math::min : (a, b) -> below(a, b) ? a : b);
          case "max" -> two(type, signed ? Math::max : (a, b) -> below(a, b) ? b : a);
          case "div" ->
              two(type, signed ? (a, b) -> b == 0 ? -1 : a / b : IntegerOperations::divideUnsigned);
          default ->
              two(
                  type,
                  signed ? (a, b) -> b == 0 ? a : a % b : IntegerOperations::remainderUnsigned);
        };
    return Operation.of(lanes, type, type, type);
  }

  private static boolean below(long a, long b) {
    return Long.compareUnsigned(a, b) < 0;
  }

  private static long divideUnsigned(long a, long b) {
    return b == 0 ? -1 : Long.divideUnsigned(a, b);
  }

  private static long remainderUnsigned(long a, long b) {
    return b == 0 ? a : Long.remainderUnsigned(a, b);
  }

  private static Lanes saturated(Opcode op, Type type, Lanes plain, LongBinaryOperator exact) {
    if (!type.equals(Type.of("s32")) || !op.take("sat")) {
      return plain;
    }
    return two(
        type,
        (a, b) ->
            Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, exact.applyAsLong(a, b))));
  }

  private static Operation product(Opcode op, boolean sum) {
    Type type = op.type();
    String part = op.takeOneOf("lo", "hi", "wide");
    if (part == null || part.equals("wide") && type.bits() == 64) {
      throw op.statement.fault("needs .lo or .hi, or .wide for less than 64 bits");
    }
    Type result = type;
    Lanes product;
    if (part.equals("lo")) {
      product = sum ? MAD_LO : MUL_LO;
    } else if (part.equals("wide")) {
      result = Type.of((type.isSigned() ? "s" : "u") + 2 * type.bits());
      product = wide(type, sum);
    } else {
      product = high(type, sum);
    }
    return sum
        ? Operation.of(product, result, type, type, result)
        : Operation.of(product, result, type, type);
  }

  private static Lanes wide(Type type, boolean sum) {
    if (sum) {
      return three(type, (a, b) -> a * b);
    }
    return type.equals(Type.of("s32")) ? MUL_WIDE_S32 : two(type, (a, b) -> a * b);
  }

  private static Lanes high(Type type, boolean sum) {
    LongBinaryOperator high;
    if (type.bits() < 64) {
      high = (a, b) -> a * b >> type.bits();
    } else {
      high = type.isSigned() ? Math::multiplyHigh : IntegerOperations::multiplyHighUnsigned;
    }
    if (sum) {
      return three(type, high);
    }
    return type.equals(Type.of("u32")) ? MUL_HI_U32 : two(type, high);
  }

  private static long multiplyHighUnsigned(long a, long b) {
    return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
  }

  private static Lanes one(Type type, LongUnaryOperator f) {
    return (d, a, b, c) -> {
      for (int i = 0; i < Lanes.COUNT; i++) {
        d[i] = f.applyAsLong(type.extend(a[i]));
      }
    };
  }

  private static Lanes two(Type type, LongBinaryOperator f) {
    return (d, a, b, c) -> {
      for (int i = 0; i < Lanes.COUNT; i++) {
        d[i] = f.applyAsLong(type.extend(a[i]), type.extend(b[i]));
      }
    };
  }

  /** The operation f(a, b) + c. */
  private static Lanes three(Type type, LongBinaryOperator f) {
    return (d, a, b, c) -> {
      for (int i = 0; i < Lanes.COUNT; i++) {
        d[i] = f.applyAsLong(type.extend(a[i]), type.extend(b[i])) + c[i];
      }
    };
  }
}
