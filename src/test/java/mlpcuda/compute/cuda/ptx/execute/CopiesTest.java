package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.kernels.Together;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import mlpcuda.compute.cuda.ptx.module.PtxModule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests cp.async: what it copies, which accesses it checks, and that a use of the bytes before the
 * wait and the barrier is found. Each kernel at fault has a twin that is not.
 */
class CopiesTest {
  private static final int THREADS = 64;
  private static final Shape TWO_WARPS = Emulation.shape(1, THREADS);

  /**
   * %r1: the thread, %r2: its 16 bytes in shared memory, %r3: the next thread's, %rd1: its 16 bytes
   * in the buffer, of which word i is 3 i, %rd2: its word of the results.
   */
  private static final String START =
      """
      .shared .align 16 .b8 a[2048];
      mov.u32 %r1, %tid.x; mov.u32 %r9, a;
      shl.b32 %r2, %r1, 4; add.s32 %r2, %r9, %r2;
      add.s32 %r3, %r1, 1; and.b32 %r3, %r3, 63; shl.b32 %r3, %r3, 4; add.s32 %r3, %r9, %r3;
      mul.wide.s32 %rd3, %r1, 16; add.s64 %rd1, %rd0, %rd3;
      mul.wide.s32 %rd3, %r1, 4; add.s64 %rd2, %rd0, %rd3; add.s64 %rd2, %rd2, 1024;
      """;

  private static final String COPY = "cp.async.ca.shared.global [%r2], [%rd1], 16;\n";
  private static final String COMMIT = "cp.async.commit_group;\n";
  private static final String WAIT = "cp.async.wait_group 0;\n";
  private static final String BARRIER = "bar.sync 0;\n";
  private static final String READ_OWN = "ld.shared.u32 %r4, [%r2+4];\n";
  private static final String READ_NEXT = "ld.shared.u32 %r4, [%r3+4];\n";
  private static final String KEEP = "st.global.u32 [%rd2], %r4;\n";

  /** Runs a kernel on a buffer of 256 words and 64 of results, which are returned. */
  private static int[] run(String body) {
    return run(THREADS, body);
  }

  private static int[] run(int threads, String body) {
    Emulation emulation = new Emulation();
    long buffer = emulation.of(IntStream.range(0, 320).map(i -> i < 256 ? 3 * i : -1).toArray());
    emulation.run(Emulation.kernel(1, START + body), Emulation.shape(1, threads), buffer);
    return IntStream.of(emulation.ints(buffer, 320)).skip(256).toArray();
  }

  private static void refused(String body, String... parts) {
    Emulation.assertFault(() -> run(body), parts);
  }

  /** Asserts a fault of one warp, whose lanes go in their order. */
  private static void warpRefused(String body, String... parts) {
    Emulation.assertFault(() -> run(32, body), parts);
  }

  // ---- what is copied ----

  @Test
  void copiesOfEachSize() {
    for (int bytes : new int[] {4, 8, 16}) {
      String copy =
          "cp.async.ca.shared.global.L2::128B [%r2], [%rd1], " + bytes + ";\n" + COMMIT + WAIT;
      String last = READ_OWN.replace("+4", "+" + (bytes - 4));
      assertArrayEquals(
          IntStream.range(0, THREADS).map(i -> 3 * (4 * i + bytes / 4 - 1)).toArray(),
          run(copy + last + KEEP));
      if (bytes < 16) {
        refused(copy + READ_OWN.replace("+4", "+" + bytes), "no thread of the block has written");
      }
    }
    String cached = "cp.async.cg.shared::cta.global.L2::256B [%r2], [%rd1], 16;\n";
    assertEquals(3 * (4 * 63 + 1), run(cached + COMMIT + WAIT + READ_OWN + KEEP)[63]);
  }

  /** Tests that zeros follow the bytes that are copied, of which there may be any number. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 4, 6, 7, 8, 12, 15, 16})
  void zerosFollowFewerBytes(int size) {
    int[] out =
        run(
            "mov.u32 %r5, SIZE; cp.async.cg.shared.global [%r2], [%rd1], 16, %r5;\n"
                    .replace("SIZE", String.valueOf(size))
                + "cp.async.wait_all;\nbar.sync 0;\nand.b32 %r6, %r1, 3; shl.b32 %r6, %r6, 2;\n"
                + "and.b32 %r7, %r1, -4; shl.b32 %r7, %r7, 2; add.s32 %r6, %r6, %r7;\n"
                + "add.s32 %r6, %r6, %r9; ld.shared.u32 %r4, [%r6];\n"
                + KEEP);
    for (int i = 0; i < THREADS; i++) {
      int copied = Math.max(0, Math.min(4, size - i % 4 * 4));
      int word = 3 * i;
      assertEquals(copied == 4 ? word : word & (1 << 8 * copied) - 1, out[i], "word " + i);
    }
  }

  @Test
  void numbersOfBytesMayBeInTheText() {
    String copy = "cp.async.ca.shared.global [%r2], [%rd1], 8, 4;\n" + COMMIT + WAIT;
    assertEquals(0, run(copy + READ_OWN + KEEP)[9]);
    assertEquals(3 * 36, run(copy + READ_OWN.replace("+4", "+0") + KEEP)[9]);
    refused(copy.replace("8, 4", "8, 12"), "copies 12 of 8 bytes");
    refused(copy.replace("8, 4", "8, %r5").replace("cp", "mov.u32 %r5, -1;\ncp"), "copies -1 of");
  }

  // ---- the checks of both addresses ----

  @Test
  void theSourceMustBeThere() {
    String far = "add.s64 %rd1, %rd0, 1272;\n";
    String copy = far + "cp.async.ca.shared.global [%r2], [%rd1], 8";
    refused(
        copy.replace("1272", "1280") + ";", "ends 8 bytes after the end of the allocation of 1280");
    run(copy + ";");
    // The bytes that are not copied need not be there; where none is, there may be nothing.
    refused(copy.replace("1272", "1280") + ", 1;", "ends 1 bytes after the end");
    run(copy.replace("1272", "1280") + ", 0;");
    run("mov.u64 %rd1, 0;\ncp.async.ca.shared.global [%r2], [%rd1], 8, 0;");
    refused("mov.u64 %rd1, 0;\ncp.async.ca.shared.global [%r2], [%rd1], 8;", "the null pointer");
  }

  @Test
  void theSourceMustBeWritten() {
    Emulation emulation = new Emulation();
    long fresh = emulation.memory.allocate(1024);
    String copy = "st.global.u32 [%rd1], %r1;\ncp.async.ca.shared.global [%r2], [%rd1], 8";
    Emulation.assertFault(
        () -> emulation.run(Emulation.kernel(1, START + copy + ";"), TWO_WARPS, fresh),
        "was never written");
    emulation.run(Emulation.kernel(1, START + copy + ", 4;"), TWO_WARPS, fresh);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 8, 16})
  void bothAddressesMustBeAligned(int bytes) {
    String copy = "cp.async.ca.shared.global [%r2+TO], [%rd1+FROM], " + bytes + ";";
    String half = String.valueOf(bytes / 2);
    refused(copy.replace("TO", half).replace("FROM", "0"), "no multiple of " + bytes);
    refused(copy.replace("TO", "0").replace("FROM", half), "no multiple of " + bytes);
    String empty = copy.replace(";", ", 0;");
    refused(empty.replace("TO", "0").replace("FROM", half), "no multiple of " + bytes);
    run(copy.replace("TO", "0").replace("FROM", "0"));
  }

  @Test
  void theDestinationMustBeInSharedMemory() {
    refused("add.s32 %r2, %r2, 1040;\n" + COPY, "thread (63,0,0)", "outside the 2048 bytes");
    String gap = ".shared .align 16 .b8 b[16];\nmov.u32 %r5, b;\nadd.s32 %r2, %r9, 2048;\n";
    refused(gap + COPY + "st.shared.u32 [%r5], %r1;", "outside all variables of shared memory");
  }

  @Test
  void genericAddressesOfSharedMemoryAreConverted() {
    String convert =
        "cvt.u64.u32 %rd5, %r2; cvta.shared.u64 %rd5, %rd5;\nTO\ncvt.u32.u64 %r2, %rd5;\n";
    String use = COPY + COMMIT + WAIT + READ_OWN + KEEP;
    assertEquals(15, run(convert.replace("TO", "cvta.to.shared.u64 %rd5, %rd5;") + use)[1]);
    refused(convert.replace("TO", "") + use, "outside the 2048 bytes");
    refused("cvta.to.shared.u64 %rd5, %rd0;\ncvt.u32.u64 %r2, %rd5;\n" + use, "outside the 2048");
  }

  // ---- the wait ----

  @Test
  void bytesAreThereAfterTheWait() {
    int[] own = IntStream.range(0, THREADS).map(i -> 3 * (4 * i + 1)).toArray();
    assertArrayEquals(own, run(COPY + COMMIT + WAIT + READ_OWN + KEEP));
    assertArrayEquals(own, run(COPY + "cp.async.wait_all;\n" + READ_OWN + KEEP));
    int[] next = IntStream.range(0, THREADS).map(i -> 3 * (4 * ((i + 1) % 64) + 1)).toArray();
    assertArrayEquals(next, run(COPY + COMMIT + WAIT + BARRIER + READ_NEXT + KEEP));
  }

  @Test
  void readsBeforeTheWait() {
    String message = "where a copy by thread (0,0,0) is under way (cp.async in line ";
    warpRefused(COPY + READ_OWN, "ld.shared.u32", message, "put the copy into no group");
    warpRefused(COPY + WAIT + READ_OWN, message, "put the copy into no group");
    warpRefused(COPY + COMMIT + READ_OWN, message, "has committed 0 groups after");
    refused(COPY + COMMIT + BARRIER + READ_OWN, "is under way");
    warpRefused(
        COPY + COMMIT + BARRIER + READ_NEXT,
        "thread (0,0,0), line",
        "a copy by thread (1,0,0) is under way");
    refused(
        COPY + COMMIT + COMMIT + "cp.async.wait_group 2;\n" + READ_OWN, "has committed 1 groups");
    run(COPY + COMMIT + COMMIT + "cp.async.wait_group 1;\n" + READ_OWN);
    // Half of the threads do not wait.
    String half = "setp.lt.s32 %p1, %r1, 32;\n@%p1 " + WAIT;
    refused(COPY + COMMIT + half + BARRIER + READ_NEXT, "a copy by thread (", "under way");
    run(COPY + COMMIT + half + "@!%p1 " + WAIT + BARRIER + READ_NEXT);
    String matrix = "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r5}, [%r2];\n";
    refused(COPY + COMMIT + BARRIER + matrix, "ldmatrix", "is under way");
    run(COPY + COMMIT + WAIT + BARRIER + matrix);
  }

  @Test
  void groupsEndInTheirOrder() {
    // Three groups of 4 bytes; each wait is one too few for the last bytes that are read.
    StringBuilder copies = new StringBuilder();
    for (int i = 0; i < 3; i++) {
      copies.append(
          "cp.async.ca.shared.global [%r2+AT], [%rd1+AT], 4;\n".replace("AT", "" + 4 * i));
      copies.append(COMMIT);
    }
    for (int pending = 0; pending < 3; pending++) {
      String wait = "cp.async.wait_group " + pending + ";\n";
      int last = 4 * (2 - pending);
      int[] out = run(copies + wait + READ_OWN.replace("+4", "+" + last) + KEEP);
      assertEquals(3 * (4 * 5 + 2 - pending), out[5]);
      if (pending > 0) {
        String beyond = READ_OWN.replace("+4", "+" + (last + 4));
        refused(copies + wait + beyond, "has committed " + (pending - 1) + " groups");
      }
    }
    refused(
        copies + "cp.async.wait_group 3;\n" + READ_OWN.replace("+4", "+0"),
        "has committed 2 groups");
  }

  @Test
  void onlyOtherThreadsNeedABarrier() {
    refused(COPY + COMMIT + WAIT + READ_NEXT, "a race with the write by thread (");
    // The barrier comes before the wait.
    refused(COPY + COMMIT + BARRIER + WAIT + READ_NEXT, "a race with the write by thread (");
    String lanes = "xor.b32 %r3, %r2, 16;\n";
    refused(COPY + COMMIT + WAIT + lanes + READ_NEXT, "a race with the write by thread (");
    run(COPY + COMMIT + WAIT + "bar.warp.sync -1;\n" + lanes + READ_NEXT);
  }

  @Test
  void writesOfWhatIsBeingCopied() {
    String write = "st.shared.u32 [%r2+8], %r1;\n";
    refused(COPY + COMMIT + write, "st.shared.u32", "is under way");
    run(COPY + COMMIT + WAIT + write);
    refused(COPY + COPY, "cp.async", "is under way");
    run(COPY + COMMIT + WAIT + COPY);
    warpRefused(
        COPY.replace("%r2", "%r9"), "thread (1,0,0)", "a copy by thread (0,0,0) is under way");
  }

  @Test
  void copiesOverWhatOthersStillRead() {
    String fill = "st.shared.v4.u32 [%r2], {%r1, %r1, %r1, %r1};\nbar.sync 0;\n";
    String rest = COMMIT + WAIT;
    refused(fill + READ_NEXT + COPY + rest, "cp.async", "a race with the read by thread (");
    run(fill + READ_NEXT + BARRIER + COPY + rest);
    run(fill + READ_OWN + COPY + rest);
    String others = COPY.replace("%r2", "%r3");
    refused(fill + READ_OWN + others + rest, "a race with the ");
    refused(fill.replace("bar.sync 0;", "") + others, "a race with the write by thread (");
  }

  @Test
  void theSourceMustNotChangeOnTheWay() {
    String change = "st.global.u32 [%rd1+12], %r1;\n";
    refused(
        COPY + COMMIT + change + WAIT,
        "cp.async.wait_group 0;",
        "waits for the copy of line 18 from 0x",
        "changed while the copy was under way");
    run(COPY + COMMIT + WAIT + change);
    run(COPY.replace("16;", "8;") + COMMIT + change + WAIT);
    // Another thread changes it, with a barrier after the copy's begin alone.
    String other = "xor.b32 %r5, %r1, 32; mul.wide.s32 %rd3, %r5, 16; add.s64 %rd3, %rd0, %rd3;\n";
    String changeOther = "st.global.u32 [%rd3], %r9;\n";
    refused(other + COPY + COMMIT + BARRIER + changeOther + BARRIER + WAIT, "changed while");
    run(other + COPY + COMMIT + WAIT + BARRIER + changeOther);
    String lane = other.replace("%r1, 32", "%r1, 1");
    refused(lane + changeOther + COPY, "cp.async", "a race with the write by thread (");
    run(lane + changeOther + BARRIER + COPY);
    String late = lane + COPY + COMMIT + BARRIER + WAIT + changeOther;
    refused(late, "st.global.u32", "a race with the read by thread (");
    run(late.replace(WAIT, WAIT + "bar.warp.sync -1;\n"));
    // The barrier comes before the wait: whether the copy or the store comes first is chance.
    Fault fault =
        assertThrows(Fault.class, () -> run(other + COPY + COMMIT + BARRIER + WAIT + changeOther));
    boolean known =
        fault.getMessage().contains("changed while the copy was under way")
            || fault.getMessage().contains("a race with the read by thread (");
    assertTrue(known, fault.getMessage());
  }

  @Test
  void kernelsMayEndWhileCopiesAreUnderWay() {
    run(COPY);
    run(COPY + COMMIT);
    // The next block has the same place for its shared memory, and none of these copies.
    Shape blocks = Emulation.shape(3, 32);
    String body = "st.shared.u32 [%r2], %r1;\n" + READ_OWN.replace("+4", "+0") + COPY;
    Emulation.buffer(blocks, 320, START + body);
  }

  @Test
  void lanesThatAGuardExcludesCopyNothing() {
    String half = "setp.lt.s32 %p1, %r1, 32;\nst.shared.u32 [%r2+4], 7;\n@%p1 ";
    int[] out = run(half + COPY + COMMIT + WAIT + READ_OWN + KEEP);
    assertEquals(3 * 125, out[31]);
    assertEquals(7, out[32]);
  }

  @ParameterizedTest
  @CsvSource({"16, 1", "32, 2", "80, 1"})
  void conflictsOfBanks(int pitch, int degree) {
    String body = "mul.lo.s32 %r2, %r1, " + pitch + ";\nsetp.lt.s32 %p1, %r1, 8;\n@%p1 " + COPY;
    BankConflicts.Count count = BankConflicts.during(() -> run(body)).get("k");
    assertEquals(degree, count.degree());
    assertEquals(1, count.passes());
  }

  // ---- cooperative launches ----

  @Test
  void copiesOfACooperativeLaunch() {
    String copy =
        """
        .shared .align 16 .b8 a[256];
        mov.u32 %r20, a; shl.b32 %r21, %r1, 2; add.s32 %r20, %r20, %r21;
        WRITE BARRIER
        cp.async.ca.shared.global [%r20], [%rd2], 4;
        cp.async.wait_all;
        ld.shared.u32 %r12, [%r20];
        st.global.u32 [%rd4], %r12;
        """
            .replace("WRITE", Together.WRITE);
    int[] memory = Together.fine(copy.replace("BARRIER", Together.BARRIER));
    assertEquals(8, memory[Together.RESULTS]);
    PtxModule early = Together.kernel(copy.replace("BARRIER", ""));
    Emulation.assertFault(() -> Together.run(early, 0, 1), "cp.async");
    Together.faulty(
        copy.replace("BARRIER", ""), "data published without a release", "a race with the read by");
    Together.faulty(
        copy.replace("BARRIER", Together.BARRIER).replace("cp.async.wait_all;", ""),
        "is under way");
  }
}
