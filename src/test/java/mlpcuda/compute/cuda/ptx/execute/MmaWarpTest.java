package mlpcuda.compute.cuda.ptx.execute;

import static mlpcuda.compute.cuda.ptx.execute.MmaTest.OPERANDS;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Locale;
import mlpcuda.compute.cuda.ptx.execute.MmaTest.Product;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that a whole warp must come to mma.sync, and bring converted operands. */
class MmaWarpTest {
  private static final String ZEROS =
      """
      mov.u32 %r1, %tid.x;
      mov.u32 %r10, 0; mov.u32 %r11, 0; mov.u32 %r12, 0; mov.u32 %r13, 0;
      mov.u32 %r14, 0; mov.u32 %r15, 0;
      mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0;
      """;

  private static void refused(int threads, String before, String instruction, String... parts) {
    String body = ZEROS + before + instruction + OPERANDS + "\nOUT: ret;";
    Emulation.assertFault(Emulation.shape(1, threads), 1, body, parts);
  }

  @ParameterizedTest
  @EnumSource(Product.class)
  void theWholeWarpMustCome(Product product) {
    String opcode = product.opcode;
    refused(20, "", opcode, "thread (0,0,0)", "lane 20 is no thread", "line", opcode);
    refused(40, "", opcode, "thread (32,0,0)", "lane 8 is no thread");
    refused(32, "setp.eq.s32 %p1, %r1, 7;\n@%p1 ret;\n", opcode, "thread (0,0,0)", "7 has exited");
    refused(
        32,
        "setp.ne.s32 %p1, %r1, 9;\n@%p1 ",
        opcode,
        "needs the whole warp, but its guard excludes lane 9");
    refused(
        32,
        "setp.lt.s32 %p1, %r1, 16;\n@!%p1 bra OUT;\n",
        opcode,
        "waits for lanes that never come");
    refused(
        32,
        "setp.lt.s32 %p1, %r1, 16;\n@%p1 bra HERE;\nbar.warp.sync -1;\nHERE:\n",
        opcode,
        "waits for ever");
  }

  @Test
  void allMustComeToTheSame() {
    String apart =
        """
        setp.lt.s32 %p1, %r1, 16;
        @%p1 bra LOW;
        """
            + Product.TF32.opcode
            + OPERANDS
            + "\nbra OUT;\nLOW:\n";
    refused(32, apart, Product.TF32.opcode, "waits for ever", "mma.sync");
  }

  @Test
  void guardsMayHoldForAllOrNone() {
    for (int limit : new int[] {0, 32}) {
      int[] out =
          Emulation.ints(
              1,
              32,
              """
              setp.lt.s32 %p1, %r1, LIMIT;
              mov.b32 %r10, 0x3f800000;
              mov.f32 %f0, 0f3F800000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0;
              """
                      .replace("LIMIT", String.valueOf(limit))
                  + "@%p1 "
                  + Product.TF32.opcode
                  + OPERANDS.replaceAll("%r1[1-5]", "%r10")
                  + "cvt.rzi.s32.f32 %r0, %f3;");
      for (int i = 0; i < 32; i++) {
        assertEquals(limit == 0 ? 1 : 9, out[i], "thread " + i);
      }
    }
  }

  @Test
  void lanesWaitForThoseThatComeLater() {
    // The product comes first in the text, so lanes come to it before others have gone around.
    int[] out =
        Emulation.ints(
            1,
            32,
            """
            mov.b32 %r10, 0x3f800000;
            mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0;
            setp.gt.s32 %p1, %r1, 15;
            @%p1 bra AROUND;
            MEET:
            """
                + Product.TF32.opcode
                + OPERANDS.replaceAll("%r1[1-5]", "%r10")
                + """

                bra OUT;
                AROUND:
                mov.b32 %r10, 0x40000000;
                bra MEET;
                OUT:
                cvt.rzi.s32.f32 %r0, %f0;
                """);
    for (int i = 0; i < 32; i++) {
      // Rows 0 to 3 of A belong to lanes below 16, and so do columns 0 to 3 of B.
      int column = i % 4 * 2;
      assertEquals((i < 16 ? 8 : 16) * (column < 4 ? 1 : 2), out[i], "thread " + i);
    }
  }

  @ParameterizedTest
  @EnumSource
  void operandsMustBeConverted(Operand operand) {
    // Each operand has one bit that a tf32 lacks: the lowest of those bits, or the highest.
    for (String bits : new String[] {"0x3f800001", "0x3f801000"}) {
      refused(
          32,
          "setp.eq.s32 %p1, %r1, 21;\n@%p1 mov.u32 " + operand.register + ", " + bits + ";\n",
          Product.TF32.opcode,
          "thread (21,0,0)",
          "takes " + bits + " of lane 21 as " + operand.name().toLowerCase(Locale.ROOT),
          "no tf32");
    }
  }

  private enum Operand {
    A0("%r10"),
    A1("%r11"),
    A2("%r12"),
    A3("%r13"),
    B0("%r14"),
    B1("%r15");

    private final String register;

    Operand(String register) {
      this.register = register;
    }
  }
}
