package mlpcuda.compute.cuda;

import java.util.List;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * The division of a product (M, N) with inner dimension K among blocks: into tiles, and, along K,
 * into parts that are added up afterwards.
 *
 * <p>A tiling is chosen by an estimate of the cycles that the multiprocessor with the most blocks
 * needs: large tiles take the fewest cycles for an output, but leave multiprocessors without work
 * where there are few of them, and waste work beyond the edges of the matrix. Of its blocks, a
 * multiprocessor runs as many at a time as it has room for, which is a wave; each wave costs the
 * time to start, to wait for the first operands, and to store. The estimates are made from the
 * machine code of the kernels in single precision for compute capability 9.0, and are not measured;
 * those of less precision are taken to have the same ratios.
 *
 * @param tiles the size of the tiles
 * @param parts the number of parts that K is divided into
 * @param share the length of a part along K; the last one has what is left
 */
record Tiling(Tiles tiles, int parts, int share) {
  /** The tilings of cuda/gemm.cuh, by the rows and columns of a tile. */
  enum Tiles {
    LARGE("_large", 128, 128, 150, 2),
    MEDIUM("_medium", 64, 64, 64, 2),
    SMALL("_small", 32, 32, 20, 2),
    /**
     * Thin tiles suit long sums, which the threads of a block share. They read operands 4 elements
     * at a time: see {@link #readsQuads}.
     */
    THIN("_thin", 16, 8, 7, 2);

    /** The number of threads of a block. */
    static final int THREADS = 256;

    private final String suffix;
    private final int rows;
    private final int columns;
    private final int cycles; // for a tile and an element along K, while other blocks run as well
    private final int room; // the number of blocks that a multiprocessor runs at a time

    Tiles(String suffix, int rows, int columns, int cycles, int room) {
      this.suffix = suffix;
      this.rows = rows;
      this.columns = columns;
      this.cycles = cycles;
      this.room = room;
    }

    /** The suffix of an entry's name. */
    String suffix() {
      return suffix;
    }

    /** The number of tiles of a matrix (M, N). */
    long count(int M, int N) {
      return ((M - 1L) / rows + 1) * ((N - 1L) / columns + 1);
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
   * How much longer a block takes for its products when it is alone on its multiprocessor: no other
   * block multiplies while it waits at a barrier or for a load.
   */
  private static final double ALONE = 1.2;

  /** The most blocks of a multiprocessor that parts are tried for: more would fill it no better. */
  private static final int MOST_BLOCKS = 4;

  /** The cycles of a wave besides its products, and of the launch that adds parts up. */
  private static final int LATENCY = 2000;

  /**
   * The elements of parts that a multiprocessor's share of the memory's rate writes and reads again
   * in a cycle.
   */
  private static final int ADDED = 3;

  /**
   * The number of thin tiles that take as long as a small one. It is estimated by hand, from the
   * accesses to memory and the products of a block with sums of 784 terms, and not measured.
   */
  private static final int THIN_BLOCKS = 3;

  /** A share of K is a multiple of this, which the step along K of each tiling but THIN divides. */
  private static final int STEP = 64;

  /**
   * The tiling that is estimated to take the fewest cycles, of those that do not divide K.
   *
   * @param quads whether both operands can be read 4 elements at a time
   */
  static Tiling whole(int M, int N, int K, int multiprocessors, boolean quads) {
    return of(M, N, K, multiprocessors, quads, 1);
  }

  /** A tiling chosen like {@link #whole}, for a product that may be in up to {@code most} parts. */
  static Tiling of(int M, int N, int K, int multiprocessors, boolean quads, int most) {
    int worth = Math.max(1, Math.min(most, K / LEAST_SHARE));
    Tiling best = null;
    Tiles smallest = smallest(M, N, K, multiprocessors, quads);
    for (Tiles tiles : List.of(Tiles.LARGE, Tiles.MEDIUM, Tiles.SMALL, smallest)) {
      for (int blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
        Tiling tiling = inParts(tiles, M, N, K, blocks * multiprocessors, worth);
        if (best == null
            || tiling.cycles(M, N, multiprocessors) < best.cycles(M, N, multiprocessors)) {
          best = tiling;
        }
      }
    }
    return best;
  }

  /** The estimated cycles of a product (M, N) on a device with so many multiprocessors. */
  private double cycles(int M, int N, int multiprocessors) {
    long busiest = (tiles.count(M, N) * parts - 1) / multiprocessors + 1; // blocks, at most
    long waves = (busiest - 1) / tiles.room + 1;
    double products = (busiest == 1 ? ALONE : busiest) * tiles.cycles * share;
    double addition = parts == 1 ? 0 : LATENCY + (double) M * N * parts / ADDED / multiprocessors;
    return products + waves * LATENCY + addition;
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

  /** Divides K into as many parts as are worth it and make no more than so many blocks. */
  private static Tiling inParts(Tiles tiles, int M, int N, int K, int blocks, int worth) {
    int wanted = (int) Math.max(1, Math.min(worth, blocks / tiles.count(M, N)));
    int share = ((K - 1) / wanted / STEP + 1) * STEP;
    return new Tiling(tiles, (K - 1) / share + 1, share);
  }

  /** The shape of the launch for a product (M, N). */
  Shape cover(int M, int N) {
    return tiles.cover(M, N, parts);
  }
}
