package mlpcuda.compute.cuda.ptx.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.kernels.Together;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;

/**
 * Tests launches whose blocks run together: what they exchange by way of global memory, the order
 * of their warps, and that a wait without an end is found.
 */
class CooperativeLaunchTest {
  /** The end of a kernel in which each thread keeps %r12 among the results. */
  private static final String KEEP = "st.global.u32 [%rd4], %r12;\n";

  private static void waitsForEver(String body, String... parts) {
    PtxModule module = Together.kernel(body);
    for (long seed = 0; seed < Together.SEEDS; seed++) {
      long number = seed;
      Emulation.assertFault(() -> Together.run(module, 0, number), parts);
    }
  }

  @Test
  void blocksExchangeDataByABarrierOfTheGrid() {
    int[] memory = Together.fine(Together.WRITE + Together.BARRIER + Together.READ);
    for (int i = 0; i < Together.BLOCKS * Together.THREADS; i++) {
      int next = (i / Together.THREADS + 1) % Together.BLOCKS;
      assertEquals(next + 7, memory[Together.RESULTS + i]);
    }
  }

  @Test
  void manyBarriersOneAfterAnother() {
    // Each block adds 1 to what the next one wrote, 20 times over; the count of arrivals only
    // grows.
    String body =
        """
        mov.u32 %r20, 0; mov.u32 %r12, 0;
        AGAIN:
        st.global.u32 [%rd1], %r12;
        add.s32 %r20, %r20, 1; mul.lo.s32 %r21, %r20, 6; sub.s32 %r22, %r21, 3;
        FIRST
        ld.global.u32 %r12, [%rd2]; add.s32 %r12, %r12, 1;
        SECOND
        setp.lt.s32 %p3, %r20, 20;
        @%p3 bra AGAIN;
        """
            .replace("FIRST", barrier("A", "%r22"))
            .replace("SECOND", barrier("B", "%r21"));
    int[] memory = Together.fine(body + KEEP);
    assertEquals(20, memory[Together.RESULTS + 5]);
  }

  private static String barrier(String name, String until) {
    return Together.BARRIER
        .replace("PASSED", "PASSED" + name)
        .replace("WAIT", "WAIT" + name)
        .replace("%r10, %r3", "%r10, " + until);
  }

  @Test
  void theOrderOfWarpsRepeatsForASeedAndDiffersBetweenSeeds() {
    PtxModule tickets =
        Together.kernel("@!%p1 ret;\natom.global.add.u32 %r12, [%rd3], 1;\n" + KEEP);
    int[] first = Together.run(tickets, 0, 1);
    assertArrayEquals(first, Together.run(tickets, 0, 1));
    assertTrue(
        LongStream.range(2, 20)
            .anyMatch(seed -> !Arrays.equals(first, Together.run(tickets, 0, seed))));
  }

  @Test
  void aBarrierThatNotAllBlocksReach() {
    String leaves = "setp.eq.s32 %p3, %r2, 1;\n@%p3 ret;\n";
    waitsForEver(
        leaves + Together.BARRIER,
        "kernel k waits for ever: block (",
        "polls memory by thread (0,0,0) in line",
        Together.LOOK,
        "block (1,0,0) has ended");
    Together.fine(leaves.replace("1;", "9;") + Together.BARRIER);
  }

  @Test
  void waitsForEachOther() {
    // Block b waits for the flag of block b + 1 before it sets its own.
    String wait =
        """
        mul.wide.s32 %rd5, %r6, 4; add.s64 %rd5, %rd3, %rd5;
        mul.wide.s32 %rd6, %r2, 4; add.s64 %rd6, %rd3, %rd6;
        @!%p1 ret;
        SETS
        WAIT: ld.volatile.global.u32 %r10, [%rd5];
        nanosleep.u32 20;
        setp.eq.s32 %p2, %r10, 0;
        @%p2 bra WAIT;
        """;
    String set = "st.volatile.global.u32 [%rd6], 1;\n";
    waitsForEver(
        wait.replace("SETS", "") + set,
        "block (0,0,0) polls",
        "block (1,0,0) polls",
        "block (2,0,0) polls");
    Together.fine(wait.replace("SETS", set));
  }

  @Test
  void aLockThatIsNeverGivenBack() {
    String lock =
        """
        @!%p1 ret;
        WAIT: atom.acquire.gpu.global.cas.b32 %r10, [%rd3], 0, 1;
        setp.ne.s32 %p2, %r10, 0;
        @%p2 bra WAIT;
        ld.global.u32 %r12, [%rd3+4]; add.s32 %r12, %r12, 1; st.global.u32 [%rd3+4], %r12;
        """;
    waitsForEver(lock, "atom.acquire.gpu.global.cas.b32", "has ended");
    int[] memory = Together.fine(lock + "st.release.gpu.global.u32 [%rd3], 0;");
    assertEquals(Together.BLOCKS, memory[Together.FLAGS + 1]);
  }

  @Test
  void aLoopOverManyFlags() {
    // Thread 0 of block 0 waits until all of five flags are set, of which the last never is.
    String body =
        """
        @!%p1 ret;
        @!%p9 bra SET;
        AGAIN:
        mov.u32 %r10, 1; mov.u32 %r11, 0; mov.u64 %rd5, %rd3;
        NEXT:
        ld.acquire.gpu.global.u32 %r12, [%rd5];
        and.b32 %r10, %r10, %r12;
        add.s64 %rd5, %rd5, 4; add.s32 %r11, %r11, 1;
        setp.lt.s32 %p2, %r11, 5;
        @%p2 bra NEXT;
        setp.eq.s32 %p3, %r10, 0;
        @%p3 bra AGAIN;
        ret;
        SET:
        st.release.gpu.global.v4.u32 [%rd3], {%r13, %r13, %r13, %r13};
        LAST
        """
            .replace("@!%p9 bra", "mov.u32 %r13, 1;\n@!%p9 bra");
    waitsForEver(body.replace("LAST", ""), "block (0,0,0) polls", "block (2,0,0) has ended");
    Together.fine(body.replace("LAST", "st.release.gpu.global.u32 [%rd3+16], 1;"));
  }

  @Test
  void aWaitThatGivesUpIsNoneForEver() {
    // Lanes of one warp look a different number of times, then go on: none of them waits for ever.
    String body =
        """
        mov.u32 %r11, 0;
        LOOK: ld.relaxed.gpu.global.u32 %r10, [%rd3];
        add.s32 %r11, %r11, 1;
        setp.le.s32 %p2, %r11, %r1;
        @%p2 bra LOOK;
        mov.u32 %r12, %r11;
        """;
    int[] memory = Together.fine(body + KEEP);
    assertEquals(41, memory[Together.RESULTS + 40]);
    String guarded =
        body.replace("ld.relaxed", "@%p1 ld.relaxed").replace("mov.u32 %r11", "mov.u32 %r10");
    Together.fine(guarded.replace("mov.u32 %r10, 0", "mov.u32 %r11, 0") + KEEP);
  }

  @Test
  void lanesThatPollLetOthersOfTheirWarpGoOn() {
    // The lanes that poll come first in the text; they wait for what a later lane does.
    String body =
        """
        setp.gt.s32 %p2, %r1, 15;
        @%p2 bra SET;
        WAIT: ld.acquire.gpu.global.u32 %r12, [%rd3];
        setp.eq.s32 %p3, %r12, 0;
        @%p3 bra WAIT;
        bra OUT;
        SET: mov.u32 %r12, 1;
        setp.eq.s32 %p4, %r1, 20;
        @%p4 st.release.gpu.global.u32 [%rd3], 1;
        OUT:
        """;
    assertEquals(1, Together.fine(body + KEEP)[Together.RESULTS]);
    // Here the later lanes come to the same load, look five times, and set the flag then.
    String look =
        """
        mov.u32 %r11, 0;
        setp.gt.s32 %p2, %r1, 15;
        @%p2 bra LATER;
        WAIT: ld.acquire.gpu.global.u32 %r12, [%rd3];
        setp.ne.s32 %p3, %r12, 0;
        @%p3 bra OUT;
        @!%p2 bra WAIT;
        LATER: add.s32 %r11, %r11, 1;
        setp.lt.s32 %p4, %r11, 6;
        @%p4 bra WAIT;
        mov.u32 %r12, 1;
        st.release.gpu.global.u32 [%rd3], 1;
        OUT:
        """;
    String first = "setp.gt.s32 %p5, %r1, 31;\n@%p5 ret;\n";
    assertEquals(1, Together.fine(first + look + KEEP)[Together.RESULTS]);
  }

  @Test
  void dynamicSharedMemoryHasTheSizeOfTheLaunch() {
    String text =
        Emulation.HEADER
            + """
            .extern .shared .align 16 .b8 pool[];
            .shared .align 4 .b8 before[20];
            .visible .entry k(.param .u64 p0) {
            .reg .b32 %r<9>; .reg .b64 %rd<9>;
            ld.param.u64 %rd0, [p0];
            .reg .pred %p1;
            mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 0; mov.u32 %r2, pool; shl.b32 %r3, %r1, 2; add.s32 %r4, %r2, %r3;
            @%p1 st.shared.u32 [before+16], 5;
            st.shared.u32 [%r4], %r1;
            bar.sync 0;
            xor.b32 %r3, %r3, 252; add.s32 %r4, %r2, %r3;
            ld.shared.u32 %r5, [%r4];
            mov.u32 %r6, %ctaid.x; mad.lo.s32 %r6, %r6, 64, %r1;
            mul.wide.s32 %rd1, %r6, 4; add.s64 %rd0, %rd0, %rd1;
            st.global.u32 [%rd0], %r5;
            ld.shared.u32 %r5, [before+OFFSET];
            }
            """;
    PtxModule module = PtxModule.parse("test", text.replace("OFFSET", "16"));
    int[] expected = IntStream.range(0, 192).map(i -> 63 - i % 64).toArray();
    assertArrayEquals(expected, Arrays.copyOf(Together.run(module, 256, 3), 192));
    Emulation.assertFault(
        () -> Together.run(module, 252, 3),
        "thread (63,0,0)",
        "outside the 300 bytes of the block's shared memory");
    PtxModule beyond = PtxModule.parse("test", text.replace("OFFSET", "20"));
    Emulation.assertFault(() -> Together.run(beyond, 256, 3), "outside all variables");
    assertEquals(20, module.resources("k").staticShared());
    Emulation emulation = new Emulation();
    long out = emulation.of(new int[192]);
    Emulation.assertFault(
        () -> module.run("k", Together.SHAPE, new Arguments().address(out), emulation.memory),
        "outside the 48 bytes");
  }

  @Test
  void prefetchesHaveAnAddress() {
    Together.fine("prefetch.global.L2 [%rd4];\nprefetch.global.L1 [%rd1];");
    Together.faulty("prefetch.global.L2 [%rd0+16384];", "after the end of the allocation");
  }
}
