package mlpcuda.compute.cuda.ptx.arithmetic;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Arithmetic on f32. */
public final class FloatOperations {
  private static final Type F32 = Type.of("f32");

  /** An operation in one lane. */
  @FunctionalInterface
  private interface Function {
    float apply(float a, float b, float c);
  }

  private static final Lanes ADD =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = bits(value(a[i]) + value(b[i]));
        }
      };
  private static final Lanes SUB =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = bits(value(a[i]) - value(b[i]));
        }
      };
  private static final Lanes MUL =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = bits(value(a[i]) * value(b[i]));
        }
      };
  private static final Lanes FMA =
      (d, a, b, c) -> {
        for (int i = 0; i < Lanes.COUNT; i++) {
          d[i] = bits(Math.fma(value(a[i]), value(b[i]), value(c[i])));
        }
      };

  private FloatOperations() {}

  public static float value(long bits) {
    return Float.intBitsToFloat((int) bits);
  }

  public static long bits(float value) {
    return Float.floatToRawIntBits(value);
  }

  /** The operation of the opcode; null if it is not arithmetic on f32. */
  static Operation find(Opcode op) {
    if (!F32.equals(op.peekType())) {
      return null;
    }
    return switch (op.name) {
      case "add", "sub", "mul", "fma", "mad" -> rounded(op);
      case "div" -> quotient(op);
      case "rcp" -> roundedOrNot(op, (a, b, c) -> 1 / a, (a, b, c) -> Approximations.rcp(a));
      case "sqrt" ->
          roundedOrNot(op, (a, b, c) -> (float) Math.sqrt(a), (a, b, c) -> Approximations.sqrt(a));
      case "rsqrt" -> approximated(op, (a, b, c) -> Approximations.rsqrt(a));
      case "ex2" -> approximated(op, (a, b, c) -> Approximations.ex2(a));
      case "lg2" -> approximated(op, (a, b, c) -> Approximations.lg2(a));
      case "sin" -> approximated(op, (a, b, c) -> Approximations.sin(a));
      case "cos" -> approximated(op, (a, b, c) -> Approximations.cos(a));
      case "tanh" -> approximated(op, (a, b, c) -> Approximations.tanh(a));
      case "min" -> flushable(op, 2, (a, b, c) -> a != a ? b : b != b ? a : Math.min(a, b));
      case "max" -> flushable(op, 2, (a, b, c) -> a != a ? b : b != b ? a : Math.max(a, b));
      case "abs" -> flushable(op, 1, (a, b, c) -> Math.abs(a));
      case "neg" -> flushable(op, 1, (a, b, c) -> -a);
      case "copysign" -> {
        op.type();
        yield operation(2, (a, b, c) -> Math.copySign(b, a));
      }
      default -> null;
    };
  }

  private static Operation operation(int sources, Function f) {
    Lanes lanes =
        (d, a, b, c) -> {
          for (int i = 0; i < Lanes.COUNT; i++) {
            d[i] = bits(f.apply(value(a[i]), value(b[i]), value(c[i])));
          }
        };
    return operation(sources, lanes);
  }

  private static Operation operation(int sources, Lanes lanes) {
    return switch (sources) {
      case 1 -> Operation.of(lanes, F32, F32);
      case 2 -> Operation.of(lanes, F32, F32, F32);
      default -> Operation.of(lanes, F32, F32, F32, F32);
    };
  }

  private static Operation rounded(Opcode op) {
    op.type();
    String spelled = op.takeOneOf("rn", "rz", "rm", "rp");
    Rounding.Mode mode = Rounding.Mode.of(spelled == null ? "rn" : spelled);
    boolean fused = op.name.equals("fma") || op.name.equals("mad");
    if (fused && spelled == null) {
      throw op.statement.fault("needs .rn, .rz, .rm or .rp");
    }
    int sources = fused ? 3 : 2;
    if (mode == Rounding.Mode.NEAREST && op.left() == 0) {
      return operation(
          sources,
          switch (op.name) {
            case "add" -> ADD;
            case "sub" -> SUB;
            case "mul" -> MUL;
            default -> FMA;
          });
    }
    Function f =
        switch (op.name) {
          case "add" -> (a, b, c) -> Rounding.sum(a, b, mode);
          case "sub" -> (a, b, c) -> Rounding.sum(a, -b, mode);
          case "mul" -> (a, b, c) -> Rounding.product(a, b, mode);
          default -> (a, b, c) -> Rounding.fma(a, b, c, mode);
        };
    return modified(op, sources, f, true);
  }

  private static Operation quotient(Opcode op) {
    op.type();
    String kind = op.takeOneOf("rn", "approx", "full");
    if (kind == null) {
      throw op.statement.fault("needs .rn, .approx or .full");
    }
    return modified(
        op,
        2,
        switch (kind) {
          case "rn" -> (a, b, c) -> a / b;
          case "approx" -> (a, b, c) -> Approximations.divApprox(a, b);
          default -> (a, b, c) -> Approximations.div(a, b);
        },
        false);
  }

  private static Operation roundedOrNot(Opcode op, Function rounded, Function approximation) {
    op.type();
    String kind = op.takeOneOf("rn", "approx");
    if (kind == null) {
      throw op.statement.fault("needs .rn or .approx");
    }
    return modified(op, 1, kind.equals("rn") ? rounded : approximation, false);
  }

  private static Operation approximated(Opcode op, Function f) {
    op.type();
    if (!op.take("approx")) {
      throw op.statement.fault("needs .approx");
    }
    return modified(op, 1, f, false);
  }

  private static Operation flushable(Opcode op, int sources, Function f) {
    op.type();
    return modified(op, sources, f, false);
  }

  private static Operation modified(Opcode op, int sources, Function f, boolean saturable) {
    boolean flush = op.take("ftz");
    boolean saturate = saturable && op.take("sat");
    Function flushed =
        flush
            ? (a, b, c) ->
                Rounding.flush(f.apply(Rounding.flush(a), Rounding.flush(b), Rounding.flush(c)))
            : f;
    return operation(
        sources, saturate ? (a, b, c) -> Rounding.saturate(flushed.apply(a, b, c)) : flushed);
  }
}
