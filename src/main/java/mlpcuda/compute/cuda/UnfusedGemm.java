package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/** Our own products, which add the bias, and activations by cuDNN, which they would fuse too. */
final class UnfusedGemm implements Gemm {
  private final Gemm gemm;
  private final CudnnNonlinear nonlinear;

  /** Takes {@code gemm} over; {@code nonlinear} is closed by whoever made it. */
  UnfusedGemm(Gemm gemm, CudnnNonlinear nonlinear) {
    this.gemm = gemm;
    this.nonlinear = nonlinear;
  }

  @Override
  public void linearForward(
      long y, long x, long w, long b, int B, int I, int O, Activation activation) {
    gemm.linearForward(y, x, w, b, B, I, O, Activation.NONE);
    nonlinear.activationForward(y, B, O, activation);
  }

  @Override
  public void backwardWeights(long dw, long dy, long x, int B, int I, int O) {
    gemm.backwardWeights(dw, dy, x, B, I, O);
  }

  @Override
  public void backwardInputs(
      long dx, long dy, long x, long w, int B, int I, int O, Activation below) {
    gemm.backwardInputs(dx, dy, x, w, B, I, O, Activation.NONE);
    if (below != Activation.NONE) {
      nonlinear.activationBackward(dx, dx, x, B * I, below);
    }
  }

  @Override
  public String description() {
    return gemm.description();
  }

  @Override
  public void close() {
    gemm.close();
  }
}
