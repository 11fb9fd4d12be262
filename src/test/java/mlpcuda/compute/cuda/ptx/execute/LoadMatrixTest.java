package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests which elements ldmatrix gives each lane, and what it demands of its addresses. */
class LoadMatrixTest {
  private static final Shape WARP = Emulation.shape(1, 32);

  /** The bytes between two rows, which leave 8 rows in different banks. */
  private static final int PITCH = 48;

  /**
   * Fills 32 rows of shared memory, where element c of row r is 256 r + c; %r2 is the address of
   * row %r1, the lane's.
   */
  private static final String FILL =
      """
      .shared .align 16 .b8 a[1536];
      mov.u32 %r1, %tid.x; mov.u32 %r3, a; mad.lo.s32 %r2, %r1, 48, %r3;
      shl.b32 %r4, %r1, 8; shl.b32 %r5, %r1, 24; or.b32 %r4, %r4, %r5; or.b32 %r4, %r4, 65536;
      st.shared.u32 [%r2], %r4; add.s32 %r4, %r4, 0x00020002;
      st.shared.u32 [%r2+4], %r4; add.s32 %r4, %r4, 0x00020002;
      st.shared.u32 [%r2+8], %r4; add.s32 %r4, %r4, 0x00020002;
      st.shared.u32 [%r2+12], %r4;
      """;

  private static final String BARRIER = "bar.sync 0;\n";

  /** Computes where a lane's four results are: %rd1. */
  private static final String STORE =
      """

      mul.wide.s32 %rd1, %r1, 16; add.s64 %rd1, %rd0, %rd1;
      st.global.v4.u32 [%rd1], {%r10, %r11, %r12, %r13};
      """;

  private static final String ZEROS =
      "mov.u32 %r10, 0; mov.u32 %r11, 0; mov.u32 %r12, 0; mov.u32 %r13, 0;\n";

  private static String load(int matrices, String trans) {
    String registers =
        String.join(", ", List.of("%r10", "%r11", "%r12", "%r13").subList(0, matrices));
    return "ldmatrix.sync.aligned.m8n8.x"
        + matrices
        + trans
        + ".shared.b16 {"
        + registers
        + "}, [%r2];";
  }

  private static void refused(int threads, String body, String... parts) {
    Emulation.assertFault(Emulation.shape(1, threads), 128, body, parts);
  }

  /** The elements of lane {@code lane} of a matrix whose first row has that number. */
  private static int expected(int firstRow, int lane, boolean transposed) {
    int major = lane / 4;
    int minor = 2 * (lane % 4);
    int low = transposed ? 256 * (firstRow + minor) + major : 256 * (firstRow + major) + minor;
    int high =
        transposed ? 256 * (firstRow + minor + 1) + major : 256 * (firstRow + major) + minor + 1;
    return high << 16 | low;
  }

  @ParameterizedTest
  @CsvSource({"1, ''", "2, ''", "4, ''", "1, .trans", "2, .trans", "4, .trans"})
  void eachLaneGetsItsElements(int matrices, String trans) {
    int[] out = Emulation.buffer(WARP, 128, FILL + BARRIER + ZEROS + load(matrices, trans) + STORE);
    for (int i = 0; i < 128; i++) {
      int matrix = i % 4;
      int lane = i / 4;
      int wanted = matrix < matrices ? expected(8 * matrix, lane, !trans.isEmpty()) : 0;
      assertEquals(wanted, out[i], "matrix " + matrix + " of lane " + lane);
    }
  }

  @Test
  void rowsMayBeAnywhere() {
    // The rows in the opposite order, by the spelling of CUDA 12 and newer and an address as
    // result.
    String turned =
        "sub.s32 %r6, 31, %r1; mad.lo.s32 %r10, %r6, 48, %r3;\n"
            + "ldmatrix.sync.aligned.m8n8.x4.shared::cta.b16 {%r10, %r11, %r12, %r13}, [%r10];";
    int[] out = Emulation.buffer(WARP, 128, FILL + BARRIER + turned + STORE);
    for (int i = 0; i < 128; i++) {
      int row = 31 - 8 * (i % 4) - i / 16;
      int column = 2 * (i / 4 % 4);
      assertEquals((256 * row + column + 1) << 16 | 256 * row + column, out[i]);
    }
  }

  @Test
  void rowsMustBeAlignedAndInSharedMemory() {
    String start = FILL + BARRIER;
    String seven = "setp.eq.s32 %p1, %r1, 7;\n@%p1 add.s32 %r2, %r2, ";
    refused(32, start + seven + "8;\n" + load(1, ""), "thread (7,0,0)", "no multiple of 16");
    refused(32, start + seven + "1536;\n" + load(1, ""), "(7,0,0)", "outside the 1536 bytes");
    refused(32, start + seven + "-4096;\n" + load(1, ""), "(7,0,0)", "outside the 1536 bytes");
    refused(32, start + seven + "16;\n" + load(1, ""), "which no thread of the block has written");
    // Nobody reads the address of lane 8 for one matrix.
    String eight = seven.replace("7", "8");
    Emulation.buffer(WARP, 128, start + eight + "8;\n" + load(1, ""));
    refused(32, start + eight + "8;\n" + load(2, ""), "thread (8,0,0)", "no multiple of 16");
  }

  @Test
  void olderDevicesNeedEveryAddress() {
    String text =
        """
        .version 8.0
        .target sm_75
        .address_size 64
        .entry k() {
        .shared .align 16 .b8 a[512]; .reg .b32 %r<9>;
        mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 4;
        st.shared.v4.u32 [%r2], {%r1, %r1, %r1, %r1};
        bar.sync 0;
        add.s32 %r2, %r2, OFFSET;
        ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r3}, [%r2];
        }
        """;
    PtxModule wrong = PtxModule.parse("test", text.replace("OFFSET", "16"));
    Emulation emulation = new Emulation();
    Emulation.assertFault(
        () -> wrong.run("k", WARP, new Arguments(), emulation.memory),
        "thread (31,0,0)",
        "outside the 512 bytes");
    PtxModule.parse("test", text.replace("OFFSET", "0"))
        .run("k", WARP, new Arguments(), emulation.memory);
    PtxModule.parse("test", text.replace("OFFSET", "16").replace("sm_75", "sm_80"))
        .run("k", WARP, new Arguments(), emulation.memory);
  }

  @Test
  void aRowIsReadByTheLanesThatGetIt() {
    refused(32, FILL + load(4, ""), "a race with the write by thread (", "without a barrier");
    refused(32, FILL + load(4, ".trans"), "a race with the write by thread (");
    Emulation.buffer(WARP, 128, FILL + "bar.warp.sync -1;\n" + load(4, ""));
    String after = BARRIER + load(4, "") + "\nst.shared.u32 [%r2], %r1;";
    refused(32, FILL + after, "st.shared.u32", "a race with the read by ");
    Emulation.buffer(WARP, 128, FILL + after.replace("\nst", "\nbar.warp.sync -1;\nst"));
  }

  @Test
  void theWholeWarpMustCome() {
    String body = FILL + BARRIER;
    refused(20, body + load(1, ""), "lane 20 is no thread");
    refused(32, body + "setp.lt.s32 %p1, %r1, 9;\n@%p1 " + load(1, ""), "guard excludes lane 9");
    refused(
        32,
        body + "setp.lt.s32 %p1, %r1, 9;\n@%p1 bra OUT;\n" + load(1, "") + "\nOUT: ret;",
        "waits for lanes that never come");
  }

  /** Each matrix is a pass, as 8 rows of 16 bytes have all 32 banks. */
  @ParameterizedTest
  @CsvSource({"16, 1", "48, 1", "32, 2", "128, 8"})
  void conflictsOfBanks(int pitch, int degree) {
    String rows =
        """
        .shared .align 16 .b8 a[4096];
        mov.u32 %r1, %tid.x; mul.lo.s32 %r2, %r1, PITCH;
        mov.u32 %r3, 0;
        AGAIN: shl.b32 %r4, %r1, 2; add.s32 %r4, %r4, %r3;
        st.shared.u32 [%r4], %r3;
        add.s32 %r3, %r3, 128;
        setp.lt.s32 %p1, %r3, 4096;
        @%p1 bra AGAIN;
        bar.sync 0;
        """
            .replace("PITCH", String.valueOf(pitch));
    var before = BankConflicts.during(() -> Emulation.buffer(WARP, 1, rows)).get("k");
    var after = BankConflicts.during(() -> Emulation.buffer(WARP, 1, rows + load(2, ""))).get("k");
    assertEquals(2, after.passes() - before.passes());
    assertEquals(2L * degree, after.cycles() - before.cycles());
  }

  @Test
  void feedsAProduct() {
    // A is 16 x 16 and B 16 x 8, both row by row with 16 and 8 elements a row; all are whole.
    float[] a = new float[16 * 16];
    float[] b = new float[16 * 8];
    for (int i = 0; i < a.length; i++) {
      a[i] = i * 37 % 101 - 50;
    }
    for (int i = 0; i < b.length; i++) {
      b[i] = i * 53 % 97 - 48;
    }
    String body =
        """
        .shared .align 16 .b8 as[512];
        .shared .align 16 .b8 bs[256];
        mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 4; cvt.u64.u32 %rd5, %r2;
        add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5;
        mov.u32 %r3, as; add.s32 %r3, %r3, %r2; mov.u32 %r4, bs; add.s32 %r4, %r4, %r2;
        setp.lt.s32 %p1, %r1, 16;
        cp.async.cg.shared.global [%r3], [%rd6], 16;
        @%p1 cp.async.cg.shared.global [%r4], [%rd7], 16;
        cp.async.wait_all;
        bar.sync 0;
        and.b32 %r5, %r1, 15; shl.b32 %r5, %r5, 5; and.b32 %r6, %r1, 16; add.s32 %r5, %r5, %r6;
        mov.u32 %r3, as; add.s32 %r5, %r5, %r3;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r5];
        ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r14, %r15}, [%r4];
        mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0;
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 OPERANDS
        shr.u32 %r6, %r1, 2; and.b32 %r7, %r1, 3; shl.b32 %r6, %r6, 5; mad.lo.s32 %r6, %r7, 8, %r6;
        cvt.u64.u32 %rd5, %r6; add.s64 %rd5, %rd2, %rd5;
        st.global.v2.f32 [%rd5], {%f0, %f1};
        st.global.v2.f32 [%rd5+256], {%f2, %f3};
        """
            .replace("OPERANDS", MmaTest.OPERANDS);
    Emulation emulation = new Emulation();
    long c = emulation.memory.allocate(4 * 128);
    emulation.run(
        Emulation.kernel(3, body),
        WARP,
        emulation.of(MmaTest.Product.BF16.bytes(a)),
        emulation.of(MmaTest.Product.BF16.bytes(b)),
        c);
    float[] expected = new float[128];
    for (int i = 0; i < 128; i++) {
      for (int k = 0; k < 16; k++) {
        expected[i] += a[i / 8 * 16 + k] * b[k * 8 + i % 8];
      }
    }
    assertArrayEquals(expected, emulation.floats(c, 128));
  }
}
