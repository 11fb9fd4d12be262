package mlpcuda.compute.cuda;

import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * Sums of the columns of a matrix, in a fixed order. Few columns make few blocks, so the rows of a
 * long batch are divided into parts, whose sums a second launch adds up.
 */
final class ColumnSums implements AutoCloseable {
  /** The threads of a block, as cuda/reduce.cuh has them. */
  private static final int THREADS = 256;

  private final int multiprocessors;
  private final KernelModule kernels;
  private final Workspace sums;

  /** Launches kernels of {@code kernels}, the module layers, which its maker closes. */
  ColumnSums(CudaDriver driver, KernelModule kernels) {
    this.multiprocessors = driver.device().multiprocessors().count();
    this.kernels = kernels;
    this.sums = new Workspace(driver, "sums of columns");
  }

  /**
   * The division of the rows among blocks.
   *
   * @param count the number of parts
   * @param share the rows of a part; the last one has what is left
   */
  record Parts(int count, int share) {
    /**
     * The most rows of one part. To add up parts takes one more launch, which costs about as much
     * as these rows do.
     */
    private static final int MOST_UNDIVIDED = 1024;

    /** The share is a multiple of this, which a block reads before it waits. */
    private static final int STEP = 256;

    /**
     * The number of blocks for each multiprocessor: two have 64 KB under way, where an H100 needs
     * some 20 KB to read memory at its full rate.
     */
    private static final int BLOCKS = 2;

    /** The parts of B rows and O columns. */
    static Parts of(int B, int O, int multiprocessors) {
      int wanted = B <= MOST_UNDIVIDED ? 1 : BLOCKS * multiprocessors / strips(O);
      int count = Math.max(1, Math.min(wanted, B / STEP));
      int share = ((B - 1) / count / STEP + 1) * STEP;
      return new Parts((B - 1) / share + 1, share);
    }
  }

  /** The number of blocks that O columns make: each has 32. */
  private static int strips(int O) {
    return (O - 1) / KernelModule.WARP + 1;
  }

  /** Launches {@code result} = the sums of the columns of {@code matrix}. */
  void sum(long result, DeviceMatrix matrix) {
    int B = matrix.rows();
    int O = matrix.columns();
    Parts parts = Parts.of(B, O, multiprocessors);
    if (parts.count() == 1) {
      launch(result, matrix.address(), B, O, parts);
      return;
    }
    long between = sums.reserve((long) Float.BYTES * parts.count() * O);
    launch(between, matrix.address(), B, O, parts);
    launch(result, between, parts.count(), O, new Parts(1, parts.count()));
  }

  private void launch(long result, long matrix, int B, int O, Parts parts) {
    kernels.launch(
        "column_sum",
        new Shape(strips(O), parts.count(), 1, THREADS, 1),
        new Arguments()
            .address(result)
            .address(matrix)
            .add("B", B)
            .add("O", O)
            .add("share", parts.share()));
  }

  @Override
  public void close() {
    sums.close();
  }
}
