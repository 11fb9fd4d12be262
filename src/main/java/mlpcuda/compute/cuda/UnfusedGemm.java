package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/** Our own products with the bias, but activations by cuDNN, which our kernels would fuse, too. */
final class UnfusedGemm implements Gemm {
  private final Gemm gemm;
  private final CudnnNonlinear nonlinear;

  /** Owns {@code gemm} from now on; {@code nonlinear} is closed by its maker. */
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
