package mlpcuda.compute.cuda.ptx.machine;

/**
 * Multiplies small matrices for mma. A block keeps one, since its arrays would be allocated anew
 * for each instruction otherwise.
 *
 * <p>The ISA leaves open in which order a tensor core sums and how it rounds on the way. Here an
 * element of the sum and the products, which are exact, are summed in double precision.
 */
public final class TensorCore {
  /** The rows of the left matrix and of the sum. */
  public static final int ROWS = 16;

  /** The columns of the right matrix and of the sum. */
  public static final int COLUMNS = 8;

  /** The greatest number of columns of the left matrix. */
  public static final int DEPTH = 16;

  /** The left matrix, row by row. */
  public final double[] left = new double[ROWS * DEPTH];

  /** The right matrix, row by row. */
  public final double[] right = new double[DEPTH * COLUMNS];

  /** What the product is added to, row by row. */
  public final double[] sum = new double[ROWS * COLUMNS];

  /**
   * Adds the product of {@link #left} with {@code depth} columns and {@link #right} with as many
   * rows to {@link #sum}. The columns are spelled out to keep a row's sums in the processor's
   * registers.
   */
  public void multiply(int depth) {
    for (int row = 0; row < ROWS; row++) {
      int to = row * COLUMNS;
      double s0 = sum[to];
      double s1 = sum[to + 1];
      double s2 = sum[to + 2];
      double s3 = sum[to + 3];
      double s4 = sum[to + 4];
      double s5 = sum[to + 5];
      double s6 = sum[to + 6];
      double s7 = sum[to + 7];
      for (int k = 0; k < depth; k++) {
        double x = left[row * depth + k];
        int from = k * COLUMNS;
        s0 += x * right[from];
        s1 += x * right[from + 1];
        s2 += x * right[from + 2];
        s3 += x * right[from + 3];
        s4 += x * right[from + 4];
        s5 += x * right[from + 5];
        s6 += x * right[from + 6];
        s7 += x * right[from + 7];
      }
      sum[to] = s0;
      sum[to + 1] = s1;
      sum[to + 2] = s2;
      sum[to + 3] = s3;
      sum[to + 4] = s4;
      sum[to + 5] = s5;
      sum[to + 6] = s6;
      sum[to + 7] = s7;
    }
  }
}
