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

  /**
   * The work of the busiest multiprocessor, as a multiple of its share of the outputs' own work. It
   * is more than 1 where multiprocessors wait for others, and where tiles are beyond the edges.
   */
  private static double load(Tiling tiling, int M, int N, int K) {
    Shape shape = tiling.cover(M, N);
    long blocks = (long) shape.gridX() * shape.gridY() * shape.gridZ();
    double busiest = Math.ceil(blocks / (double) MULTIPROCESSORS);
    double done = busiest * SIZES.get(tiling.tiles()) * Math.min(K, tiling.share());
    return done / ((double) M * N * K / MULTIPROCESSORS);
  }

  private static void fills(Tiling tiling, int M, int N, int K, int most) {
    assertEquals((K - 1) / tiling.share() + 1, tiling.parts(), "all of K, and no empty part");
    assertTrue(tiling.parts() <= most, tiling.toString());
    String what = "%d x %d x %d: %s".formatted(M, N, K, tiling);
    boolean small = tiling.tiles() == Tiles.SMALL || tiling.tiles() == Tiles.THIN;
    assertTrue(load(tiling, M, N, K) <= 2 || small, what);
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

  private static Tiles forward(int B, int I, int O, int multiprocessors) {
    return Tiling.whole(B, O, I, multiprocessors, true).tiles();
  }

  /**
   * Tests that the busiest multiprocessor decides: a large tile takes the time of 2.3 medium ones,
   * and a medium one that of 3.2 small ones; a single block takes a fifth longer.
   */
  @Test
  void theBusiestMultiprocessorDecides() {
    assertEquals(Tiles.MEDIUM, forward(1024, 784, 1000, 132), "1 large or 2 medium blocks");
    assertEquals(Tiles.LARGE, forward(1024, 784, 1000, 68), "1 or 4");
    assertEquals(Tiles.LARGE, forward(4096, 784, 1000, 132), "2 or 8");
    assertEquals(Tiles.LARGE, forward(65536, 2500, 2000, 132), "63 or 249");
    assertEquals(Tiles.SMALL, forward(256, 784, 1000, 132), "1 medium or 2 small blocks");
    assertEquals(Tiles.MEDIUM, forward(256, 784, 1000, 68), "1 or 4");
    assertEquals(Tiles.LARGE, forward(256, 784, 1000, 20), "1 large or 4 medium blocks");
    assertEquals(Tiles.MEDIUM, forward(4096, 784, 64, 20), "half of a large tile would be empty");
  }

  /**
   * Tests that more parts are made where they fill the last wave: 140 tiles, 132 of them at once.
   */
  @Test
  void partsFillTheLastWave() {
    assertEquals(
        new Tiling(Tiles.LARGE, 3, 5504), Tiling.of(2500, 784, 16384, MULTIPROCESSORS, true, 4));
    assertEquals(Tiles.MEDIUM, Tiling.of(2500, 784, 16384, MULTIPROCESSORS, true, 1).tiles());
  }

  /** Tests a hidden layer of 512 units behind MNIST's 784 pixels. */
  @Test
  void theWeightsOfALongBatchAreMadeInParts() {
    assertEquals(
        new Tiling(Tiles.LARGE, 1, 784),
        whole(Tiling.whole(16384, 512, 784, MULTIPROCESSORS, true)));
    assertEquals(
        new Tiling(Tiles.LARGE, 14, 1216), Tiling.of(512, 784, 16384, MULTIPROCESSORS, true, 20));
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
