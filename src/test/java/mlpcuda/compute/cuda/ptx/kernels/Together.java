package mlpcuda.compute.cuda.ptx.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.module.PtxModule;

/** Small kernels for tests of cooperative launches, and their runs under many seeds. */
public final class Together {
  public static final int SEEDS = 8;
  public static final int BLOCKS = 3;
  public static final int THREADS = 64;
  public static final Shape SHAPE = Emulation.shape(BLOCKS, THREADS);

  /** The ints of the buffer before the flags, and before the results. */
  public static final int FLAGS = 1024;

  public static final int RESULTS = 2048;

  /**
   * %r1: the thread, %r2: the block, %r3: the blocks, %rd0: data, %rd1: the thread's place in it,
   * %rd2: the place of the same thread of the next block, %rd3: flags, %rd4: the thread's place in
   * the results; %p1: whether it is thread 0 of its block, %p9: whether it is of block 0. All
   * memory is 0 at first.
   */
  private static final String START =
      """
      mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %nctaid.x; mov.u32 %r4, %ntid.x;
      mad.lo.s32 %r5, %r2, %r4, %r1; mul.wide.s32 %rd1, %r5, 4; add.s64 %rd1, %rd0, %rd1;
      add.s32 %r6, %r2, 1; rem.s32 %r6, %r6, %r3;
      mad.lo.s32 %r5, %r6, %r4, %r1; mul.wide.s32 %rd2, %r5, 4; add.s64 %rd2, %rd0, %rd2;
      add.s64 %rd3, %rd0, 4096; add.s64 %rd4, %rd1, 8192;
      setp.eq.s32 %p1, %r1, 0; setp.eq.s32 %p9, %r2, 0;
      """;

  /** Each thread writes its block's number + 7. */
  public static final String WRITE = "add.s32 %r11, %r2, 7;\nst.global.u32 [%rd1], %r11;\n";

  /** Each thread reads what the thread of the next block wrote, and keeps it among the results. */
  public static final String READ = "ld.global.u32 %r12, [%rd2];\nst.global.u32 [%rd4], %r12;\n";

  private Together() {}

  /** The PTX of a barrier of the grid: thread 0 counts its block in and waits for all others. */
  public static String barrier(String arrive, String look) {
    return """
        bar.sync 0;
        @!%p1 bra PASSED;
        ARRIVE
        WAIT:
        LOOK
        setp.lt.u32 %p2, %r10, %r3;
        @%p2 bra WAIT;
        PASSED:
        bar.sync 0;
        """
        .replace("ARRIVE", arrive)
        .replace("LOOK", look);
  }

  public static final String ARRIVE = "red.release.gpu.global.add.u32 [%rd3], 1;";
  public static final String LOOK = "ld.acquire.gpu.global.u32 %r10, [%rd3];";
  public static final String BARRIER = barrier(ARRIVE, LOOK);

  public static PtxModule kernel(String body) {
    return Emulation.kernel(1, START + body);
  }

  /** Runs a kernel once, and returns all of its memory. */
  public static int[] run(PtxModule module, int sharedBytes, long seed) {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(new int[2 * RESULTS]);
    Arguments arguments = new Arguments().address(buffer);
    module.runTogether("k", SHAPE, sharedBytes, arguments, emulation.memory, seed);
    return emulation.ints(buffer, 2 * RESULTS);
  }

  /** Asserts that a kernel runs without fault and to the same end under many seeds. */
  public static int[] fine(String body) {
    PtxModule module = kernel(body);
    int[] first = run(module, 0, 0);
    for (long seed = 1; seed < SEEDS; seed++) {
      assertArrayEquals(first, run(module, 0, seed), body);
    }
    return first;
  }

  /** Asserts that a kernel is at fault under every seed, with one of these messages. */
  public static void faulty(String body, String... messages) {
    PtxModule module = kernel(body);
    for (long seed = 0; seed < SEEDS; seed++) {
      long number = seed;
      String found = assertThrows(Fault.class, () -> run(module, 0, number), body).getMessage();
      assertTrue(Arrays.stream(messages).anyMatch(found::contains), found);
    }
  }
}
