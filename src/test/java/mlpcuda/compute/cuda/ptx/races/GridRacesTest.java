package mlpcuda.compute.cuda.ptx.races;

import static mlpcuda.compute.cuda.ptx.kernels.Together.ARRIVE;
import static mlpcuda.compute.cuda.ptx.kernels.Together.BARRIER;
import static mlpcuda.compute.cuda.ptx.kernels.Together.LOOK;
import static mlpcuda.compute.cuda.ptx.kernels.Together.READ;
import static mlpcuda.compute.cuda.ptx.kernels.Together.WRITE;
import static mlpcuda.compute.cuda.ptx.kernels.Together.faulty;
import static mlpcuda.compute.cuda.ptx.kernels.Together.fine;

import mlpcuda.compute.cuda.ptx.kernels.Together;
import org.junit.jupiter.api.Test;

/**
 * Tests that accesses of several blocks to the same memory are faults unless a release and an
 * acquire order them, under every seed. Each faulty kernel has a twin without the fault.
 */
class GridRacesTest {
  private static final String UNRELEASED = "data published without a release";
  private static final String UNACQUIRED = "data read without an acquire";

  /** What may be found first where nothing orders a read and a write of two blocks. */
  private static final String READ_BEFORE = "which no release and acquire put before this write";

  private static String exchange(String arrive, String look) {
    return WRITE + Together.barrier(arrive, look) + READ;
  }

  @Test
  void dataWithoutARelease() {
    fine(exchange(ARRIVE, LOOK));
    faulty(exchange(ARRIVE.replace(".release", ".relaxed"), LOOK), UNRELEASED);
    faulty(exchange(ARRIVE.replace(".release.gpu", ""), LOOK), UNRELEASED);
    faulty(
        exchange(
            ARRIVE
                .replace(".release", ".acquire")
                .replace("red", "atom")
                .replace("[%rd3]", "%r13, [%rd3]"),
            LOOK),
        UNRELEASED);
    fine(exchange("membar.gl;\nred.global.add.u32 [%rd3], 1;", LOOK));
    fine(exchange("fence.acq_rel.gpu;\nred.relaxed.gpu.global.add.u32 [%rd3], 1;", LOOK));
    fine(exchange("fence.sc.sys;\nred.relaxed.gpu.global.add.u32 [%rd3], 1;", LOOK));
    faulty(exchange("red.global.add.u32 [%rd3], 1;\nmembar.gl;", LOOK), UNRELEASED);
    faulty(exchange("membar.cta;\nred.global.add.u32 [%rd3], 1;", LOOK), UNRELEASED);
  }

  @Test
  void dataWithoutAnAcquire() {
    String relaxed = LOOK.replace("acquire", "relaxed");
    String isVolatile = LOOK.replace("acquire.gpu", "volatile");
    faulty(exchange(ARRIVE, relaxed), UNACQUIRED);
    faulty(exchange(ARRIVE, isVolatile), UNACQUIRED);
    faulty(exchange(ARRIVE, relaxed + "\nfence.acq_rel.cta;"), UNACQUIRED);
    fine(exchange(ARRIVE, relaxed + "\nfence.acq_rel.gpu;"));
    fine(exchange(ARRIVE, isVolatile + "\nmembar.gl;"));
    fine(exchange(ARRIVE, "atom.acquire.gpu.global.add.u32 %r10, [%rd3], 0;"));
    fine(exchange(ARRIVE, "atom.acq_rel.sys.global.or.b32 %r10, [%rd3], 0;"));
    faulty(exchange(ARRIVE, "atom.release.gpu.global.add.u32 %r10, [%rd3], 0;"), UNACQUIRED);
  }

  @Test
  void aScopeOfTheBlockAlone() {
    String narrow = "; scope .cta is for threads of the same block alone";
    faulty(exchange(ARRIVE.replace("gpu", "cta"), LOOK), narrow);
    faulty(exchange(ARRIVE, LOOK.replace("gpu", "cta")), narrow);
    // Within a block it does.
    String within =
        """
        st.global.u32 [%rd1], %r1;
        setp.ge.s32 %p3, %r1, 32;
        setp.eq.s32 %p4, %r1, 32;
        mul.wide.s32 %rd5, %r2, 4; add.s64 %rd5, %rd3, %rd5;
        @%p3 bra SECOND;
        bar.warp.sync -1;
        @%p1 st.release.SCOPE.global.u32 [%rd5], 1;
        ret;
        SECOND:
        @!%p4 bra READY;
        WAIT: ld.acquire.SCOPE.global.u32 %r10, [%rd5];
        setp.eq.s32 %p2, %r10, 0;
        @%p2 bra WAIT;
        READY:
        bar.warp.sync -1;
        ld.global.u32 %r12, [%rd1+-128];
        st.global.u32 [%rd4], %r12;
        """;
    fine(within.replace("SCOPE", "cta"));
    fine(within.replace("SCOPE", "gpu"));
    faulty(within.replaceFirst("bar.warp.sync -1;", "").replace("SCOPE", "cta"), "a race with");
    faulty(within.replace("release.SCOPE", "relaxed.cta").replace("SCOPE", "cta"), "a race with");
  }

  @Test
  void barriersOfTheBlockCarryWhatOneThreadReleasesAndAcquires() {
    String first = BARRIER.replaceFirst("bar.sync 0;", "");
    faulty(WRITE + first + READ, UNRELEASED);
    String last = BARRIER.replaceFirst("(?s)bar.sync 0;\\n$", "");
    // Others than thread 0 do not wait: a write may come later than their read.
    faulty(WRITE + last + READ, UNRELEASED, UNACQUIRED, READ_BEFORE);
    fine(WRITE + last + "@!%p1 ret;\n" + READ);
  }

  @Test
  void anyThreadOfABlockMayAcquireForIt() {
    // %p1 chooses the thread that releases and acquires: here one in the middle of the second warp.
    fine("setp.eq.s32 %p1, %r1, 40;\n" + WRITE + BARRIER + READ);
  }

  @Test
  void dataWrittenAfterTheRelease() {
    String body =
        """
        @!%p1 ret;
        @!%p9 bra WAIT;
        st.release.gpu.global.u32 [%rd3], 1;
        st.global.u32 [%rd0], 5;
        ret;
        WAIT: ld.acquire.gpu.global.u32 %r10, [%rd3];
        setp.eq.s32 %p2, %r10, 0;
        @%p2 bra WAIT;
        ld.global.u32 %r12, [%rd0];
        """;
    faulty(body, UNRELEASED, READ_BEFORE);
    fine(body.replace("[%rd0], 5;", "[%rd0+4], 5;"));
  }

  @Test
  void dataOverwrittenBeforeAllHaveReadIt() {
    String again = "add.s32 %r11, %r11, 1;\nst.global.u32 [%rd1], %r11;\n";
    faulty(WRITE + BARRIER + READ + again, READ_BEFORE, UNRELEASED);
    String second =
        BARRIER.replace("PASSED", "PASSED2").replace("WAIT", "WAIT2").replace("%rd3", "%rd3+4");
    fine(WRITE + BARRIER + READ + second + again);
    faulty(WRITE + again.replace("%rd1", "%rd2"), "a race with the write by thread");
  }

  @Test
  void aWriteAfterReadsThatNothingOrders() {
    // All threads of the other blocks read, then thread 0 of each tells block 0, which writes.
    String body =
        """
        @%p9 bra WAIT;
        ld.global.u32 %r12, [%rd0];
        bar.sync 0;
        @%p1 red.release.gpu.global.add.u32 [%rd3], 1;
        ret;
        WAIT:
        @!%p1 ret;
        AGAIN: ld.acquire.gpu.global.u32 %r10, [%rd3];
        setp.ne.s32 %p2, %r10, 2;
        @%p2 bra AGAIN;
        st.global.u32 [%rd0], 5;
        """;
    fine(body);
    faulty(body.replace("red.release", "red.relaxed"), "a race with the read by thread (");
    faulty(body.replace("ld.acquire", "ld.relaxed"), "a race with the read by thread (");
    // The second warp may read before the write or after it.
    faulty(
        body.replace("bar.sync 0;", "bar.warp.sync -1;"),
        "a race with the read by thread (",
        UNRELEASED);
  }

  @Test
  void anOrdinaryLoadThatPolls() {
    faulty(exchange(ARRIVE, "ld.global.u32 %r10, [%rd3];"), "an ordinary load", READ_BEFORE);
    faulty(exchange(ARRIVE, "ld.global.cg.u32 %r10, [%rd3];"), "an ordinary load", READ_BEFORE);
    faulty(
        exchange(ARRIVE, "ld.global.nc.u32 %r10, [%rd3];"),
        "read-only, but written in the same launch",
        "read as read-only in the same launch");
  }

  @Test
  void anOrdinaryLoadOfWhatWasStoredStrongly() {
    String body =
        """
        @!%p1 ret;
        @%p9 bra SET;
        WAIT: ld.relaxed.gpu.global.u32 %r10, [%rd3+4];
        setp.eq.s32 %p2, %r10, 0;
        @%p2 bra WAIT;
        ld.global.u32 %r12, [%rd3];
        ret;
        SET:
        st.relaxed.gpu.global.u32 [%rd3], 1;
        st.relaxed.gpu.global.u32 [%rd3+4], 1;
        """;
    faulty(body, "; an ordinary load may see an old value for ever");
    faulty(body.replace("ld.global", "ld.global.nc"), "read-only, but written in the same launch");
    fine(body.replace("ld.global", "ld.relaxed.gpu.global"));
  }

  @Test
  void anOrdinaryStoreOfAFlag() {
    String flag =
        """
        @!%p1 ret;
        @%p9 bra SET;
        WAIT: ld.acquire.gpu.global.u32 %r10, [%rd3];
        setp.eq.s32 %p2, %r10, 0;
        @%p2 bra WAIT;
        ret;
        SET: STORE
        """;
    faulty(flag.replace("STORE", "membar.gl;\nst.global.u32 [%rd3], 1;"), UNRELEASED, READ_BEFORE);
    fine(flag.replace("STORE", "membar.gl;\nst.volatile.global.u32 [%rd3], 1;"));
    fine(flag.replace("STORE", "st.release.gpu.global.u32 [%rd3], 1;"));
  }

  @Test
  void dataThatIsReadOnlyInTheWholeLaunch() {
    String body = WRITE + BARRIER + READ.replace("ld.global", "ld.global.nc");
    faulty(body, "read-only, but written in the same launch by thread (");
    faulty(
        READ.replace("ld.global", "ld.global.nc") + BARRIER + WRITE,
        "which was read as read-only in the same launch");
    fine(READ.replace("ld.global", "ld.global.nc"));
  }

  /** A chain of blocks: 0 writes data and sets flag 1, 1 waits for it and sets flag 2, … */
  private static String chain(String set) {
    return """
        @!%p1 ret;
        @!%p9 bra WAIT;
        st.global.u32 [%rd0], 5;
        st.release.gpu.global.u32 [%rd3+4], 1;
        ret;
        WAIT:
        mul.wide.s32 %rd5, %r2, 4; add.s64 %rd5, %rd3, %rd5;
        AGAIN: ld.acquire.gpu.global.u32 %r10, [%rd5];
        setp.eq.s32 %p2, %r10, 0;
        @%p2 bra AGAIN;
        SET
        ld.global.u32 %r12, [%rd0];
        st.global.u32 [%rd4], %r12;
        """
        .replace("SET", set);
  }

  @Test
  void whatAThreadAcquiredItReleasesToo() {
    fine(chain("st.release.gpu.global.u32 [%rd5+4], 1;"));
    faulty(chain("st.relaxed.gpu.global.u32 [%rd5+4], 1;"), UNACQUIRED);
  }

  @Test
  void updatesGoOnWithARelease() {
    // Block 1 only adds to the flag that block 0 released; block 2 sees the sum.
    String body =
        """
        @!%p1 ret;
        setp.eq.s32 %p8, %r2, 1;
        @%p9 bra FIRST;
        @%p8 bra SECOND;
        AGAIN: ld.relaxed.gpu.global.u32 %r10, [%rd3];
        setp.ne.s32 %p2, %r10, 2;
        @%p2 bra AGAIN;
        ld.acquire.gpu.global.u32 %r10, [%rd3];
        ld.global.u32 %r12, [%rd0];
        ret;
        FIRST:
        st.global.u32 [%rd0], 5;
        st.release.gpu.global.u32 [%rd3], 1;
        ret;
        SECOND: ld.relaxed.gpu.global.u32 %r10, [%rd3];
        setp.ne.s32 %p2, %r10, 1;
        @%p2 bra SECOND;
        UPDATE
        """;
    fine(body.replace("UPDATE", "red.relaxed.gpu.global.add.u32 [%rd3], 1;"));
    faulty(body.replace("UPDATE", "st.relaxed.gpu.global.u32 [%rd3], 2;"), UNACQUIRED);
  }

  @Test
  void eachMessageNamesWhoAndWhere() {
    faulty(
        exchange(ARRIVE.replace(".release", ".relaxed"), LOOK),
        "ld.global.u32 %r12, [%rd2]; at 0x");
    faulty(
        exchange(ARRIVE.replace(".release", ".relaxed"), LOOK),
        ",0,0) in line 19 (st.global.u32 [%rd1], %r11;)");
  }

  @Test
  void withinABlockBarriersOrder() {
    String before = "st.global.u32 [%rd1], %r1;\n";
    String after =
        "xor.b32 %r5, %r1, 33; mad.lo.s32 %r5, %r2, 64, %r5; mul.wide.s32 %rd5, %r5, 4;\n"
            + "add.s64 %rd5, %rd0, %rd5; ld.global.u32 %r12, [%rd5];\n";
    faulty(before + after, "without a barrier between");
    faulty(before + "membar.gl;\n" + after, "without a barrier between");
    fine(before + "bar.sync 0;\n" + after);
    faulty(after + before, "without a barrier between");
    fine(after + "bar.sync 0;\n" + before);
    String neighbour = after.replace("33;", "1;");
    faulty(before + neighbour, "without a barrier between");
    fine(before + "bar.warp.sync -1;\n" + neighbour);
    faulty(before + "bar.warp.sync -1;\n" + after, "without a barrier between");
    faulty("st.global.u32 [%rd0], %r1;", "which writes another value at once", "a race with");
  }

  @Test
  void sharedMemoryOfLiveBlocksIsTheirOwn() {
    String body =
        """
        .shared .align 16 .b8 cell[256];
        mov.u32 %r20, cell; shl.b32 %r21, %r1, 2; add.s32 %r22, %r20, %r21;
        xor.b32 %r21, %r21, 252; add.s32 %r23, %r20, %r21;
        st.shared.u32 [%r22], %r2;
        BARRIER
        ld.shared.u32 %r12, [%r23];
        st.global.u32 [%rd4], %r12;
        """;
    fine(body.replace("BARRIER", "bar.sync 0;"));
    fine(body.replace("BARRIER", BARRIER));
    faulty(
        body.replace("BARRIER", ""),
        "a race with the write by thread (",
        "which no thread of the block has written");
  }

  @Test
  void bytesOfAWordAreApart() {
    String body =
        """
        cvt.u16.u32 %rs1, %r2; cvt.u64.u32 %rd5, %r2; add.s64 %rd5, %rd0, %rd5;
        @!%p1 ret;
        st.global.u8 [%rd5], %rs1; ld.global.u8 %rs2, [%rd5];
        """;
    fine(body);
    faulty(body + "ld.global.u32 %r12, [%rd0];", UNRELEASED, READ_BEFORE);
  }
}
