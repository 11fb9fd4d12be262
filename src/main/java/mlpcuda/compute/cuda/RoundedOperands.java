package mlpcuda.compute.cuda;

import mlpcuda.compute.Precision;

/**
 * The operands of products, rounded into memory that cuBLAS or our kernels read. They are rounded
 * to TF32, too: cuBLAS may, but need not, use tensor cores for it, and these truncate operands.
 */
final class RoundedOperands implements AutoCloseable {
  /** Both operands of a product; elements of 16 bits if the precision has as many. */
  record Operands(DeviceMatrix a, DeviceMatrix b) {}

  /** The alignment of operands, in bytes, with which cuBLAS reads them fastest. */
  private static final int ALIGNMENT = 256;

  private final KernelModule kernels;
  private final Precision precision;
  private final Workspace workspace;

  /** {@code kernels} is the module layers, which is closed by its maker. */
  RoundedOperands(CudaDriver driver, KernelModule kernels, Precision precision) {
    this.kernels = kernels;
    this.precision = precision;
    this.workspace = new Workspace(driver, "operands of " + precision.label());
  }

  /** The size of an operand of products in that precision. */
  static int elementBytes(Precision precision) {
    return precision.isHalf() ? Short.BYTES : Float.BYTES;
  }

  /** The precision of the rounded operands. */
  Precision precision() {
    return precision;
  }

  /**
   * The address of the rounded twin of the float at that address; 0: no copy of this buffer is
   * kept.
   */
  long copyOf(long address) {
    return 0;
  }

  /** Rounds a and b; the operands are valid until the next call. */
  Operands round(DeviceMatrix a, DeviceMatrix b) {
    int bytes = elementBytes(precision);
    long beginOfB = ((long) bytes * a.length() - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    long toA = workspace.reserve(beginOfB + (long) bytes * b.length());
    long toB = toA + beginOfB;
    var arguments = new Arguments().address(toA).address(toB);
    arguments.address(a.address()).address(b.address());
    arguments.add("nA", a.length()).add("nB", b.length()).add("precision", precision.ordinal());
    kernels.launch(
        "round_operands", KernelModule.cover(Math.max(a.length(), b.length())), arguments);
    return new Operands(
        new DeviceMatrix(toA, a.rows(), a.columns()), new DeviceMatrix(toB, b.rows(), b.columns()));
  }

  @Override
  public void close() {
    workspace.close();
  }
}
