package mlpcuda.compute.cuda.ptx.arithmetic;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Arithmetic on f64, rounded to nearest. */
final class DoubleOperations {
  private static final Type F64 = Type.of("f64");

  /** An operation in one lane. */
  @FunctionalInterface
  private interface Function {
    double apply(double a, double b, double c);
  }

  private DoubleOperations() {}

  /** The operation of the opcode; null if it is not arithmetic on f64. */
  static Operation find(Opcode op) {
    if (!F64.equals(op.peekType())) {
      return null;
    }
    return switch (op.name) {
      case "add" -> nearest(op, 2, false, (a, b, c) -> a + b);
      case "sub" -> nearest(op, 2, false, (a, b, c) -> a - b);
      case "mul" -> nearest(op, 2, false, (a, b, c) -> a * b);
      case "fma", "mad" -> nearest(op, 3, true, Math::fma);
      case "div" -> nearest(op, 2, true, (a, b, c) -> a / b);
      case "rcp" -> nearest(op, 1, true, (a, b, c) -> 1 / a);
      case "sqrt" -> nearest(op, 1, true, (a, b, c) -> Math.sqrt(a));
      case "min" -> exact(op, 2, (a, b, c) -> a != a ? b : b != b ? a : Math.min(a, b));
      case "max" -> exact(op, 2, (a, b, c) -> a != a ? b : b != b ? a : Math.max(a, b));
      case "abs" -> exact(op, 1, (a, b, c) -> Math.abs(a));
      case "neg" -> exact(op, 1, (a, b, c) -> -a);
      case "copysign" -> exact(op, 2, (a, b, c) -> Math.copySign(b, a));
      default -> null;
    };
  }

  private static Operation nearest(Opcode op, int sources, boolean spelled, Function f) {
    if (!op.take("rn") && spelled) {
      throw op.statement.fault("is known to the emulator with .rn alone");
    }
    return exact(op, sources, f);
  }

  private static Operation exact(Opcode op, int sources, Function f) {
    op.type();
    Lanes lanes =
        (d, a, b, c) -> {
          for (int i = 0; i < Lanes.COUNT; i++) {
            d[i] =
                Double.doubleToRawLongBits(
                    f.apply(
                        Double.longBitsToDouble(a[i]),
                        Double.longBitsToDouble(b[i]),
                        Double.longBitsToDouble(c[i])));
          }
        };
    return switch (sources) {
      case 1 -> Operation.of(lanes, F64, F64);
      case 2 -> Operation.of(lanes, F64, F64, F64);
      default -> Operation.of(lanes, F64, F64, F64, F64);
    };
  }
}
