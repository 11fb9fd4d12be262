package mlpcuda.compute.cuda.ptx.arithmetic;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tests conversions from and to tf32, bf16 and f16. The expected value is searched among all values
 * that the type has: nothing here rounds by bits.
 */
class NarrowFloatsTest {
  private enum Narrow {
    TF32("cvt.rna.tf32.f32", 8, 10, true),
    BF16("cvt.rn.bf16.f32", 8, 7, false),
    F16("cvt.rn.f16.f32", 5, 10, false);

    private final String conversion;
    private final int exponentBits;
    private final int mantissaBits;
    private final boolean tiesAway;

    Narrow(String conversion, int exponentBits, int mantissaBits, boolean tiesAway) {
      this.conversion = conversion;
      this.exponentBits = exponentBits;
      this.mantissaBits = mantissaBits;
      this.tiesAway = tiesAway;
    }

    /** The number of values from zero on, without infinity. */
    int finite() {
      return (1 << exponentBits) - 1 << mantissaBits;
    }

    /** Value {@code i} from zero on. In place of infinity it is the value that would be next. */
    double value(int i) {
      int perExponent = 1 << mantissaBits;
      int bias = (1 << exponentBits - 1) - 1;
      int exponent = i / perExponent;
      return exponent == 0
          ? Math.scalb((double) i, 1 - bias - mantissaBits)
          : Math.scalb((double) (perExponent + i % perExponent), exponent - bias - mantissaBits);
    }

    /** The number of the value that is nearest to {@code x}, which is not negative. */
    private int nearest(double x) {
      int low = 0;
      int high = finite();
      while (high - low > 1) {
        int middle = (low + high) / 2;
        if (value(middle) <= x) {
          low = middle;
        } else {
          high = middle;
        }
      }
      double over = x - value(low);
      double under = value(high) - x;
      boolean up = over > under || over == under && (tiesAway || high % 2 == 0);
      return up ? high : low;
    }

    /** The expected result for a float: its value's number with its sign, or NaN. */
    String expected(float x) {
      boolean negative = Math.copySign(1, x) < 0;
      return Float.isNaN(x) ? "NaN" : (negative ? "-" : "+") + nearest(Math.abs((double) x));
    }

    /** The value with those bits: its number with its sign, or NaN. */
    String shown(long bits) {
      int signAt = exponentBits + mantissaBits;
      int number = (int) bits & (1 << signAt) - 1;
      String sign = (bits >> signAt & 1) == 0 ? "+" : "-";
      return number > finite() ? "NaN" : sign + number;
    }

    /**
     * The test's inputs: the type's values, those halfway between two, the floats next to these,
     * and others.
     */
    List<Float> inputs() {
      List<Float> inputs = new ArrayList<>();
      int step = this == TF32 ? 61 : 3;
      for (int i = 0; i < finite(); i++) {
        boolean atAnEnd = i < 20 || Math.abs(i - (1 << mantissaBits)) < 20 || finite() - i < 20;
        if (i % step == 0 || atAnEnd) {
          float value = (float) value(i);
          float halfway = (float) ((value(i) + value(i + 1)) / 2);
          for (float x : new float[] {value, halfway}) {
            inputs.addAll(List.of(x, -x, Math.nextUp(x), -Math.nextUp(x), Math.nextDown(x)));
          }
        }
      }
      inputs.addAll(List.of(Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY));
      inputs.addAll(List.of(Float.NaN, Float.intBitsToFloat(0x7f800001)));
      Random random = new Random(7);
      for (int i = 0; i < 5000; i++) {
        inputs.add(Float.intBitsToFloat(random.nextInt()));
      }
      return inputs;
    }
  }

  private static long bits(float x) {
    return Integer.toUnsignedLong(Float.floatToRawIntBits(x));
  }

  @ParameterizedTest
  @EnumSource(Narrow.class)
  void fromFloat(Narrow type) {
    List<Float> inputs = type.inputs();
    boolean upper = type == Narrow.TF32;
    long[] results =
        Emulation.compute(
            type.conversion + " %d, %a;",
            new String[] {upper ? "b32" : "b16", "f32"},
            inputs.size(),
            i -> new long[] {bits(inputs.get(i))});
    for (int i = 0; i < results.length; i++) {
      float x = inputs.get(i);
      // A tf32 has the place of a float, with zeros in the bits that it does not have.
      assertEquals(0, upper ? results[i] & 0x1fff : 0, () -> type + " of " + x);
      String shown = type.shown(upper ? results[i] >>> 13 : results[i]);
      assertEquals(type.expected(x), shown, () -> type + " of " + x);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void twoFromFloats(Narrow type) {
    List<Float> inputs = type.inputs();
    int count = inputs.size();
    long[] results =
        Emulation.compute(
            type.conversion.replace("16.f32", "16x2.f32") + " %d, %a, %b;",
            new String[] {"b32", "f32", "f32"},
            count,
            i -> new long[] {bits(inputs.get(i)), bits(inputs.get(count - 1 - i))});
    for (int i = 0; i < count; i++) {
      float a = inputs.get(i);
      float b = inputs.get(count - 1 - i);
      String expected = type.expected(a) + " " + type.expected(b);
      assertEquals(expected, type.shown(results[i] >>> 16) + " " + type.shown(results[i]));
    }
  }

  @Test
  void fromHalf() {
    long[] results =
        Emulation.compute(
            "cvt.f32.f16 %d, %a;", new String[] {"f32", "b16"}, 1 << 16, i -> new long[] {i});
    for (int i = 0; i < results.length; i++) {
      int number = i & 0x7fff;
      int finite = Narrow.F16.finite();
      double magnitude =
          number > finite
              ? Double.NaN
              : number == finite ? Double.POSITIVE_INFINITY : Narrow.F16.value(number);
      float expected = (float) (i >= 1 << 15 ? -magnitude : magnitude);
      assertEquals(expected, Float.intBitsToFloat((int) results[i]), "half " + i);
    }
  }

  @Test
  void knownValues() {
    // The largest half, what is nearer to it than to infinity, and what is not.
    check("cvt.rn.f16.f32", "b16", 0x7bff, 65504, 65519.996f);
    check("cvt.rn.f16.f32", "b16", 0x7c00, 65520, 1e30f, Float.POSITIVE_INFINITY);
    check("cvt.rn.f16.f32", "b16", 0x0001, 0x1p-24f, 0x1.000002p-25f);
    check("cvt.rn.f16.f32", "b16", 0x8000, -0f, -0x1p-25f);
    check("cvt.rn.f16.f32", "b16", 0x0400, 0x1p-14f, 0x1.ffep-15f);
    check("cvt.rn.bf16.f32", "b16", 0x3f80, 1, 0x1.01p0f);
    check("cvt.rn.bf16.f32", "b16", 0x3f82, 0x1.03p0f, 0x1.04p0f, 0x1.05p0f);
    check("cvt.rn.bf16.f32", "b16", 0x7f80, 0x1.ffp127f, Float.MAX_VALUE);
    check("cvt.rna.tf32.f32", "b32", 0x3f802000, 0x1.002p0f, 0x1.004p0f, 0x1.005ffep0f);
    check("cvt.rna.tf32.f32", "b32", 0xbf802000, -0x1.002p0f);
    check("cvt.rna.tf32.f32", "b32", 0x7f800000, Float.MAX_VALUE, Float.POSITIVE_INFINITY);
  }

  private static void check(String conversion, String type, int expected, float... inputs) {
    long[] results =
        Emulation.compute(
            conversion + " %d, %a;",
            new String[] {type, "f32"},
            inputs.length,
            i -> new long[] {bits(inputs[i])});
    for (long result : results) {
      assertEquals(Integer.toHexString(expected), Integer.toHexString((int) result), conversion);
    }
  }
}
