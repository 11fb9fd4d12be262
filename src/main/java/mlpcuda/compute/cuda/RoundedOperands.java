package mlpcuda.compute.cuda;

import mlpcuda.compute.Precision;

/**
 * Operands of products, rounded to where cuBLAS finds them. To TF32 too: cuBLAS may, but need not,
 * use tensor cores for it, and these cut operands off.
 */
final class RoundedOperands implements AutoCloseable {
  /** Where both operands of a product are. */
  record Operands(long a, long b) {}

  /** What cuBLAS reads fastest begins at a multiple of so many bytes. */
  private static final int ALIGNMENT = 256;

  private final Kernels kernels;
  private final Precision precision;
  private final Workspace workspace;

  /** {@code kernels}: module layers, which is closed by whoever made it. */
  RoundedOperands(CudaDriver driver, Kernels kernels, Precision precision) {
    this.kernels = kernels;
    this.precision = precision;
    this.workspace = new Workspace(driver, "operands of " + precision.label());
  }

  /** a (nA) and b (nB), rounded; until the next call. */
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
