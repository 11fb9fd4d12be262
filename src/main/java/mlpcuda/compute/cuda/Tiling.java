package mlpcuda.compute.cuda;

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
  /** The tilings of cuda/gemm.cuh: a tile is size x size. */
  enum Tiles {
    LARGE("_large", 128),
    MEDIUM("_medium", 64),
    SMALL("_small", 32);

    /** Of a block. */
    static final int THREADS = 256;

    private final String suffix;
    private final int size;

    Tiles(String suffix, int size) {
      this.suffix = suffix;
      this.size = size;
    }

    /** Of an entry's name. */
    String suffix() {
      return suffix;
    }

    /** How many a matrix (M, N) has. */
    long count(int M, int N) {
      return ((M - 1L) / size + 1) * ((N - 1L) / size + 1);
    }

    /** How much of the plane they cover: elements of the matrix, and what lies beside it. */
    private long covered(int M, int N) {
      return count(M, N) * size * size;
    }

    /** A block for each tile of a matrix (M, N), and that as often as there are parts. */
    Shape cover(int M, int N, int parts) {
      return new Shape((M - 1) / size + 1, (N - 1) / size + 1, parts, THREADS, 1);
    }
  }

  /** Less of K is not worth a part: to add it up costs as much memory traffic as to multiply it. */
  private static final int LEAST_SHARE = 256;

  /** Of what the smallest tiles cover: more of it beside the matrix is not worth large tiles. */
  private static final double COVERED = 1.5;

  /** Of the multiprocessors, while they take one block after another. */
  private static final double BUSY = 0.75;

  /** All steps along K, of whatever tiling and precision, divide it: no part has a ragged one. */
  private static final int STEP = 64;

  /** The largest tiles that keep most of the chip busy; the smallest ones where none do. */
  static Tiling whole(int M, int N, int K, int multiprocessors) {
    return of(M, N, K, multiprocessors, 1);
  }

  /** The same for a product that may be made in up to {@code most} parts. */
  static Tiling of(int M, int N, int K, int multiprocessors, int most) {
    long worth = Math.max(1, Math.min(most, K / LEAST_SHARE));
    Tiling tiling = null;
    for (Tiles tiles : Tiles.values()) {
      if (tiles.covered(M, N) > COVERED * Tiles.SMALL.covered(M, N)) {
        continue;
      }
      long count = tiles.count(M, N);
      int wanted = (int) Math.max(1, Math.min(worth, multiprocessors / count));
      int share = ((K - 1) / wanted / STEP + 1) * STEP;
      tiling = new Tiling(tiles, (K - 1) / share + 1, share);
      long blocks = count * tiling.parts;
      long rounds = (blocks - 1) / multiprocessors + 1;
      if (blocks >= BUSY * (rounds * multiprocessors)) {
        break;
      }
    }
    return tiling;
  }

  /** Blocks of a product (M, N), and their threads. */
  Shape cover(int M, int N) {
    return tiles.cover(M, N, parts);
  }
}
