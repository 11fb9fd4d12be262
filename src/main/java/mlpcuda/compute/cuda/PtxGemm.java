package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;

/** Products by our own kernels, the module gemm, which need nothing but the driver. */
final class PtxGemm implements Gemm {
  /** The most bytes of workspace for the sums of a product's parts. */
  private static final long WORKSPACE = 32L << 20;

  private final Resources resources = new Resources();
  private final int multiprocessors;
  private final KernelModule kernels;
  private final Workspace parts;
  private final Optional<RoundedOperands> rounded;

  /**
   * Owns {@code kernels}, the module gemm of some precision, from now on, and closes it.
   *
   * @param rounded the copies of operands; empty in single precision
   */
  PtxGemm(CudaDriver driver, KernelModule kernels, Optional<RoundedOperands> rounded) {
    this.rounded = rounded;
    this.multiprocessors = driver.device().multiprocessors().count();
    this.parts = resources.add(new Workspace(driver, "parts of sums"));
    this.kernels = resources.add(kernels);
  }

  /** Whether both operands of a product can be read 4 elements at a time. */
  private static boolean readQuads(DeviceMatrix a, DeviceMatrix b) {
    return Tiling.readsQuads(a.address(), Float.BYTES, a.columns())
        && Tiling.readsQuads(b.address(), Float.BYTES, b.columns());
  }

  /** Launches a product that makes {@code result} of sums of K terms. */
  private void multiply(
      String entry, DeviceMatrix result, int K, boolean quads, Arguments arguments) {
    Tiling tiling = Tiling.whole(result.rows(), result.columns(), K, multiprocessors, quads);
    kernels.launch(
        entry + tiling.tiles().suffix(), tiling.cover(result.rows(), result.columns()), arguments);
    rounded.ifPresent(copies -> copies.refresh(result));
  }

  @Override
  public void linearForward(
      DeviceMatrix y, DeviceMatrix x, DeviceMatrix w, long b, Activation activation) {
    var arguments = new Arguments();
    arguments.address(y.address()).address(x.address()).address(w.address()).address(b);
    arguments.add("B", y.rows()).add("I", w.columns()).add("O", w.rows());
    arguments.add("activation", activation.ordinal());
    multiply("linear_forward", y, w.columns(), readQuads(x, w), arguments);
  }

  @Override
  public void backwardWeights(DeviceMatrix dw, DeviceMatrix dy, DeviceMatrix x) {
    int O = dw.rows();
    int I = dw.columns();
    int n = dw.length();
    int most = (int) Math.min(dy.rows(), WORKSPACE / Float.BYTES / n);
    Tiling tiling = Tiling.of(O, I, dy.rows(), multiprocessors, readQuads(dy, x), most);
    boolean divided = tiling.parts() > 1;
    long sums = divided ? parts.reserve((long) Float.BYTES * n * tiling.parts()) : dw.address();
    var arguments = new Arguments().address(sums).address(dy.address()).address(x.address());
    arguments.add("B", dy.rows()).add("I", I).add("O", O).add("share", tiling.share());
    String entry = "linear_backward_weights" + tiling.tiles().suffix();
    kernels.launch(entry, tiling.cover(O, I), arguments);
    if (divided) {
      var sum = new Arguments().address(dw.address()).address(sums);
      sum.add("n", n).add("P", tiling.parts());
      kernels.launch("add_parts", KernelModule.cover(n), sum);
    }
  }

  @Override
  public void backwardInputs(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix x, DeviceMatrix w, Activation below) {
    var arguments = new Arguments().address(dx.address()).address(dy.address());
    arguments.address(x.address()).address(w.address());
    arguments.add("B", dx.rows()).add("I", w.columns()).add("O", w.rows());
    arguments.add("below", below.ordinal());
    multiply("linear_backward_inputs", dx, w.rows(), readQuads(dy, w), arguments);
  }

  @Override
  public Multiplier multiplier() {
    return Multiplier.PTX;
  }

  @Override
  public String description() {
    return "own GEMM";
  }

  @Override
  public void close() {
    resources.close();
  }
}
