package mlpcuda.compute.cuda.ptx.execute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the count of conflicts of banks with kernels whose conflicts are known. */
class BankConflictsTest {
  private static final String SHARED = ".shared .align 16 .b8 a[4096];\nmov.u32 %r1, %tid.x;\n";

  private static BankConflicts.Count count(int threads, String body) {
    var counts =
        BankConflicts.during(
            () -> Emulation.buffer(Emulation.shape(1, threads), 1, body + "\nret;"));
    return counts.get("k");
  }

  /** Tests a store of 4 bytes by each lane, {@code stride} words from its neighbour's. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 1", "4, 4", "12, 4", "20, 4", "32, 32"})
  void aStrideOfWords(int stride, int degree) {
    BankConflicts.Count count =
        count(32, SHARED + "mul.lo.s32 %r2, %r1, " + 4 * stride + ";\nst.shared.u32 [%r2], %r1;");
    assertEquals(degree, count.degree());
    assertEquals(1, count.passes());
    assertEquals(degree, count.cycles());
    assertTrue(count.where().contains("st.shared.u32"), count.where());
  }

  @Test
  void lanesThatReadOneWordShareIt() {
    String all = SHARED + "setp.eq.s32 %p1, %r1, 0;\n@%p1 st.shared.u32 [a], %r1;\nbar.sync 0;\n";
    assertEquals(1, count(32, all + "ld.shared.u32 %r2, [a];").degree());
  }

  /** Tests that 16 bytes take a pass for each quarter of a warp. */
  @ParameterizedTest
  @CsvSource({"16, 1", "32, 2", "80, 1", "128, 8"})
  void quadsGoInFourPasses(int bytes, int degree) {
    BankConflicts.Count count =
        count(
            32,
            SHARED
                + "mul.lo.s32 %r2, %r1, "
                + bytes
                + ";\nst.shared.v4.u32 [%r2], {%r1, %r1, %r1, %r1};");
    assertEquals(degree, count.degree());
    assertEquals(4, count.passes());
    assertEquals(4L * degree, count.cycles());
  }

  @Test
  void pairsGoInTwoPasses() {
    BankConflicts.Count count =
        count(32, SHARED + "shl.b32 %r2, %r1, 3;\nst.shared.v2.u32 [%r2], {%r1, %r1};");
    assertEquals(1, count.degree());
    assertEquals(2, count.passes());
  }
}
