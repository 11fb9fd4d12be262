package mlpcuda.compute.cuda.ptx.arithmetic;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.kernels.InstructionCase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests functions that PTX defines up to an error: they must be within it, inexact, and repeatable.
 */
class ApproximationInstructionsTest {
  private static final int COUNT = 3000;

  private static float[] compute(String instruction, float... x) {
    long[] bits =
        Emulation.compute(
            instruction + " %d, %a;",
            new String[] {"f32", "f32"},
            x.length,
            i -> new long[] {InstructionCase.bits(x[i])});
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = InstructionCase.value(bits[i]);
    }
    return y;
  }

  private static float[] between(double low, double high) {
    float[] x = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      x[i] = (float) (low + (high - low) * (i + 0.3) / COUNT);
    }
    return x;
  }

  /**
   * Asserts that all results are within the error, as (expected, actual) measures it, and that some
   * are not the nearest floats.
   */
  private static void check(
      String instruction,
      float[] x,
      DoubleUnaryOperator exact,
      DoubleBinaryOperator error,
      double most) {
    float[] y = compute(instruction, x);
    assertArrayEquals(y, compute(instruction, x), "the same each time");
    int off = 0;
    for (int i = 0; i < x.length; i++) {
      double expected = exact.applyAsDouble(x[i]);
      double by = error.applyAsDouble(expected, y[i]);
      assertTrue(by <= most, instruction + " of " + x[i] + " is off by " + by);
      off += y[i] == (float) expected ? 0 : 1;
    }
    assertTrue(off > x.length / 20, instruction + " is too exact: " + off);
  }

  private static double relative(double expected, double actual) {
    return Math.abs(actual - expected) / Math.abs(expected);
  }

  private static double absolute(double expected, double actual) {
    return Math.abs(actual - expected);
  }

  private static double lastBits(double expected, double actual) {
    return Math.abs(actual - expected) / Math.ulp((float) expected);
  }

  @Test
  void areOffWithinTheirErrors() {
    DoubleBinaryOperator relative = ApproximationInstructionsTest::relative;
    DoubleBinaryOperator absolute = ApproximationInstructionsTest::absolute;
    DoubleBinaryOperator lastBits = ApproximationInstructionsTest::lastBits;
    DoubleUnaryOperator log2 = x -> Math.log(x) / Math.log(2);
    check("ex2.approx.ftz.f32", between(-100, 100), x -> Math.pow(2, x), relative, 0x1p-22);
    check("lg2.approx.f32", between(0.51, 1.99), log2, absolute, 0x1p-22);
    check("lg2.approx.f32", between(2.1, 1e6), log2, relative, 0x1p-22);
    check("rcp.approx.ftz.f32", between(0.1, 1e4), x -> 1 / x, lastBits, 1);
    check("sqrt.approx.f32", between(0.1, 1e4), Math::sqrt, relative, 0x1p-23);
    check(
        "rsqrt.approx.f32", between(0.1, 1e4), x -> 1 / Math.sqrt(x), relative, Math.pow(2, -22.9));
    check("sin.approx.f32", between(-3.1, 3.1), Math::sin, absolute, Math.pow(2, -20.5));
    check("cos.approx.f32", between(-3.1, 3.1), Math::cos, absolute, Math.pow(2, -20.5));
    check("tanh.approx.f32", between(-3, 3), Math::tanh, relative, 0x1p-11);
    check("div.full.f32 %d, 0f40400000, %a; //", between(0.1, 9), x -> 3 / x, lastBits, 2);
    check("div.approx.f32 %d, 0f40400000, %a; //", between(0.1, 9), x -> 3 / x, lastBits, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "ex2.approx.f32, 1, 1, Infinity, 0, 1",
    "ex2.approx.ftz.f32, 1, 1, Infinity, 0, 1",
    "lg2.approx.ftz.f32, -Infinity, -Infinity, Infinity, NaN, -Infinity",
    "rcp.approx.ftz.f32, Infinity, -Infinity, 0, -0, Infinity",
    "sqrt.approx.ftz.f32, 0, -0, Infinity, NaN, 0",
    "rsqrt.approx.ftz.f32, Infinity, -Infinity, 0, NaN, Infinity",
    "sin.approx.ftz.f32, 0, -0, NaN, NaN, 0",
    "cos.approx.ftz.f32, 1, 1, NaN, NaN, 1",
    "tanh.approx.f32, 0, -0, 1, -1, 1e-40"
  })
  void areExactWhereTheyMustBe(
      String instruction, float zero, float minusZero, float infinity, float minus, float tiny) {
    float inf = Float.POSITIVE_INFINITY;
    float[] y = compute(instruction, 0, -0.0f, inf, -inf, Float.NaN);
    assertArrayEquals(new float[] {zero, minusZero, infinity, minus, Float.NaN}, y);
    assertEquals(tiny, compute(instruction, 1e-40f)[0], 1e-43f);
  }

  @Test
  void exponentialsOfLargeNumbers() {
    float[] y = compute("ex2.approx.ftz.f32", 200, -200, -127.5f);
    assertArrayEquals(new float[] {Float.POSITIVE_INFINITY, 0, 0}, y);
    assertEquals(Math.pow(2, -127.5), compute("ex2.approx.f32", -127.5f)[0], 1e-44);
  }

  @Test
  void quotientsByTheLargestNumbers() {
    String divide = "div.approx.f32 %d, %a, 0f7F000000; //";
    float[] y = compute(divide, 1, -1e30f, Float.POSITIVE_INFINITY);
    assertArrayEquals(new float[] {0, -0.0f, Float.NaN}, y);
  }
}
