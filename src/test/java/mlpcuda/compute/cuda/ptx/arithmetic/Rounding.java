package mlpcuda.compute.cuda.ptx.arithmetic;

/** Rounds results to floats in a direction, and applies .ftz and .sat. */
final class Rounding {
  /** The direction of rounding. */
  enum Mode {
    NEAREST,
    ZERO,
    DOWN,
    UP;

    /** The mode that rn, rz, rm or rp names. */
    static Mode of(String modifier) {
      return switch (modifier) {
        case "rn" -> NEAREST;
        case "rz" -> ZERO;
        case "rm" -> DOWN;
        case "rp" -> UP;
        default -> throw new IllegalArgumentException(modifier);
      };
    }
  }

  private Rounding() {}

  /** Rounds a + b. */
  static float sum(float a, float b, Mode mode) {
    return mode == Mode.NEAREST ? a + b : sum((double) a, b, mode);
  }

  /** Rounds a × b, which a double holds exactly. */
  static float product(float a, float b, Mode mode) {
    return mode == Mode.NEAREST ? a * b : round((double) a * b, 0, mode);
  }

  /** Rounds a × b + c. */
  static float fma(float a, float b, float c, Mode mode) {
    return mode == Mode.NEAREST ? Math.fma(a, b, c) : sum((double) a * b, c, mode);
  }

  /** Rounds {@code x} to a float. */
  static float toFloat(double x, Mode mode) {
    return round(x, 0, mode);
  }

  private static float sum(double a, double b, Mode mode) {
    double s = a + b;
    if (s == 0) {
      // An exact zero is negative where both are, and rounding down where one is.
      boolean bothNegative = isNegative(a) && isNegative(b);
      boolean oneNegative = isNegative(a) || isNegative(b);
      return bothNegative || oneNegative && mode == Mode.DOWN ? -0.0f : 0.0f;
    }
    // The exact part that the sum lost.
    double part = s - a;
    double lost = (a - (s - part)) + (b - part);
    return round(s, lost, mode);
  }

  private static boolean isNegative(double x) {
    return Math.copySign(1, x) < 0;
  }

  /** Rounds {@code x + rest}, where the rest is below the last bit of x. */
  private static float round(double x, double rest, Mode mode) {
    float nearest = (float) x;
    if (mode == Mode.NEAREST || Double.isNaN(x) || Double.isInfinite(x)) {
      return nearest;
    }
    double error = x - nearest == 0 ? rest : x - nearest;
    boolean down = mode == Mode.DOWN || mode == Mode.ZERO && x > 0;
    if (down && error < 0) {
      return Math.nextDown(nearest);
    }
    return !down && error > 0 ? Math.nextUp(nearest) : nearest;
  }

  /** Flushes a subnormal to zero of the same sign. */
  static float flush(float x) {
    return Math.abs(x) < Float.MIN_NORMAL ? Math.copySign(0, x) : x;
  }

  /** Clamps to 0 … 1; NaN becomes 0. */
  static float saturate(float x) {
    return x > 0 ? Math.min(x, 1) : 0;
  }
}
