package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.Tiling.Tiles;
import org.junit.jupiter.api.Test;

/** Tests which tiles and how many parts a product gets. */
class TilingTest {
  /** The number of multiprocessors of an H100. */
  private static final int MULTIPROCESSORS = 132;

  /** The number of elements of a tile. */
  private static final Map<Tiles, Integer> SIZES =
      Map.of(
          Tiles.LARGE, 128 * 128, Tiles.MEDIUM, 64 * 64, Tiles.SMALL, 32 * 32, Tiles.THIN, 16 * 8);

  private static final List<List<Integer>> NETWORKS =
      List.of(List.of(784, 512, 512, 10), List.of(784, 128, 64, 10), List.of(784, 2048, 10));

  /** The fraction of the multiprocessors that are busy. */
  private static double busy(Tiling tiling, int M, int N) {
    Shape shape = tiling.cover(M, N);
    long blocks = (long) shape.gridX() * shape.gridY() * shape.gridZ();
    return blocks / (Math.ceil(blocks / (double) MULTIPROCESSORS) * MULTIPROCESSORS);
  }

  private static void fills(Tiling tiling, int M, int N, int K, int most) {
    assertEquals((K - 1) / tiling.share() + 1, tiling.parts(), "all of K, and no empty part");
    assertTrue(tiling.parts() <= most, tiling.toString());
    String what = "%d x %d x %d: %s".formatted(M, N, K, tiling);
    long elements = tiling.tiles().count(M, N) * SIZES.get(tiling.tiles());
    long least = Tiles.SMALL.count(M, N) * SIZES.get(Tiles.SMALL);
    assertTrue(elements <= 1.5 * least, what);
    boolean small = tiling.tiles() == Tiles.SMALL || tiling.tiles() == Tiles.THIN;
    assertTrue(busy(tiling, M, N) >= 0.75 || small, what);
  }

  @Test
  void largeBatchesFillTheChip() {
    for (List<Integer> sizes : NETWORKS) {
      for (int B = 1024; B <= 16384; B *= 2) {
        for (int l = 0; l + 1 < sizes.size(); l++) {
          int I = sizes.get(l);
          int O = sizes.get(l + 1);
          fills(Tiling.whole(B, O, I, MULTIPROCESSORS, true), B, O, I, 1);
          fills(Tiling.whole(B, I, O, MULTIPROCESSORS, true), B, I, O, 1);
          fills(Tiling.of(O, I, B, MULTIPROCESSORS, true, 16), O, I, B, 16);
        }
      }
    }
  }

  /** Tests a hidden layer of 512 units behind MNIST's 784 pixels. */
  @Test
  void theWeightsOfALongBatchAreMadeInParts() {
    assertEquals(
        new Tiling(Tiles.LARGE, 1, 784),
        whole(Tiling.whole(16384, 512, 784, MULTIPROCESSORS, true)));
    assertEquals(
        new Tiling(Tiles.LARGE, 4, 4096), Tiling.of(512, 784, 16384, MULTIPROCESSORS, true, 20));
    assertEquals(
        new Tiling(Tiles.LARGE, 4, 256), Tiling.of(512, 784, 1024, MULTIPROCESSORS, true, 20));
  }

  private static Tiling whole(Tiling tiling) {
    assertEquals(1, tiling.parts());
    return new Tiling(tiling.tiles(), 1, 784);
  }

  @Test
  void shortBatchesAreNotDivided() {
    for (int B : new int[] {1, 64, 511}) {
      Tiling tiling = Tiling.of(128, 784, B, MULTIPROCESSORS, true, 20);
      assertEquals(1, tiling.parts());
      assertEquals(Tiles.SMALL, tiling.tiles());
      assertTrue(tiling.share() >= B);
    }
  }

  /**
   * Tests the default network's products for a batch of 64: 8 small tiles would leave the chip
   * empty.
   */
  @Test
  void longSumsOfFewOutputsAreThin() {
    assertEquals(Tiles.THIN, Tiling.whole(64, 128, 784, MULTIPROCESSORS, true).tiles());
    assertEquals(Tiles.SMALL, Tiling.whole(64, 64, 128, MULTIPROCESSORS, true).tiles());
    assertEquals(Tiles.SMALL, Tiling.of(128, 784, 64, MULTIPROCESSORS, true, 20).tiles());
    assertEquals(Tiles.SMALL, Tiling.whole(64, 128, 784, 16, true).tiles(), "on a small chip");
    assertEquals(64, Tiles.THIN.count(64, 128));
    assertEquals(Tiles.SMALL, Tiling.whole(64, 128, 784, MULTIPROCESSORS, false).tiles());
  }

  /**
   * Tests the default network's first layer: a wave of small tiles takes as long as three thin
   * ones.
   */
  @Test
  void theWavesOfBlocksDecideBetweenThinAndSmallTiles() {
    assertEquals(Tiles.THIN, Tiling.smallest(128, 128, 784, MULTIPROCESSORS, true), "1 and 1");
    assertEquals(Tiles.THIN, Tiling.smallest(256, 128, 784, MULTIPROCESSORS, true), "2 and 1");
    assertEquals(Tiles.SMALL, Tiling.smallest(512, 128, 784, MULTIPROCESSORS, true), "4 and 1");
    assertEquals(Tiles.THIN, Tiling.smallest(64, 128, 784, 22, true), "3 and 1");
    assertEquals(Tiles.SMALL, Tiling.smallest(64, 128, 784, 20, true), "4 and 1");
    assertEquals(Tiles.SMALL, Tiling.smallest(64, 128, 784, 4, true), "16 and 2");
  }

  @Test
  void quadsNeedAnAddressAndALengthOfWholeQuads() {
    assertTrue(Tiling.readsQuads(256, Float.BYTES, 784));
    assertFalse(Tiling.readsQuads(256, Float.BYTES, 785));
    assertFalse(Tiling.readsQuads(264, Float.BYTES, 784));
    assertTrue(Tiling.readsQuads(260, 1, 784));
    assertFalse(Tiling.readsQuads(262, 1, 784));
  }

  @Test
  void noMorePartsThanThereIsMemoryFor() {
    assertEquals(1, Tiling.of(512, 784, 16384, MULTIPROCESSORS, true, 0).parts());
    assertEquals(3, Tiling.of(64, 64, 16384, MULTIPROCESSORS, true, 3).parts());
  }
}
