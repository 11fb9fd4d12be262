package mlpcuda.compute;

import java.util.Locale;

/**
 * The format to which the operands of a layer's products are rounded. Their sums, and all else that
 * a device keeps or computes, are in single precision whatever the format: the weights, the
 * optimizer's state, activations and losses.
 */
public enum Precision {
  /** Single precision: nothing is rounded. */
  FP32(23),
  /** TensorFloat-32: the range of single precision, 10 bits after the point; ties away from 0. */
  TF32(10),
  /** bfloat16: the range of single precision, 7 bits after the point; ties to even. */
  BF16(7),
  /** IEEE half precision: 10 bits after the point, finite below 65520; ties to even. */
  FP16(10);

  private static final float HALF_OVERFLOW = 65520; // from here on a half is infinite
  private static final float HALF_LEAST_NORMAL = 0x1p-14f;

  /**
   * Adding and subtracting this number rounds to a multiple of 2⁻²⁴, a subnormal half, ties to
   * even.
   */
  private static final float HALF_SUBNORMALS = 0.75f;

  private final int bits;

  Precision(int bits) {
    this.bits = bits;
  }

  /** The name on the command line and in files: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether an operand has 16 bits. */
  public boolean isHalf() {
    return this == BF16 || this == FP16;
  }

  /**
   * Whether gradients need a {@link LossScale}, as they may be too small for this format's range.
   */
  public boolean needsLossScale() {
    return this == FP16;
  }

  /** Rounds {@code x} as a device rounds an operand; NaN stays NaN, and infinity stays infinity. */
  public float round(float x) {
    if (this == FP32 || !(Math.abs(x) <= Float.MAX_VALUE)) {
      return x;
    }
    if (this == FP16) {
      float size = Math.abs(x);
      if (size >= HALF_OVERFLOW) {
        return Math.copySign(Float.POSITIVE_INFINITY, x);
      }
      if (size < HALF_LEAST_NORMAL) {
        return Math.copySign(size + HALF_SUBNORMALS - HALF_SUBNORMALS, x);
      }
    }
    int raw = Float.floatToRawIntBits(x);
    int dropped = 23 - bits;
    // the last bit kept: a tie rounds up if it is 1
    int last = this == TF32 ? 1 : raw >> dropped & 1;
    int rounded = raw + (1 << dropped - 1) - 1 + last; // carries on into the exponent
    return Float.intBitsToFloat(rounded & -1 << dropped);
  }
}
