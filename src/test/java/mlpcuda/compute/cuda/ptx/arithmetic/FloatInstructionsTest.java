package mlpcuda.compute.cuda.ptx.arithmetic;

import java.math.BigDecimal;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.ptx.kernels.InstructionCase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests arithmetic on floats and doubles, on all pairs of awkward values. */
class FloatInstructionsTest {
  private static InstructionCase one(String text, InstructionCase.FloatExpected expected) {
    return InstructionCase.ofFloats(text + " %d, %a;", 1, expected);
  }

  private static InstructionCase two(String text, InstructionCase.FloatExpected expected) {
    return InstructionCase.ofFloats(text + " %d, %a, %b;", 2, expected);
  }

  private static InstructionCase three(String text, InstructionCase.FloatExpected expected) {
    return InstructionCase.ofFloats(text + " %d, %a, %b, %c;", 3, expected);
  }

  private static float flush(float x) {
    return x > -0x1p-126f && x < 0x1p-126f ? Math.copySign(0, x) : x;
  }

  private static float saturate(float x) {
    return x >= 1 ? 1 : x > 0 ? x : 0;
  }

  static Stream<InstructionCase> floats() {
    return Stream.of(
        two("add.f32", (a, b, c) -> a + b),
        two("add.rn.f32", (a, b, c) -> a + b),
        two("add.ftz.f32", (a, b, c) -> flush(flush(a) + flush(b))),
        two("add.sat.f32", (a, b, c) -> saturate(a + b)),
        two("add.rz.f32", (a, b, c) -> directed(a, 1, b, a + b, 'z')),
        two("add.rm.f32", (a, b, c) -> directed(a, 1, b, a + b, 'm')),
        two("add.rp.f32", (a, b, c) -> directed(a, 1, b, a + b, 'p')),
        two("sub.f32", (a, b, c) -> a - b),
        two("sub.rm.f32", (a, b, c) -> directed(a, 1, -b, a - b, 'm')),
        two("mul.f32", (a, b, c) -> a * b),
        two("mul.ftz.f32", (a, b, c) -> flush(flush(a) * flush(b))),
        two("mul.ftz.sat.f32", (a, b, c) -> saturate(flush(flush(a) * flush(b)))),
        two("mul.rz.f32", (a, b, c) -> directed(a, b, Math.copySign(0, a * b), a * b, 'z')),
        three("fma.rn.f32", Math::fma),
        three("fma.rn.ftz.f32", (a, b, c) -> flush(Math.fma(flush(a), flush(b), flush(c)))),
        three("fma.rn.sat.f32", (a, b, c) -> saturate(Math.fma(a, b, c))),
        three("fma.rz.f32", (a, b, c) -> directed(a, b, c, Math.fma(a, b, c), 'z')),
        three("fma.rm.f32", (a, b, c) -> directed(a, b, c, Math.fma(a, b, c), 'm')),
        three("fma.rp.f32", (a, b, c) -> directed(a, b, c, Math.fma(a, b, c), 'p')),
        two("div.rn.f32", (a, b, c) -> a / b),
        one("rcp.rn.f32", (a, b, c) -> 1 / a),
        one("sqrt.rn.f32", (a, b, c) -> (float) Math.sqrt(a)),
        two("min.f32", (a, b, c) -> a != a ? b : b != b ? a : Math.min(a, b)),
        two("max.f32", (a, b, c) -> a != a ? b : b != b ? a : Math.max(a, b)),
        two(
            "max.ftz.f32",
            (a, b, c) -> a != a ? flush(b) : b != b ? flush(a) : Math.max(flush(a), flush(b))),
        one("abs.f32", (a, b, c) -> Math.abs(a)),
        one("neg.f32", (a, b, c) -> -a),
        one("neg.ftz.f32", (a, b, c) -> -flush(a)),
        two("copysign.f32", (a, b, c) -> Math.copySign(b, a)));
  }

  static Stream<InstructionCase> doubles() {
    return Stream.of(
        InstructionCase.ofDoubles("add.f64 %d, %a, %b;", 2, (a, b, c) -> a + b),
        InstructionCase.ofDoubles("sub.rn.f64 %d, %a, %b;", 2, (a, b, c) -> a - b),
        InstructionCase.ofDoubles("mul.f64 %d, %a, %b;", 2, (a, b, c) -> a * b),
        InstructionCase.ofDoubles("fma.rn.f64 %d, %a, %b, %c;", 3, Math::fma),
        InstructionCase.ofDoubles("div.rn.f64 %d, %a, %b;", 2, (a, b, c) -> a / b),
        InstructionCase.ofDoubles("rcp.rn.f64 %d, %a;", 1, (a, b, c) -> 1 / a),
        InstructionCase.ofDoubles("sqrt.rn.f64 %d, %a;", 1, (a, b, c) -> Math.sqrt(a)),
        InstructionCase.ofDoubles("neg.f64 %d, %a;", 1, (a, b, c) -> -a),
        InstructionCase.ofDoubles("abs.f64 %d, %a;", 1, (a, b, c) -> Math.abs(a)),
        InstructionCase.ofDoubles(
            "min.f64 %d, %a, %b;", 2, (a, b, c) -> a != a ? b : b != b ? a : Math.min(a, b)),
        InstructionCase.ofDoubles(
            "max.f64 %d, %a, %b;", 2, (a, b, c) -> a != a ? b : b != b ? a : Math.max(a, b)));
  }

  /**
   * Computes a × b + c in the direction z, m or p, by decimal numbers; {@code nearest} is its
   * nearest float.
   */
  private static float directed(float a, float b, float c, float nearest, char mode) {
    if (!Float.isFinite(a) || !Float.isFinite(b) || !Float.isFinite(c)) {
      return nearest;
    }
    BigDecimal exact = new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c));
    if (exact.signum() == 0) {
      // Zeros of both signs, or numbers that cancel, make −0 when rounded down.
      boolean cancelled = !same(a * b, c) || a * b != 0 && c != 0;
      return mode == 'm' && cancelled ? -0.0f : nearest;
    }
    boolean down = mode == 'm' || mode == 'z' && exact.signum() > 0;
    float result = exact.signum() < 0 ? -0.0f : 0.0f;
    // The nearest float is one step off at most.
    for (float x : new float[] {Math.nextDown(nearest), nearest, Math.nextUp(nearest)}) {
      int order = compare(x, exact);
      if (down && order <= 0) {
        result = x;
      } else if (!down && order >= 0) {
        return x == 0 ? result : x;
      }
    }
    return result == 0 ? Math.copySign(0, exact.signum()) : result;
  }

  private static boolean same(float a, float b) {
    return Float.floatToRawIntBits(a) == Float.floatToRawIntBits(b);
  }

  private static int compare(float x, BigDecimal exact) {
    return Float.isInfinite(x) ? (x > 0 ? 1 : -1) : new BigDecimal(x).compareTo(exact);
  }

  @ParameterizedTest
  @MethodSource({"floats", "doubles"})
  void computes(InstructionCase instruction) {
    instruction.check();
  }
}
