package mlpcuda.compute.cuda.ptx.races;

import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;

/**
 * Tests that races are found: accesses of the same byte, not both reads, that no barrier orders.
 * Each kernel with a race has a twin without.
 */
class RacesTest {
  /** %r1: the thread, %r2: its place in shared memory, %r3: the next thread's, %rd1: its place. */
  private static final String START =
      """
      .shared .align 16 .b8 cell[512];
      mov.u32 %r1, %tid.x; mov.u32 %r9, %ctaid.x;
      mov.u32 %r8, cell;
      shl.b32 %r2, %r1, 2; add.s32 %r2, %r8, %r2;
      add.s32 %r3, %r1, 1; and.b32 %r3, %r3, 63; shl.b32 %r3, %r3, 2; add.s32 %r3, %r8, %r3;
      mul.wide.s32 %rd1, %r1, 4; add.s64 %rd1, %rd0, %rd1;
      """;

  private static void race(Shape shape, String body, String... parts) {
    Emulation.assertFault(shape, 256, START + body, parts);
  }

  private static void fine(Shape shape, String body) {
    Emulation.buffer(shape, 256, START + body);
  }

  private static final String LOAD = "ld.shared.u32 %r4, [%r5];\n";
  private static final Shape TWO_WARPS = Emulation.shape(1, 64);
  private static final Shape ONE_WARP = Emulation.shape(1, 32);

  @Test
  void readOfWhatAnotherWroteInSharedMemory() {
    String before = "st.shared.u32 [%r2], %r1;\nbar.sync 0;\nst.shared.u32 [%r2], %r1;\n";
    String after = "ld.shared.u32 %r4, [%r3];";
    race(
        TWO_WARPS,
        before + after,
        "kernel k, block (0,0,0), thread (",
        "ld.shared.u32 %r4, [%r3]; at 0x",
        "a race with the write by thread (",
        "without a barrier between");
    fine(TWO_WARPS, before + "bar.sync 0;\n" + after);
  }

  @Test
  void writeOfWhatAnotherReadInSharedMemory() {
    String before = "st.shared.u32 [%r2], %r1;\nbar.sync 0;\nld.shared.u32 %r4, [%r3];\n";
    String after = "st.shared.u32 [%r2], %r4;";
    race(TWO_WARPS, before + after, "st.shared.u32", "a race with the read by thread (");
    fine(TWO_WARPS, before + "bar.sync 0;\n" + after);
  }

  @Test
  void writeOfWhatManyRead() {
    String before = "st.shared.u32 [%r2], %r1;\nbar.sync 0;\nld.shared.u32 %r4, [cell];\n";
    String after = "setp.eq.s32 %p1, %r1, 0;\n@%p1 st.shared.u32 [cell], %r4;";
    race(TWO_WARPS, before + after, "a race with the read by");
    race(ONE_WARP, before + after, "a race with the read by several lanes of warp 0");
    fine(TWO_WARPS, before + "bar.sync 0;\n" + after);
    fine(ONE_WARP, before + "bar.warp.sync -1;\n" + after);
  }

  @Test
  void lanesOfAWarpAreNotOrderedByThemselves() {
    String neighbour =
        "xor.b32 %r5, %r1, 1; shl.b32 %r5, %r5, 2; add.s32 %r5, %r8, %r5;\n"
            + "st.shared.u32 [%r2], %r1;\n";
    String after = "ld.shared.u32 %r4, [%r5];";
    race(ONE_WARP, neighbour + after, "a race with the write by thread (1,0,0) without a barrier");
    race(ONE_WARP, neighbour + "shfl.sync.bfly.b32 %r6, %r1, 1, 31, -1;\n" + after, "a race");
    race(
        ONE_WARP,
        neighbour + "bar.warp.sync -1;\n" + after + "\nst.shared.u32 [%r2], %r1;",
        "a race with the read");
    fine(ONE_WARP, neighbour + "bar.warp.sync -1;\n" + after);
    fine(ONE_WARP, neighbour + "bar.sync 0;\n" + after);
  }

  @Test
  void partOfAWarpIsOrderedByItsOwnBarrier() {
    String body =
        """
        xor.b32 %r5, %r1, OTHER; shl.b32 %r5, %r5, 2; add.s32 %r5, %r8, %r5;
        st.shared.u32 [%r2], %r1;
        setp.gt.s32 %p1, %r1, 15;
        @%p1 bra OUT;
        bar.warp.sync 0x0000ffff;
        LOAD
        OUT: ret;
        """
            .replace("LOAD", LOAD);
    fine(ONE_WARP, body.replace("OTHER", "1"));
    race(ONE_WARP, body.replace("OTHER", "16"), "a race with the write by thread (16,0,0)");
    String halves = body.replace("OUT: ret;", "ret;\nOUT: bar.warp.sync 0xffff0000;\n" + LOAD);
    fine(ONE_WARP, halves.replace("OTHER", "1"));
    race(ONE_WARP, halves.replace("OTHER", "16"), "a race with the write by thread (");
  }

  @Test
  void writesToOneAddressAtOnce() {
    race(
        ONE_WARP,
        "st.shared.u32 [cell], %r1;",
        "thread (1,0,0)",
        "a race with thread (0,0,0), which writes another value at once");
    race(ONE_WARP, "st.global.u32 [%rd0], %r1;", "writes another value at once");
    fine(ONE_WARP, "st.shared.u32 [cell], 5;");
    race(TWO_WARPS, "st.shared.u32 [cell], 5;", "a race with the write by thread (");
  }

  @Test
  void globalMemoryWithinABlock() {
    String before = "st.global.u32 [%rd1], %r1;\n";
    String after =
        "xor.b32 %r5, %r1, 33; mul.wide.s32 %rd2, %r5, 4; add.s64 %rd2, %rd0, %rd2;\n"
            + "ld.global.u32 %r4, [%rd2];\n";
    race(TWO_WARPS, before + after, "a race with the ");
    fine(TWO_WARPS, before + "bar.sync 0;\n" + after);
    race(TWO_WARPS, after + before, "a race with the ");
    fine(TWO_WARPS, after + "bar.sync 0;\n" + before);
  }

  @Test
  void fencesOrderNothingByThemselves() {
    String body = "st.global.u32 [%rd1], %r1;\nmembar.gl;\nld.global.u32 %r4, [%rd0];";
    race(TWO_WARPS, body, "a race");
  }

  @Test
  void blocksAreNeverOrdered() {
    Shape blocks = Emulation.shape(3, 32);
    race(
        blocks,
        "bar.sync 0;\nst.global.u32 [%rd1], %r1;\nbar.sync 0;",
        "a race with the write by thread (0,0,0) of block (",
        "which nothing orders");
    String apart =
        "mad.lo.s32 %r5, %r9, 32, %r1; mul.wide.s32 %rd2, %r5, 4; add.s64 %rd2, %rd0, %rd2;\n"
            + "st.global.u32 [%rd2], %r1;\n";
    fine(blocks, apart);
    fine(blocks, "ld.global.u32 %r4, [%rd1];");
    race(blocks, apart + "bar.sync 0;\nld.global.u32 %r4, [%rd0+40];", "of block (");
    String last = "setp.eq.s32 %p1, %r9, 1;\n@%p1 st.global.u32 [%rd1], %r1;";
    race(Emulation.shape(16, 1), "ld.global.u32 %r4, [%rd1];\nbar.sync 0;\n" + last, "a race");
  }

  @Test
  void sharedMemoryOfBlocksIsTheirOwn() {
    fine(Emulation.shape(4, 32), "st.shared.u32 [%r2], %r1;");
  }

  @Test
  void bytesOfAWordAreApart() {
    String body =
        """
        cvt.u16.u32 %rs1, %r1; add.s32 %r5, %r8, %r1;
        st.shared.u8 [%r5], %rs1; ld.shared.u8 %rs2, [%r5];
        cvt.s64.s32 %rd2, %r1; add.s64 %rd2, %rd0, %rd2;
        ld.global.u8 %rs3, [%rd2]; st.global.u8 [%rd2], %rs1;
        """;
    fine(TWO_WARPS, body);
    race(TWO_WARPS, body + "add.s64 %rd2, %rd2, 1;\nst.global.u8 [%rd2], %rs1;", "a race");
    race(TWO_WARPS, body + "ld.global.u32 %r4, [%rd1];", "a race with the write by thread (");
  }

  @Test
  void readOnlyMeansNotWrittenInTheLaunch() {
    Shape one = Emulation.shape(1, 1);
    String load = "ld.global.nc.u32 %r4, [%rd0+8];\n";
    String store = "st.global.u32 [%rd0+8], %r1;\n";
    race(one, store + load, "read-only, but written in the same launch");
    race(one, load + store, "was read as read-only in the same launch");
    fine(one, load + store.replace("+8", "+12"));
    fine(one, store + load.replace(".nc", ""));
  }
}
