package mlpcuda.compute.cuda.ptx.arithmetic;

import java.math.BigInteger;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.ptx.kernels.InstructionCase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests integer arithmetic and operations on bits, on all pairs of awkward values. */
class IntegerInstructionsTest {
  private static InstructionCase of(String text, String types, InstructionCase.Expected expected) {
    return InstructionCase.of(text, types, expected);
  }

  private static BigInteger big(long x) {
    return new BigInteger(Long.toUnsignedString(x));
  }

  private static long clampToInt(long x) {
    return x > Integer.MAX_VALUE ? Integer.MAX_VALUE : Math.max(x, Integer.MIN_VALUE);
  }

  private static long digit(long bits, int at) {
    return bits >>> at & 1;
  }

  static Stream<InstructionCase> arithmetic() {
    return Stream.of(
        of("add.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> a + b),
        of("add.u32 %d, %a, 7;", "u32 u32", (a, b, c) -> a + 7),
        of("add.s16 %d, %a, %b;", "s16 s16 s16", (a, b, c) -> a + b),
        of("add.s64 %d, %a, -5;", "s64 s64", (a, b, c) -> a - 5),
        of("add.sat.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> clampToInt(a + b)),
        of("sub.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> a - b),
        of("sub.sat.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> clampToInt(a - b)),
        of("sub.s64 %d, %a, %b;", "s64 s64 s64", (a, b, c) -> a - b),
        of("mul.lo.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> a * b),
        of("mul.lo.s64 %d, %a, %b;", "s64 s64 s64", (a, b, c) -> a * b),
        of("mul.lo.s16 %d, %a, %b;", "s16 s16 s16", (a, b, c) -> a * b),
        of("mul.hi.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> a * b >> 32),
        of("mul.hi.u32 %d, %a, %b;", "u32 u32 u32", (a, b, c) -> a * b >>> 32),
        of("mul.hi.s64 %d, %a, %b;", "s64 s64 s64", (a, b, c) -> Math.multiplyHigh(a, b)),
        of(
            "mul.hi.u64 %d, %a, %b;",
            "u64 u64 u64", (a, b, c) -> big(a).multiply(big(b)).shiftRight(64).longValue()),
        of("mul.wide.s32 %d, %a, %b;", "s64 s32 s32", (a, b, c) -> a * b),
        of("mul.wide.u32 %d, %a, %b;", "u64 u32 u32", (a, b, c) -> a * b),
        of("mul.wide.u16 %d, %a, %b;", "u32 u16 u16", (a, b, c) -> a * b),
        of("mul.wide.s16 %d, %a, %b;", "s32 s16 s16", (a, b, c) -> a * b),
        of("mad.lo.s32 %d, %a, %b, %c;", "s32 s32 s32 s32", (a, b, c) -> a * b + c),
        of("mad.lo.s64 %d, %a, %b, %c;", "s64 s64 s64 s64", (a, b, c) -> a * b + c),
        of("mad.hi.u32 %d, %a, %b, %c;", "u32 u32 u32 u32", (a, b, c) -> (a * b >>> 32) + c),
        of("mad.wide.s32 %d, %a, %b, %c;", "s64 s32 s32 s64", (a, b, c) -> a * b + c),
        of("mad.wide.u32 %d, %a, %b, %c;", "u64 u32 u32 u64", (a, b, c) -> a * b + c),
        of("div.s32 %d, %a, 7;", "s32 s32", (a, b, c) -> a / 7),
        of("div.s32 %d, %a, -3;", "s32 s32", (a, b, c) -> a / -3),
        of("div.u32 %d, %a, 10;", "u32 u32", (a, b, c) -> a / 10),
        of(
            "div.u64 %d, %a, 10;",
            "u64 u64", (a, b, c) -> big(a).divide(BigInteger.TEN).longValue()),
        of("rem.s32 %d, %a, 7;", "s32 s32", (a, b, c) -> a % 7),
        of("rem.u32 %d, %a, 10;", "u32 u32", (a, b, c) -> a % 10),
        of("rem.s64 %d, %a, 10;", "s64 s64", (a, b, c) -> a % 10),
        of("min.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> Math.min(a, b)),
        of("max.s32 %d, %a, %b;", "s32 s32 s32", (a, b, c) -> Math.max(a, b)),
        of("min.u32 %d, %a, %b;", "u32 u32 u32", (a, b, c) -> Math.min(a, b)),
        of("max.u64 %d, %a, %b;", "u64 u64 u64", (a, b, c) -> big(a).max(big(b)).longValue()),
        of("min.u64 %d, %a, %b;", "u64 u64 u64", (a, b, c) -> big(a).min(big(b)).longValue()),
        of("max.s64 %d, %a, %b;", "s64 s64 s64", (a, b, c) -> Math.max(a, b)),
        of("neg.s32 %d, %a;", "s32 s32", (a, b, c) -> -a),
        of("neg.s64 %d, %a;", "s64 s64", (a, b, c) -> -a),
        of("abs.s32 %d, %a;", "s32 s32", (a, b, c) -> Math.abs(a)));
  }

  static Stream<InstructionCase> bits() {
    return Stream.of(
        of("and.b32 %d, %a, %b;", "b32 b32 b32", (a, b, c) -> a & b),
        of("and.b16 %d, %a, 255;", "b16 b16", (a, b, c) -> a & 255),
        of("or.b64 %d, %a, %b;", "b64 b64 b64", (a, b, c) -> a | b),
        of("xor.b32 %d, %a, %b;", "b32 b32 b32", (a, b, c) -> a ^ b),
        of("not.b32 %d, %a;", "b32 b32", (a, b, c) -> ~a),
        of("cnot.b32 %d, %a;", "b32 b32", (a, b, c) -> a == 0 ? 1 : 0),
        of("shl.b32 %d, %a, %b;", "b32 b32 u32", (a, b, c) -> b > 31 ? 0 : a << b),
        of("shl.b64 %d, %a, %b;", "b64 b64 u32", (a, b, c) -> b > 63 ? 0 : a << b),
        of("shl.b16 %d, %a, %b;", "b16 b16 u32", (a, b, c) -> b > 15 ? 0 : a << b),
        of("shr.u32 %d, %a, %b;", "u32 u32 u32", (a, b, c) -> b > 31 ? 0 : a >>> b),
        of("shr.s32 %d, %a, %b;", "s32 s32 u32", (a, b, c) -> a >> Math.min(b, 31)),
        of("shr.u64 %d, %a, %b;", "u64 u64 u32", (a, b, c) -> b > 63 ? 0 : a >>> b),
        of("shr.s64 %d, %a, %b;", "s64 s64 u32", (a, b, c) -> a >> Math.min(b, 63)),
        of("shr.u16 %d, %a, %b;", "u16 u16 u32", (a, b, c) -> b > 15 ? 0 : a >>> b),
        of("shr.s16 %d, %a, %b;", "s16 s16 u32", (a, b, c) -> a >> Math.min(b, 15)),
        of("shr.b32 %d, %a, 3;", "b32 b32", (a, b, c) -> a >>> 3),
        of(
            "shf.l.wrap.b32 %d, %a, %b, %c;",
            "b32 b32 b32 u32", (a, b, c) -> (b << 32 | a) << (c & 31) >>> 32),
        of(
            "shf.r.wrap.b32 %d, %a, %b, %c;",
            "b32 b32 b32 u32", (a, b, c) -> (b << 32 | a) >>> (c & 31)),
        of(
            "shf.r.clamp.b32 %d, %a, %b, %c;",
            "b32 b32 b32 u32", (a, b, c) -> (b << 32 | a) >>> Math.min(c, 32)),
        of("lop3.b32 %d, %a, %b, %c, 0x96;", "b32 b32 b32 b32", (a, b, c) -> a ^ b ^ c),
        of("lop3.b32 %d, %a, %b, %c, 0xca;", "b32 b32 b32 b32", (a, b, c) -> a & b | ~a & c),
        of("lop3.b32 %d, %a, %b, %c, 0x40;", "b32 b32 b32 b32", (a, b, c) -> a & b & ~c),
        of("prmt.b32 %d, %a, %b, 0x7531;", "b32 b32 b32", IntegerInstructionsTest::oddBytes),
        of("prmt.b32 %d, %a, 0, 0x9999;", "b32 b32", (a, b, c) -> digit(a, 15) == 1 ? -1 : 0),
        of("popc.b32 %d, %a;", "u32 b32", (a, b, c) -> Long.bitCount(a)),
        of("popc.b64 %d, %a;", "u32 b64", (a, b, c) -> Long.bitCount(a)),
        of("clz.b32 %d, %a;", "u32 b32", (a, b, c) -> Integer.numberOfLeadingZeros((int) a)),
        of("clz.b64 %d, %a;", "u32 b64", (a, b, c) -> Long.numberOfLeadingZeros(a)),
        of("brev.b32 %d, %a;", "b32 b32", (a, b, c) -> Integer.reverse((int) a)),
        of("bfe.u32 %d, %a, %b, %c;", "u32 u32 u32 u32", (a, b, c) -> field(a, b, c, 32, false)),
        of("bfe.s32 %d, %a, %b, %c;", "s32 s32 u32 u32", (a, b, c) -> field(a, b, c, 32, true)),
        of("bfe.u64 %d, %a, %b, %c;", "u64 u64 u32 u32", (a, b, c) -> field(a, b, c, 64, false)),
        of("bfe.s64 %d, %a, %b, %c;", "s64 s64 u32 u32", (a, b, c) -> field(a, b, c, 64, true)),
        of(
            "bfi.b32 %d, %a, %b, 8, 4;",
            "b32 b32 b32", (a, b, c) -> a << 8 & 0xf00 | b & 0xfffff0ff),
        of("bfi.b32 %d, %a, %b, 28, 8;", "b32 b32 b32", (a, b, c) -> a << 28 | b & 0xfffffff));
  }

  private static long oddBytes(long a, long b, long c) {
    return a >>> 8 & 0xff | a >>> 16 & 0xff00 | (b & 0xff00) << 8 | b & 0xff000000L;
  }

  /** Extracts a field bit by bit, as the PTX ISA describes it. */
  private static long field(long a, long start, long length, int bits, boolean signed) {
    int from = (int) start & 0xff;
    int count = (int) length & 0xff;
    int last = bits - 1;
    long sign = !signed || count == 0 ? 0 : digit(a, Math.min(from + count - 1, last));
    long result = 0;
    for (int i = 0; i <= last; i++) {
      result |= (i < count && from + i <= last ? digit(a, from + i) : sign) << i;
    }
    return result;
  }

  @ParameterizedTest
  @MethodSource({"arithmetic", "bits"})
  void computes(InstructionCase instruction) {
    instruction.check();
  }
}
