package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Compares {@link Precision#round} with exact arithmetic on the two neighbours of a value, which
 * knows of a format no more than its bits, its range and its ties.
 */
class PrecisionTest {
  /** A format: bits after the point, the least exponent of a normal number, the largest number. */
  private record Format(int bits, int leastExponent, double largest, boolean tiesToEven) {
    static Format of(Precision precision) {
      return switch (precision) {
        case FP32 -> new Format(23, -126, Float.MAX_VALUE, true);
        case TF32 -> new Format(10, -126, 0x1.ffcp127, false);
        case BF16 -> new Format(7, -126, 0x1.fep127, true);
        case FP16 -> new Format(10, -14, 65504, true);
      };
    }

    /** The distance of neighbours around a finite number. */
    double unit(double x) {
      return Math.scalb(1.0, Math.max(Math.getExponent(x), leastExponent) - bits);
    }

    float rounded(float x) {
      if (Float.isNaN(x) || Float.isInfinite(x)) {
        return x;
      }
      double unit = unit(x);
      double size = Math.abs((double) x);
      double below = Math.floor(size / unit) * unit; // exact: a power of two
      double above = below + unit;
      // Both are exact where they are nearly equal: multiples of the last bit of a float.
      int nearer = Double.compare(size - below, above - size);
      boolean takesAbove =
          nearer > 0 || nearer == 0 && (!tiesToEven || Math.floor(size / unit) % 2 != 0);
      double result = takesAbove ? above : below;
      double finite = result > largest ? Double.POSITIVE_INFINITY : result;
      return (float) Math.copySign(finite, x);
    }
  }

  private static void check(Precision precision, Format format, float x) {
    float expected = format.rounded(x);
    float found = precision.round(x);
    assertEquals(
        Float.floatToIntBits(expected),
        Float.floatToIntBits(found),
        () -> "%s of %a: expected %a, found %a".formatted(precision, x, expected, found));
  }

  private static void checkBoth(Precision precision, Format format, float x) {
    check(precision, format, x);
    check(precision, format, -x);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void bitsOfEveryKind(Precision precision) {
    Format format = Format.of(precision);
    var random = new Random(5);
    for (int i = 0; i < 300_000; i++) {
      check(precision, format, Float.intBitsToFloat(random.nextInt()));
      checkBoth(precision, format, (float) random.nextGaussian());
      checkBoth(precision, format, Math.scalb(1 + random.nextFloat(), -10 - random.nextInt(20)));
    }
  }

  /**
   * Rounds, for every exponent, neighbours of the format, their middle, and the floats beside each.
   */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void neighboursAndTies(Precision precision) {
    Format format = Format.of(precision);
    var random = new Random(6);
    for (int exponent = -149; exponent <= 127; exponent++) {
      for (int i = 0; i < 40; i++) {
        double unit = format.unit(Math.scalb(1.0, exponent));
        double steps = Math.floor((1 + random.nextDouble()) * Math.scalb(1.0, exponent) / unit);
        for (double half : new double[] {0, 0.5, 1}) {
          float x = (float) ((steps + half) * unit);
          checkBoth(precision, format, x);
          checkBoth(precision, format, Math.nextUp(x));
          checkBoth(precision, format, Math.nextDown(x));
        }
      }
    }
    for (float x :
        new float[] {0, Float.MIN_VALUE, Float.MIN_NORMAL, Float.MAX_VALUE, Float.NaN, 65504}) {
      checkBoth(precision, format, x);
      checkBoth(precision, format, Math.nextUp(x));
      checkBoth(precision, format, Math.nextDown(x));
    }
  }

  /** Examples worked out by hand, in case the formats above are wrong as well. */
  @ParameterizedTest
  @CsvSource({
    "FP32, 0x1.fffffep0,  0x1.fffffep0",
    "TF32, 0x1.002p0,     0x1.004p0", // ties go away from 0
    "TF32, -0x1.006p0,    -0x1.008p0",
    "TF32, 0x1.001ffep0,  0x1p0",
    "FP16, 0x1.002p0,     0x1p0", // ties go to even
    "FP16, 0x1.006p0,     0x1.008p0",
    "FP16, -0x1.006p0,    -0x1.008p0",
    "FP16, 0x1.002002p0,  0x1.004p0",
    "BF16, 0x1.01p0,      0x1p0",
    "BF16, 0x1.03p0,      0x1.04p0",
    "BF16, 0x1.010002p0,  0x1.02p0",
    "FP16, 65504,         65504",
    "FP16, 65519.996,     65504",
    "FP16, 65520,         Infinity",
    "FP16, -65520,        -Infinity",
    "BF16, 65520,         65536",
    "TF32, 65520,         65536", // 0x1.ffep15 is a tie
    "FP16, 0x1p-24,       0x1p-24", // the least half
    "FP16, 0x1p-25,       0", // ties go to even here too
    "FP16, -0x1p-25,      -0.0",
    "FP16, 0x1.000002p-25, 0x1p-24",
    "FP16, 0x1.8p-24,     0x1p-23",
    "FP16, 0x1.ffep-15,   0x1p-14", // carries to the least normal half
    "FP16, 0x1.4p-24,     0x1p-24",
    "TF32, 0x1.4p-24,     0x1.4p-24",
    "TF32, 0x1.fffffep127, Infinity",
    "BF16, 0x1.fffffep127, Infinity",
    "BF16, -0x1.fffffep127, -Infinity",
    "BF16, 0x1.fefffep127, 0x1.fep127",
    "TF32, NaN,           NaN",
    "BF16, Infinity,      Infinity",
    "FP16, -Infinity,     -Infinity",
    "FP16, -0.0,          -0.0",
    "TF32, -0.0,          -0.0"
  })
  void byHand(Precision precision, float x, float expected) {
    assertEquals(expected, precision.round(x));
  }

  /**
   * NaNs of whatever bits stay NaN: none becomes an infinity or a number by losing its lower bits.
   */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void nanStaysNan(Precision precision) {
    for (int bits : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fc00000}) {
      assertTrue(Float.isNaN(precision.round(Float.intBitsToFloat(bits))), "%x".formatted(bits));
    }
  }

  @Test
  void namesAndNeeds() {
    assertEquals("tf32", Precision.TF32.label());
    assertTrue(Precision.FP16.needsLossScale());
    assertFalse(Precision.BF16.needsLossScale(), "its range is a float's");
  }
}
