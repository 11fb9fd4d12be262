package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.cpu.Products.Block;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the blocks of a product; {@link mlpcuda.compute.ConformanceTest} tests their results. */
class ProductsTest {
  private static final int[] SIZES = {1, 7, 8, 10, 16, 31, 64, 100, 128, 257, 784, 3072, 100_000};

  /** Blocks meet OpenBLAS's conditions, but for products that it is given whole. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void piecesAreWhatOpenBlasTakesAsSmall(boolean transposed) {
    int pieces = 0;
    for (int m : SIZES) {
      for (int n : SIZES) {
        for (int k : SIZES) {
          Block block = Block.of(m, n, k, transposed);
          if (!block.equals(Block.WHOLE)) {
            pieces++;
            String what = "%dx%dx%d: %s".formatted(m, n, k, block);
            long area = (long) block.rows() * block.columns();
            assertTrue(block.rows() > 0 && block.columns() > 0, what);
            assertTrue(area * k <= 1_000_000, what);
            assertTrue(!transposed || area <= 1200 && k >= 32, what);
          }
        }
      }
    }
    assertTrue(pieces > 100, "only " + pieces);
  }

  /**
   * The layers of the default preset are multiplied in a batch of 64 on two threads, and in a long
   * one.
   */
  @Test
  void shortBatchesComeInPiecesAndLongOnesWhole() {
    assertEquals(new Block(64, 16), Block.of(64, 64, 784, true));
    assertEquals(new Block(64, 240), Block.of(64, 784, 64, false));
    assertEquals(Block.WHOLE, Block.of(512, 128, 784, true));
    assertEquals(Block.WHOLE, Block.of(128, 784, 512, false));
  }
}
