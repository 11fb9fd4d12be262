package mlpcuda.compute.cuda;

/**
 * Products of matrices in column-major order, as BLAS and cuBLAS have it, with results in single
 * precision. Their operands have the precision that cuBLAS was opened with: single, or 16 bits.
 */
public interface Blas extends AutoCloseable {
  /**
   * C = op(A) · op(B), where op transposes if asked, all of it in column-major order: element (i,
   * j) of a matrix X lies i + j · ldx elements after x.
   *
   * @param m rows of op(A) and of C
   * @param n columns of op(B) and of C
   * @param k columns of op(A), rows of op(B)
   * @param a the address of A on the device; {@code b} and {@code c} likewise
   */
  void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      long a,
      int lda,
      long b,
      int ldb,
      long c,
      int ldc);

  /** The name of the library, with its version. */
  String description();

  @Override
  void close();
}
