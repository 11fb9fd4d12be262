package mlpcuda.compute.cuda;

import java.util.List;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * The division of a product (M, N) with inner dimension K among blocks: into tiles, and, along K,
 * into parts that are added up afterwards. Large tiles read least, but a chip is full only with a
 * block on each of its multiprocessors.
 *
 * @param tiles the size of the tiles
 * @param parts the number of parts that K is divided into
 * @param share the length of a part along K; the last one has what is left
 */
record Tiling(Tiles tiles, int parts, int share) {
  /** The tilings of cuda/gemm.cuh, by the rows and columns of a tile. */
  enum Tiles {
    LARGE("_large", 128, 128),
    MEDIUM("_medium", 64, 64),
    SMALL("_small", 32, 32),
    /**
     * Thin tiles suit long sums, which the threads of a block share. They read operands 4 elements
     * at a time: see {@link #readsQuads}.
     */
    THIN("_thin", 16, 8);

    /** The number of threads of a block. */
    static final int THREADS = 256;

    private final String suffix;
    private final int rows;
    private final int columns;

    Tiles(String suffix, int rows, int columns) {
      this.suffix = suffix;
      this.rows = rows;
      this.columns = columns;
    }

    /** The suffix of an entry's name. */
    String suffix() {
      return suffix;
    }

    /** The number of tiles of a matrix (M, N). */
    long count(int M, int N) {
      return ((M - 1L) / rows + 1) * ((N - 1L) / columns + 1);
    }

    /** The number of elements that the tiles cover, with those beyond the edges of the matrix. */
    private long covered(int M, int N) {
      return count(M, N) * rows * columns;
    }

    /** The number of blocks that a multiprocessor takes one after another, at most. */
    private long waves(int M, int N, int multiprocessors) {
      return (count(M, N) - 1) / multiprocessors + 1;
    }

    /** The launch with a block for each tile of a matrix (M, N) and each part of K. */
    Shape cover(int M, int N, int parts) {
      return new Shape((M - 1) / rows + 1, (N - 1) / columns + 1, parts, THREADS, 1);
    }
  }

  /**
   * The least share of K that is worth a part: to add up a smaller one costs as much as its
   * product.
   */
  private static final int LEAST_SHARE = 256;

  /**
   * The most elements that tiles may cover, as a multiple of those that the smallest tiles cover:
   * tiles beyond the edges of the matrix waste time.
   */
  private static final double COVERED = 1.5;

  /** The least fraction of multiprocessors to keep busy while they take one block after another. */
  private static final double BUSY = 0.75;

  /**
   * The number of thin tiles that take as long as a small one. It is estimated by hand, from the
   * accesses to memory and the products of a block with sums of 784 terms, and not measured.
   */
  private static final int THIN_BLOCKS = 3;

  /** A share of K is a multiple of this, which the step along K of each tiling but THIN divides. */
  private static final int STEP = 64;

  /**
   * A tiling with the largest tiles that keep most of the chip busy; the smallest ones if none do.
   *
   * @param quads whether both operands can be read 4 elements at a time
   */
  static Tiling whole(int M, int N, int K, int multiprocessors, boolean quads) {
    return of(M, N, K, multiprocessors, quads, 1);
  }

  /** A tiling chosen like {@link #whole}, for a product that may be in up to {@code most} parts. */
  static Tiling of(int M, int N, int K, int multiprocessors, boolean quads, int most) {
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
    Tiles smallest = smallest(M, N, K, multiprocessors, quads);
    return inParts(smallest, M, N, K, multiprocessors, worth);
  }

  /**
   * The faster of thin and small tiles, for few outputs: thin ones where sums are long and their
   * waves of blocks are not too many.
   *
   * @param quads whether both operands can be read 4 elements at a time
   */
  static Tiles smallest(int M, int N, int K, int multiprocessors, boolean quads) {
    long most = THIN_BLOCKS * Tiles.SMALL.waves(M, N, multiprocessors);
    boolean thin = quads && K >= LEAST_SHARE && Tiles.THIN.waves(M, N, multiprocessors) <= most;
    return thin ? Tiles.THIN : Tiles.SMALL;
  }

  /**
   * Whether a matrix can be read 4 elements at a time.
   *
   * @param address the address of the matrix
   * @param bytes the size of an element
   * @param contiguous the number of elements that lie side by side
   */
  static boolean readsQuads(long address, int bytes, int contiguous) {
    return address % (4L * bytes) == 0 && contiguous % 4 == 0;
  }

  /** Divides K into as many parts as are worth it and run on the chip side by side. */
  private static Tiling inParts(Tiles tiles, int M, int N, int K, int multiprocessors, int worth) {
    int wanted = (int) Math.max(1, Math.min(worth, multiprocessors / tiles.count(M, N)));
    int share = ((K - 1) / wanted / STEP + 1) * STEP;
    return new Tiling(tiles, (K - 1) / share + 1, share);
  }

  /** The shape of the launch for a product (M, N). */
  Shape cover(int M, int N) {
    return tiles.cover(M, N, parts);
  }
}
