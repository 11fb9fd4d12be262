package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Random;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tests what mma.sync computes against a plain product of matrices that lie row by row in memory.
 */
class MmaTest {
  /** Computes where the lane's fragments start: %r2 is its group, %r3 its number in the group. */
  private static final String LANE =
      """
      mov.u32 %r1, %tid.x;
      shr.u32 %r2, %r1, 2;
      and.b32 %r3, %r1, 3;
      mul.lo.u32 %r4, %r2, A_ROW; mad.lo.u32 %r4, %r3, A_STEP, %r4;
      mul.lo.u32 %r5, %r3, B_STEP; mad.lo.u32 %r5, %r2, B_COLUMN, %r5;
      mul.lo.u32 %r6, %r2, 32; mad.lo.u32 %r6, %r3, 8, %r6;
      cvt.u64.u32 %rd10, %r4; add.s64 %rd10, %rd10, %rd0;
      cvt.u64.u32 %rd11, %r5; add.s64 %rd11, %rd11, %rd1;
      cvt.u64.u32 %rd12, %r6; add.s64 %rd13, %rd12, %rd3; add.s64 %rd12, %rd12, %rd2;
      ld.global.f32 %f0, [%rd12]; ld.global.f32 %f1, [%rd12+4];
      ld.global.f32 %f2, [%rd12+256]; ld.global.f32 %f3, [%rd12+260];
      """;

  private static final String STORE =
      """

      st.global.f32 [%rd13], %f0; st.global.f32 [%rd13+4], %f1;
      st.global.f32 [%rd13+256], %f2; st.global.f32 [%rd13+260], %f3;
      """;

  private static final String HALVES =
      LANE.replace("A_ROW", "32")
              .replace("A_STEP", "4")
              .replace("B_STEP", "32")
              .replace("B_COLUMN", "2")
          + """
          ld.global.b32 %r10, [%rd10]; ld.global.b32 %r11, [%rd10+256];
          ld.global.b32 %r12, [%rd10+16]; ld.global.b32 %r13, [%rd10+272];
          ld.global.u16 %rs1, [%rd11]; ld.global.u16 %rs2, [%rd11+16];
          ld.global.u16 %rs3, [%rd11+128]; ld.global.u16 %rs4, [%rd11+144];
          mov.b32 %r14, {%rs1, %rs2};
          mov.b32 %r15, {%rs3, %rs4};
          """;

  static final String OPERANDS =
      " {%f0, %f1, %f2, %f3}, {%r10, %r11, %r12, %r13}, {%r14, %r15}, {%f0, %f1, %f2, %f3};";

  enum Product {
    TF32(
        8,
        LANE.replace("A_ROW", "32")
                .replace("A_STEP", "4")
                .replace("B_STEP", "32")
                .replace("B_COLUMN", "4")
            + """
            ld.global.b32 %r10, [%rd10]; ld.global.b32 %r11, [%rd10+256];
            ld.global.b32 %r12, [%rd10+16]; ld.global.b32 %r13, [%rd10+272];
            ld.global.b32 %r14, [%rd11]; ld.global.b32 %r15, [%rd11+128];
            """,
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"),
    BF16(16, HALVES, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"),
    F16(16, HALVES, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32");

    private final int depth;
    private final String load;
    final String opcode;

    Product(int depth, String load, String opcode) {
      this.depth = depth;
      this.load = load;
      this.opcode = opcode;
    }

    /** The bytes in memory of floats that the type can hold. */
    byte[] bytes(float[] values) {
      byte[] bytes = new byte[values.length * (this == TF32 ? 4 : 2)];
      for (int i = 0; i < values.length; i++) {
        int bits = Float.floatToRawIntBits(values[i]);
        if (this == TF32) {
          bytes[4 * i] = (byte) bits;
          bytes[4 * i + 1] = (byte) (bits >> 8);
          bytes[4 * i + 2] = (byte) (bits >> 16);
          bytes[4 * i + 3] = (byte) (bits >> 24);
        } else {
          int half = this == BF16 ? bits >>> 16 : half(values[i]);
          bytes[2 * i] = (byte) half;
          bytes[2 * i + 1] = (byte) (half >> 8);
        }
      }
      return bytes;
    }

    /** Computes D of matrices that lie row by row. */
    private float[] run(String instruction, float[] a, float[] b, float[] c) {
      Emulation emulation = new Emulation();
      long d = emulation.memory.allocate(4 * 128);
      emulation.run(
          Emulation.kernel(4, load + instruction + STORE),
          Emulation.shape(1, 32),
          emulation.of(bytes(a)),
          emulation.of(bytes(b)),
          emulation.of(c),
          d);
      return emulation.floats(d, 128);
    }

    private float[] run(float[] a, float[] b, float[] c) {
      return run(opcode + OPERANDS, a, b, c);
    }
  }

  /** The bits of {@code x} as a half, which it must equal; it must not be subnormal. */
  private static int half(float x) {
    int sign = Math.copySign(1, x) < 0 ? 0x8000 : 0;
    if (!(Math.abs(x) <= 65504)) {
      return sign | (Float.isNaN(x) ? 0x7e00 : 0x7c00);
    }
    if (x == 0) {
      return sign;
    }
    int exponent = Math.getExponent(x);
    return sign | exponent + 15 << 10 | (int) (Math.scalb(Math.abs(x), 10 - exponent)) - 1024;
  }

  private final Random random = new Random(5);

  /** Values of at most that many significant bits, of sizes that differ. */
  private float[] values(int count, int bits) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      int mantissa = random.nextInt(1 << bits + 1) - (1 << bits);
      values[i] = Math.scalb((float) mantissa, random.nextInt(8) - bits);
    }
    return values;
  }

  private static double exact(int depth, float[] a, float[] b, float[] c, int row, int column) {
    BigDecimal sum = new BigDecimal(c[row * 8 + column]);
    for (int k = 0; k < depth; k++) {
      BigDecimal x = new BigDecimal(a[row * depth + k]);
      sum = sum.add(x.multiply(new BigDecimal(b[k * 8 + column])));
    }
    return sum.doubleValue();
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void products(Product product) {
    int depth = product.depth;
    for (int round = 0; round < 20; round++) {
      float[] a = values(16 * depth, 7);
      float[] b = values(depth * 8, 7);
      float[] c = values(128, 23);
      float[] d = product.run(a, b, c);
      for (int i = 0; i < 128; i++) {
        assertEquals((float) exact(depth, a, b, c, i / 8, i % 8), d[i], product + " " + i);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void eachElementHasItsPlace(Product product) {
    // Where A and B are zero but for an element each, D has its product there, or nothing.
    int depth = product.depth;
    for (int i = 0; i < 16 * depth; i++) {
      float[] a = new float[16 * depth];
      a[i] = 3;
      float[] b = new float[depth * 8];
      int column = i % 8;
      int k = i % depth;
      b[k * 8 + column] = 5;
      float[] expected = new float[128];
      expected[i / depth * 8 + column] = 15;
      assertArrayEquals(expected, product.run(a, b, new float[128]), product + " " + i);
      b = new float[depth * 8];
      b[(k + 1) % depth * 8 + column] = 5;
      assertArrayEquals(new float[128], product.run(a, b, new float[128]), product + " " + i);
    }
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void roundOnce(Product product) {
    // Each one alone is lost when added to 2^24.
    float[] a = new float[16 * product.depth];
    float[] b = new float[product.depth * 8];
    float[] c = new float[128];
    Arrays.fill(a, 1);
    Arrays.fill(b, 1);
    Arrays.fill(c, 0x1p24f);
    float[] expected = new float[128];
    Arrays.fill(expected, 0x1p24f + product.depth);
    assertArrayEquals(expected, product.run(a, b, c));
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void whatIsNotFinitePasses(Product product) {
    int depth = product.depth;
    float[] a = new float[16 * depth];
    float[] b = new float[depth * 8];
    float[] c = new float[128];
    Arrays.fill(a, 1);
    Arrays.fill(b, 1);
    a[3 * depth + 5] = Float.POSITIVE_INFINITY;
    a[9 * depth + 2] = Float.NaN;
    b[5 * 8 + 4] = 0;
    c[3 * 8 + 6] = Float.NEGATIVE_INFINITY;
    c[2 * 8 + 1] = Float.NaN;
    float[] d = product.run(a, b, c);
    for (int i = 0; i < 128; i++) {
      int row = i / 8;
      int column = i % 8;
      float sum = column == 4 ? depth - 1 : depth;
      float expected = row == 9 ? Float.NaN : row == 3 ? Float.POSITIVE_INFINITY : sum;
      boolean undefined = row == 3 && (column == 4 || column == 6) || row == 2 && column == 1;
      assertEquals(undefined ? Float.NaN : expected, d[i], product + " " + i);
    }
  }

  @Test
  void sumsBeyondTheLargestFloatAreInfinite() {
    float[] a = new float[16 * 8];
    float[] b = new float[8 * 8];
    a[0] = 0x1p100f;
    b[0] = 0x1p100f;
    float[] expected = new float[128];
    expected[0] = Float.POSITIVE_INFINITY;
    assertArrayEquals(expected, Product.TF32.run(a, b, new float[128]));
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void subnormalNumbersCount(Product product) {
    float[] a = new float[16 * product.depth];
    float[] b = new float[product.depth * 8];
    a[0] = product == Product.F16 ? 0x1p-14f : 0x1p-133f;
    b[0] = product == Product.F16 ? 0x1p-14f : 4;
    float[] expected = new float[128];
    expected[0] = a[0] * b[0];
    assertTrue(expected[0] > 0);
    assertArrayEquals(expected, product.run(a, b, new float[128]));
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void resultsMayStandElsewhere(Product product) {
    float[] a = values(16 * product.depth, 7);
    float[] b = values(product.depth * 8, 7);
    float[] c = values(128, 7);
    float[] expected = product.run(a, b, c);
    String inputs = ", {%r10, %r11, %r12, %r13}, {%r14, %r15}, {%f0, %f1, %f2, %f3};\n";
    String others =
        " {%f4, %f5, %f6, %f7}"
            + inputs
            + "mov.f32 %f0, %f4; mov.f32 %f1, %f5; mov.f32 %f2, %f6; mov.f32 %f3, %f7;";
    assertArrayEquals(expected, product.run(product.opcode + others, a, b, c));
    // The result is in registers of C, but in another order.
    String turned =
        " {%f1, %f2, %f3, %f0}"
            + inputs
            + "mov.f32 %f4, %f0; mov.f32 %f0, %f1; mov.f32 %f1, %f2; mov.f32 %f2, %f3;"
            + "mov.f32 %f3, %f4;";
    assertArrayEquals(expected, product.run(product.opcode + turned, a, b, c));
  }

  @Test
  void productsOneAfterAnother() {
    Product product = Product.TF32;
    float[] a = values(16 * 8, 7);
    float[] b = values(8 * 8, 7);
    String once = product.opcode + OPERANDS;
    float[] first = product.run(a, b, new float[128]);
    assertArrayEquals(product.run(a, b, first), product.run(once + once, a, b, new float[128]));
  }

  @Test
  void warpsHaveTheirOwn() {
    // The second warp multiplies zeros.
    int[] out =
        Emulation.ints(
            1,
            64,
            """
            setp.lt.s32 %p1, %r1, 32;
            selp.b32 %r10, 0x3f800000, 0, %p1;
            mov.f32 %f0, 0f3F800000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0;
            """
                + Product.TF32.opcode
                + OPERANDS.replaceAll("%r1[1-5]", "%r10")
                + "cvt.rzi.s32.f32 %r0, %f2;");
    for (int i = 0; i < 64; i++) {
      assertEquals(i < 32 ? 9 : 1, out[i], "thread " + i);
    }
  }
}
