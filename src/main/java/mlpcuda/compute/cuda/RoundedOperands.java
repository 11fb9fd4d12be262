package mlpcuda.compute.cuda;

import mlpcuda.compute.Precision;

/**
 * The operands of products, rounded into memory that cuBLAS reads. They are rounded to TF32, too:
 * cuBLAS may, but need not, use tensor cores for it, and these truncate operands.
 */
final class RoundedOperands implements AutoCloseable {
  /** The addresses of both operands of a product. */
  record Operands(long a, long b) {}

  /** The alignment of operands, in bytes, with which cuBLAS reads them fastest. */
  private static final int ALIGNMENT = 256;

  private final Kernels kernels;
  private final Precision precision;
  private final Workspace workspace;

  /** {@code kernels} is the module layers, which is closed by its maker. */
  RoundedOperands(CudaDriver driver, Kernels kernels, Precision precision) {
    this.kernels = kernels;
    this.precision = precision;
    this.workspace = new Workspace(driver, "operands of " + precision.label());
  }

  /** Rounds a (nA) and b (nB); the operands are valid until the next call. */
  Operands round(long a, int nA, long b, int nB) {
    int bytes = precision.isHalf() ? Short.BYTES : Float.BYTES;
    long beginOfB = ((long) bytes * nA - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    long toA = workspace.reserve(beginOfB + (long) bytes * nB);
    long toB = toA + beginOfB;
    var arguments = new Arguments().address(toA).address(toB).address(a).address(b);
    arguments.add("nA", nA).add("nB", nB).add("precision", precision.ordinal());
    kernels.launch("round_operands", Kernels.cover(Math.max(nA, nB)), arguments);
    return new Operands(toA, toB);
  }

  @Override
  public void close() {
    workspace.close();
  }
}
