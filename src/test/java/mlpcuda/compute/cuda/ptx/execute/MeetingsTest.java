package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.Test;

/** Tests shuffles, votes and barriers: their results, and that all lanes that must come do. */
class MeetingsTest {
  private static void check(String body, IntUnaryOperator expected) {
    assertArrayEquals(
        IntStream.range(0, 64).map(expected).toArray(), Emulation.ints(1, 64, body), body);
  }

  private static void refused(int threads, String body, String... parts) {
    Emulation.assertFault(Emulation.shape(1, threads), 64, "mov.u32 %r1, %tid.x;\n" + body, parts);
  }

  @Test
  void shuffles() {
    check("shfl.sync.bfly.b32 %r0, %r1, 5, 31, -1;", i -> i ^ 5);
    check("shfl.sync.idx.b32 %r0, %r1, 3, 31, -1;", i -> i / 32 * 32 + 3);
    check("shfl.sync.down.b32 %r0, %r1, 4, 31, -1;", i -> i % 32 < 28 ? i + 4 : i);
    check("shfl.sync.up.b32 %r0, %r1, 4, 0, -1;", i -> i % 32 >= 4 ? i - 4 : i);
  }

  @Test
  void shufflesOfSegments() {
    // Segments of 8 lanes: c has 24 in bits 8 to 12.
    check("shfl.sync.down.b32 %r0, %r1, 3, 6175, -1;", i -> i % 8 < 5 ? i + 3 : i);
    check("shfl.sync.up.b32 %r0, %r1, 3, 6144, -1;", i -> i % 8 >= 3 ? i - 3 : i);
    check("shfl.sync.idx.b32 %r0, %r1, 10, 6175, -1;", i -> i / 8 * 8 + 2);
    check("shfl.sync.bfly.b32 %r0, %r1, 8, 6175, -1;", i -> i % 16 >= 8 ? i - 8 : i);
  }

  @Test
  void shufflesSayWhetherTheOtherLaneWasInRange() {
    check(
        "shfl.sync.down.b32 %r5|%p1, %r1, 30, 31, -1;\nselp.b32 %r0, 1, 0, %p1;",
        i -> i % 32 < 2 ? 1 : 0);
  }

  @Test
  void shufflesInPlaceReadWhatWasBefore() {
    check("mov.u32 %r0, %r1;\nshfl.sync.bfly.b32 %r0, %r0, 1, 31, -1;", i -> i ^ 1);
  }

  @Test
  void halfWarpsShuffleApart() {
    check(
        """
        and.b32 %r5, %r1, 16; setp.eq.s32 %p1, %r5, 0;
        @%p1 bra LOW;
        shfl.sync.bfly.b32 %r0, %r1, 1, 31, 0xffff0000;
        bra OUT;
        LOW:
        shfl.sync.bfly.b32 %r0, %r1, 2, 31, 0x0000ffff;
        OUT:
        """,
        i -> (i & 16) == 0 ? i ^ 2 : i ^ 1);
  }

  @Test
  void lanesWaitForThoseThatComeLater() {
    // The meeting comes first in the text, so lanes come to it before others have gone around.
    check(
        """
        mov.u32 %r0, %r1;
        setp.gt.s32 %p1, %r1, 40;
        @%p1 bra AROUND;
        MEET:
        shfl.sync.bfly.b32 %r0, %r0, 1, 31, -1;
        bra OUT;
        AROUND:
        add.s32 %r0, %r0, 100;
        bra MEET;
        OUT:
        """,
        i -> (i ^ 1) + ((i ^ 1) > 40 ? 100 : 0));
  }

  @Test
  void votes() {
    String test = "setp.gt.s32 %p1, %r1, 40;\n";
    String one = "selp.b32 %r0, 1, 0, %p2;";
    check(test + "vote.sync.ballot.b32 %r0, %p1, -1;", i -> i < 32 ? 0 : 0xfffffe00);
    check(test + "vote.sync.any.pred %p2, %p1, -1;\n" + one, i -> i / 32);
    check(test + "vote.sync.all.pred %p2, %p1, -1;\n" + one, i -> 0);
    check(test + "vote.sync.all.pred %p2, !%p1, -1;\n" + one, i -> i < 32 ? 1 : 0);
    check(test + "vote.sync.uni.pred %p2, %p1, -1;\n" + one, i -> i < 32 ? 1 : 0);
    check(test + "mov.u32 %r0, 9;\n@%p1 activemask.b32 %r0;", i -> i > 40 ? 0xfffffe00 : 9);
  }

  @Test
  void masksMustNameThoseThatCome() {
    refused(20, "shfl.sync.bfly.b32 %r0, %r1, 1, 31, -1;", "lane 20, which is no thread", "line");
    refused(
        32,
        "setp.eq.s32 %p1, %r1, 7;\n@%p1 ret;\nshfl.sync.bfly.b32 %r0, %r1, 1, 31, -1;",
        "lane 7, which has exited");
    refused(
        32,
        "shfl.sync.bfly.b32 %r0, %r1, 1, 31, 0x0000ffff;",
        "thread (16,0,0)",
        "a mask without itself: 0x0000ffff");
    refused(
        32,
        """
        setp.lt.s32 %p1, %r1, 16;
        @!%p1 bra OUT;
        shfl.sync.bfly.b32 %r0, %r1, 16, 31, 0x0000ffff;
        OUT:
        """,
        "reads lane 16, which is not in its mask");
    refused(
        32,
        """
        setp.lt.s32 %p1, %r1, 16;
        @!%p1 bra OUT;
        shfl.sync.bfly.b32 %r0, %r1, 1, 31, -1;
        OUT: ret;
        """,
        "waits for lanes that never come");
    refused(
        32,
        "setp.lt.s32 %p1, %r1, 16;\nselp.b32 %r2, 0x0000ffff, -1, %p1;\n"
            + "vote.sync.any.pred %p2, %p1, %r2;",
        "which has mask");
  }

  @Test
  void lanesThatWaitApartWaitForEver() {
    refused(
        32,
        """
        setp.lt.s32 %p1, %r1, 16;
        @%p1 bra LOW;
        bar.warp.sync -1;
        bra OUT;
        LOW:
        shfl.sync.bfly.b32 %r0, %r1, 1, 31, -1;
        OUT:
        """,
        "waits for ever",
        "bar.warp.sync",
        "shfl.sync");
  }

  /** A kernel in which threads exchange values through shared memory, round after round. */
  private static final String ROUNDS =
      """
      .shared .align 4 .b8 cell[512];
      mov.u32 %r1, %tid.x;
      mov.u32 %r9, cell;
      shl.b32 %r2, %r1, 2; add.s32 %r2, %r9, %r2;
      sub.s32 %r3, 127, %r1; shl.b32 %r3, %r3, 2; add.s32 %r3, %r9, %r3;
      mov.u32 %r4, %r1;
      mov.u32 %r5, 0;
      LOOP:
      st.shared.u32 [%r2], %r4;
      bar.sync 0;
      ld.shared.u32 %r4, [%r3];
      barrier.sync.aligned 0;
      add.s32 %r4, %r4, 1;
      add.s32 %r5, %r5, 1;
      setp.lt.s32 %p1, %r5, 5;
      @%p1 bra LOOP;
      mul.wide.s32 %rd1, %r1, 4; add.s64 %rd1, %rd0, %rd1;
      st.global.u32 [%rd1], %r4;
      """;

  @Test
  void barriersOfManyWarps() {
    int[] out = Emulation.buffer(Emulation.shape(1, 128), 128, ROUNDS);
    assertArrayEquals(IntStream.range(0, 128).map(i -> 127 - i + 5).toArray(), out);
  }

  @Test
  void everyThreadMustComeToABarrier() {
    refused(
        64,
        "setp.eq.s32 %p1, %r1, 40;\n@%p1 ret;\nbar.sync 0;",
        "waits for all threads of the block, but thread (40,0,0) has exited");
    refused(
        64,
        "setp.ge.s32 %p1, %r1, 32;\n@%p1 ret;\nbar.sync 0;",
        "waits for all threads of the block, but thread (32,0,0) has exited");
    refused(64, "setp.lt.s32 %p1, %r1, 9;\n@%p1 bar.sync 0;", "thread (9,0,0) has exited");
  }

  @Test
  void allMustComeToTheSameBarrier() {
    String apart =
        """
        setp.lt.s32 %p1, %r1, SPLIT;
        @%p1 bra LOW;
        bar.sync 0;
        bra OUT;
        LOW:
        bar.sync 0;
        OUT:
        """;
    refused(64, apart.replace("SPLIT", "32"), "waits at the barrier in line");
    refused(64, apart.replace("SPLIT", "16"), "waits for ever", "bar.sync 0;");
    int[] together =
        Emulation.buffer(
            Emulation.shape(1, 64), 1, "mov.u32 %r1, %tid.x;\n" + apart.replace("SPLIT", "64"));
    assertEquals(0, together[0]);
  }
}
