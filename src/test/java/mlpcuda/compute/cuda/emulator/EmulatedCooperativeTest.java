package mlpcuda.compute.cuda.emulator;

import static mlpcuda.compute.cuda.emulator.EmulatedScenario.faults;
import static mlpcuda.compute.cuda.emulator.EmulatedScenario.passes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.function.Consumer;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.CudaException;
import mlpcuda.compute.cuda.ModuleImage;
import org.junit.jupiter.api.Test;

/** Tests cooperative launches on the emulated device, and how many blocks are resident there. */
class EmulatedCooperativeTest {
  /**
   * meet(count, all): adds 1 to count[0] for each block, waits until all blocks have, and adds 1 to
   * count[1] then. A block has 256 threads at most and 64 bytes of shared memory.
   */
  private static final String MEET =
      """
      .version 8.0
      .target sm_75
      .address_size 64
      .extern .shared .align 16 .b8 pool[];
      .visible .entry meet(.param .u64 p0, .param .u32 p1) BOUNDS
      {
        .reg .pred %p<3>; .reg .b32 %r<9>; .reg .b64 %rd<3>;
        .shared .align 4 .b8 own[64];
        ld.param.u64 %rd1, [p0]; ld.param.u32 %r1, [p1];
        mov.u32 %r2, %tid.x; setp.ne.u32 %p1, %r2, 0;
        @%p1 ret;
        mov.u32 %r5, own; mov.u32 %r6, pool;
        red.release.gpu.global.add.u32 [%rd1], 1;
      WAIT:
        ld.acquire.gpu.global.u32 %r3, [%rd1];
        setp.lt.u32 %p2, %r3, %r1;
        @%p2 bra WAIT;
        red.relaxed.gpu.global.add.u32 [%rd1+4], 1;
        ret;
      }
      """;

  private static final String BOUNDS = ".maxntid 256, 1, 1";

  /** The module, a stream and the counts. */
  private static final class Things {
    final EmulatedDriver cuda;
    final long module;
    final long meet;
    final long stream;
    final long counts;
    final Pinned pinned;

    Things(EmulatedDriver cuda, String bounds) {
      this.cuda = cuda;
      module = cuda.loadModule(ModuleImage.of("meeting", MEET.replace("BOUNDS", bounds)));
      meet = cuda.function(module, "meet");
      stream = cuda.createStream();
      counts = cuda.allocate(8);
      pinned = cuda.allocatePinned(8);
      cuda.zero(counts, 8, stream);
    }

    void meet(int blocks, int sharedBytes, int expected) {
      Arguments arguments = new Arguments().address(counts).add(expected);
      cuda.launchCooperative(meet, Shape.of(blocks, 256), sharedBytes, arguments, stream);
    }

    int met() {
      cuda.copyToHost(pinned, counts, 8, stream);
      cuda.synchronizeStream(stream);
      return pinned.bytes().getInt(4);
    }

    void giveBack() {
      cuda.synchronizeStream(stream);
      cuda.unloadModule(module);
      cuda.destroyStream(stream);
      cuda.free(counts);
      cuda.freePinned(pinned);
    }
  }

  private static Consumer<EmulatedDriver> with(Consumer<Things> scenario) {
    return with(BOUNDS, scenario);
  }

  private static Consumer<EmulatedDriver> with(String bounds, Consumer<Things> scenario) {
    return driver -> {
      Things things = new Things(driver, bounds);
      scenario.accept(things);
      things.giveBack();
    };
  }

  @Test
  void blocksWaitForEachOther() {
    passes(
        with(
            t -> {
              t.meet(4, 100, 4);
              assertEquals(4, t.met());
            }));
  }

  @Test
  void graphsRecordThem() {
    passes(
        with(
            t -> {
              t.cuda.synchronizeStream(t.stream);
              t.cuda.beginCapture(t.stream);
              t.cuda.zero(t.counts, 8, t.stream);
              t.meet(3, 0, 3);
              long graph = t.cuda.endCapture(t.stream);
              assertEquals(2, t.cuda.nodes(graph));
              t.cuda.launchGraph(graph, t.stream);
              t.cuda.launchGraph(graph, t.stream);
              assertEquals(3, t.met());
              t.cuda.destroyGraph(graph);
            }));
  }

  @Test
  void anOrdinaryLaunchHasNoBlocksThatMeet() {
    faults(
        with(
            t ->
                t.cuda.launch(
                    t.meet, Shape.of(4, 256), new Arguments().address(t.counts).add(4), t.stream)),
        "in cooperative launches alone");
  }

  @Test
  void aBarrierThatNoneReachesIsAFault() {
    faults(with(t -> t.meet(4, 0, 5)), "kernel meet waits for ever: block (");
  }

  private static int resident(int major, String bounds, int threads, int sharedBytes) {
    EmulatedOptions options = EmulatedOptions.of(EmulatedPolicy.EAGER);
    int[] blocks = new int[1];
    try (var cuda = new EmulatedDriver(options.withMajor(major).withMultiprocessors(10))) {
      with(bounds, t -> blocks[0] = cuda.residentBlocks(t.meet, threads, sharedBytes)).accept(cuda);
    }
    return blocks[0];
  }

  @Test
  void registersThreadsAndSharedMemoryLimitWhatIsResident() {
    // With 256 threads at most, the compiler may give a thread 255 registers: 256 are taken.
    assertEquals(10, resident(9, BOUNDS, 256, 0));
    assertEquals(20, resident(9, BOUNDS, 128, 0));
    assertEquals(20, resident(9, BOUNDS + " .minnctapersm 2", 256, 0));
    assertEquals(20, resident(9, BOUNDS + " .maxnreg 128", 256, 0));
    assertEquals(10, resident(9, "", 1024, 0));
    assertEquals(0, resident(9, BOUNDS, 257, 0));
    String few = BOUNDS + " .maxnreg 16";
    assertEquals(80, resident(9, few, 256, 0)); // 2048 threads
    assertEquals(40, resident(7, few, 256, 0)); // 1024 threads
    assertEquals(320, resident(9, few, 32, 0)); // 32 blocks
    assertEquals(160, resident(7, few, 32, 0)); // 16 blocks
    // 228 KiB, of which each block takes 1 KiB more than it asks for.
    assertEquals(20, resident(9, few, 256, (113 << 10) - 64));
    assertEquals(10, resident(9, few, 256, (113 << 10) - 63));
    assertEquals(10, resident(9, few, 256, (227 << 10) - 64));
    assertEquals(10, resident(8, few, 256, (163 << 10) - 64));
    assertEquals(10, resident(7, few, 256, (64 << 10) - 64));
    assertEquals(20, resident(7, few, 256, (32 << 10) - 64));
  }

  @Test
  void moreSharedMemoryThanABlockMayHave() {
    passes(
        with(
            t ->
                assertEquals(
                    "cuFuncSetAttribute failed: CUDA_ERROR_INVALID_VALUE (1): invalid argument",
                    assertThrows(CudaException.class, () -> t.meet(1, (227 << 10) - 63, 1))
                        .why())));
  }

  @Test
  void moreBlocksThanAreResident() {
    passes(
        with(
            t -> {
              t.meet(4, 0, 4);
              var e = assertThrows(CudaException.class, () -> t.meet(5, 1000, 5));
              assertEquals(CudaException.COOPERATIVE_LAUNCH_TOO_LARGE, e.code());
              assertEquals(
                  "cuLaunchCooperativeKernel failed: CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE (720):"
                      + " all blocks of a cooperative launch must be resident at once, but of its 5"
                      + " blocks, each of 256 threads with 1000 bytes of dynamic shared memory, a"
                      + " multiprocessor holds 1",
                  e.why());
            }));
  }
}
