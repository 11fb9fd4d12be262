package mlpcuda.compute.cuda;

/**
 * Products of matrices in column-major order, as BLAS and cuBLAS have it, with results in single
 * precision. Their operands have the precision that cuBLAS was opened with: single, or 16 bits.
 */
public interface Blas extends AutoCloseable {
  /** What becomes of an operand before it is multiplied. */
  enum Op {
    /** The operand is multiplied as it is. */
    NONE,
    /** The operand's transpose is multiplied. */
    TRANSPOSE
  }

  /**
   * A column-major matrix on the device: element (i, j) lies i + j · stride elements after its
   * first one.
   *
   * @param address the address of its first element
   * @param rows the number of rows
   * @param columns the number of columns
   * @param stride the number of elements from the beginning of a column to that of the next, which
   *     BLAS calls the leading dimension
   */
  record ColumnMajor(long address, int rows, int columns, int stride) {}

  /** An operand of a product. */
  record Factor(ColumnMajor matrix, Op op) {
    /** The number of rows of op(matrix). */
    public int rows() {
      return op == Op.NONE ? matrix.rows() : matrix.columns();
    }

    /** The number of columns of op(matrix). */
    public int columns() {
      return op == Op.NONE ? matrix.columns() : matrix.rows();
    }
  }

  /**
   * Computes c (m, n) = a (m, k) · b (k, n).
   *
   * @throws IllegalArgumentException if the shapes of {@code a}, {@code b} and {@code c} do not fit
   */
  void multiply(Factor a, Factor b, ColumnMajor c);

  /**
   * Checks the shapes of a product.
   *
   * @throws IllegalArgumentException if they do not fit
   */
  static void checkShapes(Factor a, Factor b, ColumnMajor c) {
    if (a.columns() != b.rows() || c.rows() != a.rows() || c.columns() != b.columns()) {
      throw new IllegalArgumentException(
          "a product of (%d, %d) and (%d, %d) does not have the shape (%d, %d)"
              .formatted(a.rows(), a.columns(), b.rows(), b.columns(), c.rows(), c.columns()));
    }
  }

  /** The name of the library, with its version. */
  String description();

  @Override
  void close();
}
