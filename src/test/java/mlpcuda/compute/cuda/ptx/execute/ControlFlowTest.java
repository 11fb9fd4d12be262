package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;

/**
 * Tests branches, loops and exits that differ from lane to lane, predicates, threads' coordinates.
 */
class ControlFlowTest {
  /** Asserts what each thread, %r1, computes as %r0, in whole and partial warps. */
  private static void check(String body, IntUnaryOperator expected) {
    for (int threads : new int[] {1, 31, 32, 70}) {
      assertArrayEquals(
          IntStream.range(0, 3 * threads).map(expected).toArray(),
          Emulation.ints(3, threads, body),
          threads + " threads a block");
    }
  }

  @Test
  void predicatesGuardSingleInstructions() {
    check(
        """
        mov.u32 %r0, 7;
        setp.lt.s32 %p1, %r1, 20;
        @%p1 add.s32 %r0, %r0, %r1;
        @!%p1 mov.u32 %r0, 3;
        """,
        i -> i < 20 ? 7 + i : 3);
  }

  @Test
  void nestedBranchesMeetAgain() {
    check(
        """
        and.b32 %r5, %r1, 1; setp.eq.s32 %p1, %r5, 0;
        and.b32 %r6, %r1, 2; setp.eq.s32 %p2, %r6, 0;
        mov.u32 %r0, 0;
        @%p1 bra EVEN;
        add.s32 %r0, %r0, 100;
        @%p2 bra JOIN;
        add.s32 %r0, %r0, 1000;
        bra.uni JOIN;
        EVEN:
        @!%p2 bra JOIN;
        add.s32 %r0, %r0, 10;
        JOIN:
        add.s32 %r0, %r0, %r1;
        """,
        i -> i + (i % 2 == 0 ? i % 4 == 0 ? 10 : 0 : i % 4 == 1 ? 100 : 1100));
  }

  @Test
  void loopsEndLaneByLane() {
    check(
        """
        and.b32 %r5, %r1, 15;
        mov.u32 %r0, 0;
        LOOP:
        setp.le.s32 %p1, %r5, 0;
        @%p1 bra DONE;
        add.s32 %r0, %r0, %r5;
        add.s32 %r5, %r5, -1;
        bra LOOP;
        DONE:
        """,
        i -> (i & 15) * ((i & 15) + 1) / 2);
  }

  @Test
  void loopsWhoseBodiesComeAfterTheirEnds() {
    check(
        """
        and.b32 %r5, %r1, 7;
        mov.u32 %r0, 1;
        bra.uni TEST;
        DONE:
        add.s32 %r0, %r0, 5;
        bra.uni OUT;
        TEST:
        setp.eq.s32 %p1, %r5, 0;
        @%p1 bra DONE;
        shl.b32 %r0, %r0, 1;
        add.s32 %r5, %r5, -1;
        bra.uni TEST;
        OUT:
        """,
        i -> (1 << (i & 7)) + 5);
  }

  @Test
  void someReturnEarly() {
    int[] out =
        Emulation.buffer(
            Emulation.shape(1, 40),
            40,
            """
            mov.u32 %r1, %tid.x; mul.wide.s32 %rd2, %r1, 4; add.s64 %rd3, %rd0, %rd2;
            setp.gt.s32 %p1, %r1, 9;
            @%p1 bra GO;
            ret;
            GO:
            setp.eq.s32 %p1, %r1, 12;
            @%p1 exit;
            st.global.u32 [%rd3], %r1;
            """);
    assertArrayEquals(IntStream.range(0, 40).map(i -> i > 9 && i != 12 ? i : 0).toArray(), out);
  }

  @Test
  void branchesByIndex() {
    check(
        """
        and.b32 %r5, %r1, 3;
        mov.u32 %r0, 0;
        brx.idx %r5, TARGETS;
        TARGETS: .branchtargets A, B, A, C;
        A: add.s32 %r0, %r0, 1; bra.uni OUT;
        B: add.s32 %r0, %r0, 10;
        C: add.s32 %r0, %r0, 100;
        OUT:
        """,
        i -> new int[] {1, 110, 1, 100}[i & 3]);
  }

  @Test
  void uniformBranchesMustBe() {
    Emulation.assertFault(
        Emulation.shape(1, 32),
        1,
        "mov.u32 %r1, %tid.x; setp.eq.s32 %p1, %r1, 5;\n@%p1 bra.uni OUT;\nOUT: ret;",
        "kernel k, block (0,0,0), thread (0,0,0)",
        "bra.uni OUT;",
        "another way");
  }

  @Test
  void coordinatesOfThreadsAndBlocks() {
    // out[((z * gridY + y) * gridX + x) * threads + tid.y * blockX + tid.x] = all of these as
    // digits
    String body =
        """
        mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %ctaid.x;
        mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ctaid.z; mov.u32 %r6, %ntid.x;
        mov.u32 %r7, %ntid.y; mov.u32 %r8, %nctaid.x; mov.u32 %r9, %nctaid.y;
        mov.u32 %r10, %laneid; mov.u32 %r11, %warpid;
        mad.lo.s32 %r12, %r5, %r9, %r4;
        mad.lo.s32 %r12, %r12, %r8, %r3;
        mad.lo.s32 %r12, %r12, %r7, %r2;
        mad.lo.s32 %r12, %r12, %r6, %r1;
        mul.wide.s32 %rd1, %r12, 4; add.s64 %rd1, %rd0, %rd1;
        mad.lo.s32 %r13, %r5, 10, %r4; mad.lo.s32 %r13, %r13, 10, %r3;
        mad.lo.s32 %r13, %r13, 10, %r2; mad.lo.s32 %r13, %r13, 100, %r1;
        mad.lo.s32 %r13, %r13, 10, %r11; mad.lo.s32 %r13, %r13, 100, %r10;
        st.global.u32 [%rd1], %r13;
        """;
    int[] out = Emulation.buffer(new Shape(3, 2, 2, 20, 3), 12 * 60, body);
    int[] expected = new int[12 * 60];
    for (int i = 0; i < expected.length; i++) {
      int thread = i % 60;
      int block = i / 60;
      int digits = (block / 6 * 10 + block / 3 % 2) * 10 + block % 3;
      digits = (digits * 10 + thread / 20) * 100 + thread % 20;
      expected[i] = (digits * 10 + thread / 32) * 100 + thread % 32;
    }
    assertArrayEquals(expected, out);
  }

  @Test
  void endlessLoopsEnd() {
    Emulation emulation = new Emulation();
    PtxModule module = Emulation.kernel(0, "LOOP: bra LOOP;");
    Emulation.assertFault(
        () -> module.run("k", Emulation.shape(1, 64), new Arguments(), emulation.memory, 100_000),
        "kernel k, block (0,0,0)",
        "LOOP",
        "too many instructions");
  }
}
