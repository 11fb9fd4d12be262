package mlpcuda.compute.cuda.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import org.junit.jupiter.api.Test;

/**
 * Tests launches whose blocks run together: what they exchange by way of global memory, and that
 * what is not ordered, or never ends, is a fault under every seed. Each faulty kernel has a twin
 * without the fault.
 */
class CooperativeLaunchTest {
  private static final int SEEDS = 12;
  private static final int BLOCKS = 3;
  private static final int THREADS = 64;

  /** The ints of the buffer before the flags. */
  private static final int DATA = 1024;

  /**
   * %r1: the thread, %r2: the block, %r3: the blocks, %rd0: data, %rd1: the thread's place in it,
   * %rd2: the place of the same thread of the next block, %rd3: flags, all 0 at first; %p1: whether
   * it is thread 0 of its block.
   */
  private static final String START =
      """
      mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %nctaid.x; mov.u32 %r4, %ntid.x;
      mad.lo.s32 %r5, %r2, %r4, %r1; mul.wide.s32 %rd1, %r5, 4; add.s64 %rd1, %rd0, %rd1;
      add.s32 %r6, %r2, 1; rem.s32 %r6, %r6, %r3;
      mad.lo.s32 %r5, %r6, %r4, %r1; mul.wide.s32 %rd2, %r5, 4; add.s64 %rd2, %rd0, %rd2;
      add.s64 %rd3, %rd0, 4096;
      setp.eq.s32 %p1, %r1, 0;
      """;

  /** A barrier of the grid: thread 0 counts its block in and waits for all. */
  private static final String GRID_BARRIER =
      """
      bar.sync 0;
      @!%p1 bra PASSED;
      red.release.gpu.global.add.u32 [%rd3], 1;
      WAIT:
      ld.acquire.gpu.global.u32 %r10, [%rd3];
      setp.lt.u32 %p2, %r10, %r3;
      @%p2 bra WAIT;
      PASSED:
      bar.sync 0;
      """;

  private static final String WRITE = "add.s32 %r11, %r2, 7;\nst.global.u32 [%rd1], %r11;\n";
  private static final String READ = "ld.global.u32 %r12, [%rd2];\n";
  private static final String KEEP = "add.s64 %rd4, %rd1, 8192;\nst.global.u32 [%rd4], %r12;\n";

  private static int[] run(Shape shape, String body, int sharedBytes, long seed) {
    return run(Emulation.kernel(1, START + body), shape, sharedBytes, seed);
  }

  private static int[] run(PtxModule module, Shape shape, int sharedBytes, long seed) {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(new int[4 * DATA]);
    module.runTogether(
        "k", shape, sharedBytes, new Arguments().address(buffer), emulation.memory, seed);
    return emulation.ints(buffer, 4 * DATA);
  }

  private static final Shape SHAPE = Emulation.shape(BLOCKS, THREADS);

  private static int[] fine(String body) {
    int[] first = null;
    for (long seed = 0; seed < SEEDS; seed++) {
      int[] result = run(SHAPE, body, 0, seed);
      if (first == null) {
        first = result;
      }
      assertArrayEquals(first, result, body);
    }
    return first;
  }

  private static void faulty(String body, String... parts) {
    for (long seed = 0; seed < SEEDS; seed++) {
      long number = seed;
      Emulation.assertFault(() -> run(SHAPE, body, 0, number), parts);
    }
  }

  @Test
  void blocksExchangeDataByABarrierOfTheGrid() {
    int[] result = fine(WRITE + GRID_BARRIER + READ + KEEP);
    for (int i = 0; i < BLOCKS * THREADS; i++) {
      assertEquals((i / THREADS + 1) % BLOCKS + 7, result[2 * DATA + i]);
    }
  }

  @Test
  void blocksRunTogetherInAnOrderOfTheSeed() {
    // Each block takes a ticket: which one differs from seed to seed, but not for one seed.
    String ticket =
        """
        @!%p1 ret;
        atom.global.add.u32 %r11, [%rd3], 1;
        st.global.u32 [%rd1], %r11;
        """;
    int[] first = run(SHAPE, ticket, 0, 1);
    assertArrayEquals(first, run(SHAPE, ticket, 0, 1));
    assertTrue(
        java.util.stream.LongStream.range(2, 20)
            .anyMatch(seed -> !Arrays.equals(first, run(SHAPE, ticket, 0, seed))));
  }

  @Test
  void aBarrierThatNotAllBlocksReach() {
    String body = "setp.eq.s32 %p3, %r2, 1;\n@%p3 ret;\n" + GRID_BARRIER;
    faulty(
        body,
        "kernel k waits for ever: block (",
        "polls memory by thread (0,0,0) in line",
        "ld.acquire.gpu.global.u32 %r10, [%rd3]",
        "block (1,0,0) has ended");
  }
}
