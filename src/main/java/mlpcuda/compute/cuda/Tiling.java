package mlpcuda.compute.cuda;

import java.util.List;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * How a product (M, N) with inner dimension K is shared out among blocks: in tiles, and, along K,
 * in parts that are added up afterwards. Large tiles read least, but a chip is full only with a
 * block on each of its multiprocessors.
 *
 * @param tiles how large they are
 * @param parts how many parts K is divided into
 * @param share of K that a part has; the last one what is left
 */
record Tiling(Tiles tiles, int parts, int share) {
  /** The tilings of cuda/gemm.cuh, by the rows and columns of a tile. */
  enum Tiles {
    LARGE("_large", 128, 128),
    MEDIUM("_medium", 64, 64),
    SMALL("_small", 32, 32),
    /** For long sums: the warps of a block share them. */
    THIN("_thin", 16, 8);

    /** Of a block. */
    static final int THREADS = 256;

    private final String suffix;
    private final int rows;
    private final int columns;

    Tiles(String suffix, int rows, int columns) {
      this.suffix = suffix;
      this.rows = rows;
      this.columns = columns;
    }

    /** Of an entry's name. */
    String suffix() {
      return suffix;
    }

    /** How many a matrix (M, N) has. */
    long count(int M, int N) {
      return ((M - 1L) / rows + 1) * ((N - 1L) / columns + 1);
    }

    /** How much of the plane they cover: elements of the matrix, and what lies beside it. */
    private long covered(int M, int N) {
      return count(M, N) * rows * columns;
    }

    /** A block for each tile of a matrix (M, N), and that as often as there are parts. */
    Shape cover(int M, int N, int parts) {
      return new Shape((M - 1) / rows + 1, (N - 1) / columns + 1, parts, THREADS, 1);
    }
  }

  /** Less of K is not worth to be divided: to add parts up costs as much as to multiply them. */
  private static final int LEAST_SHARE = 256;

  /** Of what the smallest tiles cover: more of it beside the matrix is not worth large tiles. */
  private static final double COVERED = 1.5;

  /** Of the multiprocessors, while they take one block after another. */
  private static final double BUSY = 0.75;

  /** The steps along K of all tilings but thin ones divide it: no part has a ragged one. */
  private static final int STEP = 64;

  /** The largest tiles that keep most of the chip busy; the smallest ones where none do. */
  static Tiling whole(int M, int N, int K, int multiprocessors) {
    return of(M, N, K, multiprocessors, 1);
  }

  /** The same for a product that may be made in up to {@code most} parts. */
  static Tiling of(int M, int N, int K, int multiprocessors, int most) {
    int worth = Math.max(1, Math.min(most, K / LEAST_SHARE));
    for (Tiles tiles : List.of(Tiles.LARGE, Tiles.MEDIUM, Tiles.SMALL)) {
      Tiling tiling = inParts(tiles, M, N, K, multiprocessors, worth);
      long blocks = tiles.count(M, N) * tiling.parts;
      long rounds = (blocks - 1) / multiprocessors + 1;
      if (blocks >= BUSY * (rounds * multiprocessors)
          && tiles.covered(M, N) <= COVERED * Tiles.SMALL.covered(M, N)) {
        return tiling;
      }
    }
    return inParts(smallest(M, N, K, multiprocessors), M, N, K, multiprocessors, worth);
  }

  /** Of those for few outputs: thin tiles where sums are long and others are far too few. */
  static Tiles smallest(int M, int N, int K, int multiprocessors) {
    boolean few = 2 * Tiles.SMALL.count(M, N) < multiprocessors;
    return few && K >= LEAST_SHARE ? Tiles.THIN : Tiles.SMALL;
  }

  /** In as many parts as are worth it and have room on the chip side by side. */
  private static Tiling inParts(Tiles tiles, int M, int N, int K, int multiprocessors, int worth) {
    int wanted = (int) Math.max(1, Math.min(worth, multiprocessors / tiles.count(M, N)));
    int share = ((K - 1) / wanted / STEP + 1) * STEP;
    return new Tiling(tiles, (K - 1) / share + 1, share);
  }

  /** Blocks of a product (M, N), and their threads. */
  Shape cover(int M, int N) {
    return tiles.cover(M, N, parts);
  }
}
