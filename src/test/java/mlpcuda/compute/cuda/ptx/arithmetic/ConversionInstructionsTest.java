package mlpcuda.compute.cuda.ptx.arithmetic;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.ptx.kernels.InstructionCase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests conversions and moves between types, on awkward values. */
class ConversionInstructionsTest {
  private static InstructionCase of(String text, String types, InstructionCase.Expected expected) {
    return InstructionCase.of(text, types, expected);
  }

  private static float value(long bits) {
    return InstructionCase.value(bits);
  }

  private static long bits(float value) {
    return InstructionCase.bits(value);
  }

  private static double asDouble(long bits) {
    return Double.longBitsToDouble(bits);
  }

  private static long bitsOf(double value) {
    return Double.doubleToRawLongBits(value);
  }

  /** Rounds to a whole number between the least and the most; 0 for NaN. */
  private static long whole(double x, RoundingMode mode, BigInteger least, BigInteger most) {
    if (Double.isNaN(x)) {
      return 0;
    }
    if (Double.isInfinite(x)) {
      return (x > 0 ? most : least).longValue();
    }
    BigInteger whole = new BigDecimal(x).setScale(0, mode).toBigInteger();
    return whole.max(least).min(most).longValue();
  }

  private static long toInt(double x, RoundingMode mode) {
    return whole(
        x, mode, BigInteger.valueOf(Integer.MIN_VALUE), BigInteger.valueOf(Integer.MAX_VALUE));
  }

  private static long toUnsigned(double x, int bits) {
    BigInteger most = BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE);
    return whole(x, RoundingMode.DOWN, BigInteger.ZERO, most);
  }

  static Stream<InstructionCase> integers() {
    return Stream.of(
        of("cvt.s64.s32 %d, %a;", "s64 s32", (a, b, c) -> a),
        of("cvt.u64.u32 %d, %a;", "u64 u32", (a, b, c) -> a),
        of("cvt.u32.u64 %d, %a;", "u32 u64", (a, b, c) -> a),
        of("cvt.u16.u32 %d, %a;", "u16 u32", (a, b, c) -> a),
        of("cvt.u32.u16 %d, %a;", "u32 u16", (a, b, c) -> a),
        of("cvt.s32.s16 %d, %a;", "s32 s16", (a, b, c) -> a),
        of("cvt.s32.s8 %d, %a;", "s32 u32", (a, b, c) -> (byte) a),
        of("cvt.u64.u16 %d, %a;", "u64 u16", (a, b, c) -> a),
        of("cvt.sat.u8.s32 %d, %a;", "u32 s32", (a, b, c) -> Math.max(0, Math.min(255, a))),
        of("cvt.sat.s16.s32 %d, %a;", "s16 s32", (a, b, c) -> Math.max(-32768, Math.min(32767, a))),
        of("mov.u64 %d, %a;", "u64 u64", (a, b, c) -> a),
        of("mov.b64 %d, {%a, %b};", "b64 b32 b32", (a, b, c) -> b << 32 | a),
        of("mov.b32 %d, {%a, %b};", "b32 b16 b16", (a, b, c) -> b << 16 | a),
        of("mov.b64 {%r9, %d}, %a;", "b32 b64", (a, b, c) -> a >>> 32),
        of("mov.b64 {%d, _}, %a;", "b32 b64", (a, b, c) -> a),
        of("mov.b32 %d, %a;", "b32 f32", (a, b, c) -> a),
        of("selp.b32 %d, %a, %b, %p1;", "b32 b32 b32", (a, b, c) -> b),
        of("selp.b32 %d, %a, %b, !%p1;", "b32 b32 b32", (a, b, c) -> a),
        of("slct.b32.s32 %d, %a, %b, %c;", "b32 b32 b32 s32", (a, b, c) -> c >= 0 ? a : b));
  }

  static Stream<InstructionCase> floats() {
    return Stream.of(
        of("cvt.rn.f32.s32 %d, %a;", "f32 s32", (a, b, c) -> bits((int) a)),
        of(
            "cvt.rn.f32.u32 %d, %a;",
            "f32 u32", (a, b, c) -> bits(BigInteger.valueOf(a).floatValue())),
        of("cvt.rz.f32.u32 %d, %a;", "f32 u32", (a, b, c) -> bits(down(a))),
        of("cvt.rn.f32.u16 %d, %a;", "f32 u16", (a, b, c) -> bits(a)),
        of("cvt.rn.f32.u8 %d, %a;", "f32 u16", (a, b, c) -> bits(a & 255)),
        of("cvt.rn.f32.s64 %d, %a;", "f32 s64", (a, b, c) -> bits(a)),
        of("cvt.rn.f32.u64 %d, %a;", "f32 u64", (a, b, c) -> bits(big(a).floatValue())),
        of("cvt.rn.f64.u64 %d, %a;", "f64 u64", (a, b, c) -> bitsOf(big(a).doubleValue())),
        of("cvt.rn.f64.s32 %d, %a;", "f64 s32", (a, b, c) -> bitsOf(a)),
        of("cvt.f64.f32 %d, %a;", "f64 f32", (a, b, c) -> bitsOf(value(a))),
        of("cvt.rn.f32.f64 %d, %a;", "f32 f64", (a, b, c) -> bits((float) asDouble(a))),
        of("cvt.rzi.s32.f32 %d, %a;", "s32 f32", (a, b, c) -> toInt(value(a), RoundingMode.DOWN)),
        of(
            "cvt.rni.s32.f32 %d, %a;",
            "s32 f32", (a, b, c) -> toInt(value(a), RoundingMode.HALF_EVEN)),
        of("cvt.rmi.s32.f32 %d, %a;", "s32 f32", (a, b, c) -> toInt(value(a), RoundingMode.FLOOR)),
        of(
            "cvt.rpi.ftz.s32.f32 %d, %a;",
            "s32 f32", (a, b, c) -> toInt(Rounding.flush(value(a)), RoundingMode.CEILING)),
        of("cvt.rzi.u32.f32 %d, %a;", "u32 f32", (a, b, c) -> toUnsigned(value(a), 32)),
        of("cvt.rzi.u32.f64 %d, %a;", "u32 f64", (a, b, c) -> toUnsigned(asDouble(a), 32)),
        of("cvt.rzi.u64.f64 %d, %a;", "u64 f64", (a, b, c) -> toUnsigned(asDouble(a), 64)),
        of("cvt.rzi.u8.f32 %d, %a;", "u16 f32", (a, b, c) -> toUnsigned(value(a), 8)),
        of("cvt.rzi.s64.f64 %d, %a;", "s64 f64", (a, b, c) -> (long) asDouble(a)),
        of("cvt.rni.f32.f32 %d, %a;", "f32 f32", (a, b, c) -> bits((float) Math.rint(value(a)))),
        of("cvt.rmi.f32.f32 %d, %a;", "f32 f32", (a, b, c) -> bits((float) Math.floor(value(a)))),
        of("cvt.rpi.f32.f32 %d, %a;", "f32 f32", (a, b, c) -> bits((float) Math.ceil(value(a)))),
        of(
            "cvt.rzi.f32.f32 %d, %a;",
            "f32 f32",
            (a, b, c) -> bits((float) (value(a) < 0 ? Math.ceil(value(a)) : Math.floor(value(a))))),
        of(
            "cvt.sat.f32.f32 %d, %a;",
            "f32 f32", (a, b, c) -> bits(value(a) > 0 ? Math.min(1, value(a)) : 0)),
        of("cvt.ftz.f64.f32 %d, %a;", "f64 f32", (a, b, c) -> bitsOf(Rounding.flush(value(a)))));
  }

  private static BigInteger big(long x) {
    return new BigInteger(Long.toUnsignedString(x));
  }

  private static float down(long x) {
    float nearest = x;
    return (double) nearest > x ? Math.nextDown(nearest) : nearest;
  }

  @ParameterizedTest
  @MethodSource({"integers", "floats"})
  void computes(InstructionCase instruction) {
    instruction.check();
  }
}
