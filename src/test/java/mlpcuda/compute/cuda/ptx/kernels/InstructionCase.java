package mlpcuda.compute.cuda.ptx.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.IntFunction;
import mlpcuda.compute.cuda.ptx.parse.Type;

/**
 * An instruction and its expected results, on all combinations of values of its types.
 *
 * @param text the instruction, with %d, %a, %b and %c as operands
 * @param types the types of these operands
 * @param expected computes the bits of d from those of a, b and c, as their types extend them
 */
public record InstructionCase(String text, String[] types, Expected expected) {
  /** Computes the expected result of an instruction. */
  @FunctionalInterface
  public interface Expected {
    public long of(long a, long b, long c);
  }

  private static final long[] INTEGERS = {
    0,
    1,
    -1,
    2,
    5,
    -7,
    31,
    32,
    33,
    64,
    255,
    0x7fff,
    0x8000,
    0xdeadbeef,
    0x7fffffffL,
    0x80000000L,
    0x80000001L,
    0xffffffffL,
    0x123456789abcdef0L,
    Long.MIN_VALUE,
    Long.MAX_VALUE
  };
  private static final double[] FLOATS = {
    0,
    -0.0,
    1,
    -1,
    0.5,
    -2.5,
    3.5,
    0.1,
    16777217,
    -3e9,
    5e9,
    1e-20,
    1e-40,
    -1.5e-45,
    1.1754944e-38,
    3.4028235e38,
    -3.4e38,
    1e300,
    Math.PI,
    Double.MAX_VALUE,
    Double.MIN_VALUE,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY
  };

  public static InstructionCase of(String text, String types, Expected expected) {
    return new InstructionCase(text, types.split(" "), expected);
  }

  /** A case on floats. */
  public static InstructionCase ofFloats(String text, int sources, FloatExpected expected) {
    String types = "f32" + " f32".repeat(sources);
    return of(text, types, (a, b, c) -> bits(expected.of(value(a), value(b), value(c))));
  }

  /** Computes the expected result of an instruction on floats. */
  @FunctionalInterface
  public interface FloatExpected {
    public float of(float a, float b, float c);
  }

  /** A case on doubles. */
  public static InstructionCase ofDoubles(String text, int sources, DoubleExpected expected) {
    String types = "f64" + " f64".repeat(sources);
    return of(
        text,
        types,
        (a, b, c) ->
            Double.doubleToRawLongBits(
                expected.of(
                    Double.longBitsToDouble(a),
                    Double.longBitsToDouble(b),
                    Double.longBitsToDouble(c))));
  }

  /** Computes the expected result of an instruction on doubles. */
  @FunctionalInterface
  public interface DoubleExpected {
    public double of(double a, double b, double c);
  }

  public static float value(long bits) {
    return Float.intBitsToFloat((int) bits);
  }

  public static long bits(float value) {
    return Float.floatToRawIntBits(value);
  }

  private static long[] values(Type type) {
    if (!type.isFloat()) {
      return INTEGERS;
    }
    long[] values = new long[FLOATS.length];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          type.bits() == 32 ? bits((float) FLOATS[i]) : Double.doubleToRawLongBits(FLOATS[i]);
    }
    return values;
  }

  public void check() {
    Type[] known = new Type[types.length];
    int cases = 1;
    for (int i = 0; i < types.length; i++) {
      known[i] = Type.of(types[i]);
      cases *= i == 0 ? 1 : values(known[i]).length;
    }
    IntFunction<long[]> inputs =
        index -> {
          long[] operands = new long[3];
          int rest = index;
          for (int i = 1; i < known.length; i++) {
            long[] values = values(known[i]);
            operands[i - 1] = known[i].extend(values[rest % values.length]);
            rest /= values.length;
          }
          return operands;
        };
    long[] results = Emulation.compute(text, types, cases, inputs);
    for (int i = 0; i < cases; i++) {
      long[] x = inputs.apply(i);
      String expected = shown(known[0], expected().of(x[0], x[1], x[2]));
      assertEquals(
          expected,
          shown(known[0], results[i]),
          () ->
              text
                  + " of "
                  + Long.toHexString(x[0])
                  + " "
                  + Long.toHexString(x[1])
                  + " "
                  + Long.toHexString(x[2]));
    }
  }

  /** Formats a value of the type, all NaNs alike. */
  private static String shown(Type type, long bits) {
    if (!type.isFloat()) {
      return Long.toHexString(new Type(Type.Kind.BITS, type.bits()).extend(bits));
    }
    return type.bits() == 32
        ? Float.toString(value(bits))
        : Double.toString(Double.longBitsToDouble(bits));
  }

  @Override
  public String toString() {
    return text;
  }
}
