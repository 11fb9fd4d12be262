package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.cuda.ColumnSums.Parts;
import org.junit.jupiter.api.Test;

/** Tests into how many parts the rows of a sum of columns are divided. */
class ColumnSumsTest {
  /** The number of multiprocessors of an H100. */
  private static final int MULTIPROCESSORS = 132;

  @Test
  void shortBatchesAreOneLaunch() {
    for (int B : new int[] {1, 64, 257, 1024}) {
      for (int O : new int[] {1, 10, 512, 2500}) {
        Parts parts = Parts.of(B, O, MULTIPROCESSORS);
        assertEquals(1, parts.count());
        assertTrue(parts.share() >= B);
      }
    }
  }

  /** Tests layers of usual networks, and the second launch's own length. */
  @Test
  void longBatchesFillTheChip() {
    assertEquals(new Parts(16, 1024), Parts.of(16384, 512, MULTIPROCESSORS), "16 strips: 256");
    assertEquals(new Parts(16, 256), Parts.of(4096, 512, MULTIPROCESSORS), "16 strips: 256");
    assertEquals(new Parts(64, 256), Parts.of(16384, 128, MULTIPROCESSORS), "4 strips: 256");
    assertEquals(new Parts(64, 256), Parts.of(16384, 10, MULTIPROCESSORS), "no share is shorter");
    assertEquals(new Parts(3, 5632), Parts.of(16384, 2500, MULTIPROCESSORS), "79 strips: 237");
    assertEquals(new Parts(2, 8192), Parts.of(16384, 512, 16), "16 strips: 32");
    for (int O : new int[] {1, 10, 512, 2500}) {
      assertTrue(Parts.of(65536, O, MULTIPROCESSORS).count() <= 1024, "the second is one launch");
    }
  }

  @Test
  void enoughColumnsAreNotDivided() {
    assertEquals(1, Parts.of(16384, 8480, MULTIPROCESSORS).count());
    assertEquals(1, Parts.of(16384, 32 * 3, 1).count());
  }

  @Test
  void allRowsBelongToOnePart() {
    for (int B = 1; B < 20_000; B += 61) {
      Parts parts = Parts.of(B, 40, MULTIPROCESSORS);
      assertEquals((B - 1) / parts.share() + 1, parts.count(), "all rows, and no empty part");
    }
  }
}
