package mlpcuda.compute.cuda.ptx.arithmetic;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Opcode;
import mlpcuda.compute.cuda.ptx.parse.Type;

/** Floats of fewer bits, as tensor cores take them: tf32, bf16 and f16 (half). */
public final class NarrowFloats {
  private static final Type B16 = Type.of("b16");
  private static final Type B32 = Type.of("b32");
  private static final Type F32 = Type.of("f32");

  /** The bits of a float that a tf32 does not have. */
  public static final int BELOW_TF32 = 0x1fff;

  /** NaN as GPUs write it. The NaN of a tf32 has none of the bits that a tf32 does not have. */
  private static final int NAN_16 = 0x7fff;

  private static final int NAN_TF32 = 0x7fffffff & ~BELOW_TF32;

  private static final int INFINITY = 0x7f800000;

  private NarrowFloats() {}

  /** The operation of the opcode; null if it is no conversion from or to one of these types. */
  static Operation find(Opcode op) {
    if (!op.name.equals("cvt")) {
      return null;
    }
    if (op.takeAll("rn.f16.f32")) {
      return Operation.of(narrow(NarrowFloats::toHalf), B16, F32);
    }
    if (op.takeAll("f32.f16")) {
      return Operation.of(narrow(x -> Float.floatToRawIntBits(ofHalf(x))), F32, B16);
    }
    if (op.takeAll("rn.bf16.f32")) {
      op.requireTarget(80);
      return Operation.of(narrow(NarrowFloats::toBrain), B16, F32);
    }
    if (op.takeAll("rna.tf32.f32")) {
      op.requireTarget(80);
      return Operation.of(narrow(NarrowFloats::toTf32), B32, F32);
    }
    if (op.takeAll("rn.f16x2.f32")) {
      op.requireTarget(80);
      return Operation.of(pair(NarrowFloats::toHalf), B32, F32, F32);
    }
    if (op.takeAll("rn.bf16x2.f32")) {
      op.requireTarget(80);
      return Operation.of(pair(NarrowFloats::toBrain), B32, F32, F32);
    }
    return null;
  }

  /** A conversion from the bits of one type to those of another. */
  @FunctionalInterface
  private interface Conversion {
    int apply(int bits);
  }

  private static Lanes narrow(Conversion f) {
    return (d, a, b, c) -> {
      for (int i = 0; i < Lanes.COUNT; i++) {
        d[i] = f.apply((int) a[i]);
      }
    };
  }

  /** The conversion of two sources, of which the first goes to the upper half. */
  private static Lanes pair(Conversion f) {
    return (d, a, b, c) -> {
      for (int i = 0; i < Lanes.COUNT; i++) {
        d[i] = f.apply((int) a[i]) << 16 | f.apply((int) b[i]);
      }
    };
  }

  /** Converts to the nearest half, to the even one of two. */
  private static int toHalf(int bits) {
    float x = Math.abs(Float.intBitsToFloat(bits));
    int sign = bits >>> 16 & 0x8000;
    if (Float.isNaN(x)) {
      return NAN_16;
    }
    if (x >= 65520) {
      return sign | 0x7c00;
    }
    if (x < 0x1p-14f) {
      // Subnormal halves are multiples of 2^-24; the one after the last is the first normal.
      return sign | (int) Math.rint(x * 0x1p24);
    }
    // The exponent's bias is 112 less, and 13 bits go.
    int rebiased = (bits & 0x7fffffff) - (112 << 23);
    return sign | rebiased + 0xfff + (rebiased >> 13 & 1) >> 13;
  }

  /** Converts to the nearest bf16, to the even one of two. */
  private static int toBrain(int bits) {
    if (isNaN(bits)) {
      return NAN_16;
    }
    // A carry into the exponent is right, up to infinity.
    return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
  }

  /**
   * Converts to the nearest tf32, to the one farther from zero of two, with zeros in the bits below
   * it.
   */
  private static int toTf32(int bits) {
    if (isNaN(bits)) {
      return NAN_TF32;
    }
    return bits + (BELOW_TF32 + 1 >> 1) & ~BELOW_TF32;
  }

  private static boolean isNaN(int bits) {
    return (bits & 0x7fffffff) > INFINITY;
  }

  /** The value of the half in the lower 16 bits, exactly. */
  public static float ofHalf(int bits) {
    int magnitude = bits & 0x7fff;
    float x =
        magnitude < 0x7c00
            // As exponent and mantissa of a float, these are 2^112 times too small.
            ? Float.intBitsToFloat(magnitude << 13) * 0x1p112f
            : Float.intBitsToFloat(INFINITY | magnitude << 13);
    return (bits & 0x8000) == 0 ? x : -x;
  }

  /** The value of the bf16 in the lower 16 bits, exactly. */
  public static float ofBrain(int bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
