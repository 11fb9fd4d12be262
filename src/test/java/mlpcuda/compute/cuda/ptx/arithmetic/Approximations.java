package mlpcuda.compute.cuda.ptx.arithmetic;

/**
 * The functions that PTX defines up to an error. Their results here are off by up to that error, by
 * an amount that looks random but is the same for the same argument. The results for zeros,
 * infinities and NaN are exactly as defined.
 *
 * @see <a href="https://docs.nvidia.com/cuda/parallel-thread-execution/">PTX ISA</a>
 */
final class Approximations {
  /** Half of a float's last bit, which rounding to a float adds to the error. */
  private static final double HALF_BIT = 0x1p-24;

  private Approximations() {}

  /** 2^x: relative error 2^−22. */
  static float ex2(float x) {
    if (Math.abs(x) < Float.MIN_NORMAL || Float.isNaN(x) || Float.isInfinite(x)) {
      return (float) Math.pow(2, x);
    }
    return relative(Math.pow(2, x), 0x1p-22, x);
  }

  /** log2 x: absolute error 2^−22 between 1/2 and 2, relative error 2^−22 elsewhere. */
  static float lg2(float x) {
    if (!(x > 0) || Float.isInfinite(x)) {
      return (float) Math.log(x);
    }
    double y = Math.log(x) / Math.log(2);
    return x > 0.5f && x < 2
        ? (float) (y + (0x1p-22 - HALF_BIT) * noise(x))
        : relative(y, 0x1p-22, x);
  }

  /** 1 / x: 1 ulp. */
  static float rcp(float x) {
    return lastBits(1.0 / x, 1, x);
  }

  /** Square root: relative error 2^−23. */
  static float sqrt(float x) {
    return relative(Math.sqrt(x), 0x1p-23, x);
  }

  /** 1 / square root: relative error 2^−22.9. */
  static float rsqrt(float x) {
    return x == 0 ? 1 / x : relative(1 / Math.sqrt(x), 0x1.1p-23, x);
  }

  /** a / b: 2 ulp. */
  static float div(float a, float b) {
    return lastBits((double) a / b, 2, a + 3 * b);
  }

  /** a / b: 2 ulp, and 0 for the largest b. */
  static float divApprox(float a, float b) {
    return Math.abs(b) > 0x1p126f && !Float.isInfinite(b) && !Float.isNaN(a)
        ? Float.isInfinite(a) ? Float.NaN : Math.copySign(0, a) * Math.signum(b)
        : div(a, b);
  }

  /** Hyperbolic tangent: relative error 2^−11. */
  static float tanh(float x) {
    return Float.isInfinite(x) ? Math.signum(x) : relative(Math.tanh(x), 0x1p-11, x);
  }

  /** Sine: absolute error 2^−20.9 from −π to π. */
  static float sin(float x) {
    return absolute(Math.sin(x), x);
  }

  /** Cosine: absolute error 2^−20.9 from −π to π. */
  static float cos(float x) {
    return absolute(Math.cos(x), x);
  }

  private static float lastBits(double y, int most, float x) {
    float nearest = (float) y;
    return nearest == 0 || !Float.isFinite(nearest)
        ? nearest
        : (float) (y + (most - 0.5) * Math.ulp(nearest) * noise(x));
  }

  private static float absolute(double y, float x) {
    return x == 0 || Double.isNaN(y) ? (float) y : (float) (y + 0x1p-21 * noise(x));
  }

  private static float relative(double y, double error, float x) {
    return (float) (y * (1 + (error - HALF_BIT) * noise(x)));
  }

  /** A number between −1 and 1, made of the bits of {@code x}. */
  private static double noise(float x) {
    int bits = Float.floatToIntBits(x) * 0x9E3779B9;
    bits = (bits ^ bits >>> 15) * 0x85EBCA6B;
    return (bits ^ bits >>> 13) * 0x1p-31;
  }
}
