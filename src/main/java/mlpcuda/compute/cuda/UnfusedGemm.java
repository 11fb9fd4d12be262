package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;

/**
 * Our own products with the bias, but activations by cuDNN, which our kernels would fuse, too. An
 * activation that cuDNN lacks stays in our products.
 */
final class UnfusedGemm implements Gemm {
  private final PtxGemm gemm;
  private final CudnnNonlinear nonlinear;

  /** Owns {@code gemm} from now on; {@code nonlinear} is closed by its maker. */
  UnfusedGemm(PtxGemm gemm, CudnnNonlinear nonlinear) {
    this.gemm = gemm;
    this.nonlinear = nonlinear;
  }

  @Override
  public void linearForward(
      DeviceMatrix y, DeviceMatrix x, DeviceMatrix w, long b, Activation activation) {
    if (activation == Activation.LECUN_TANH) {
      gemm.linearForward(y, x, w, b, activation);
      return;
    }
    gemm.linearForward(y, x, w, b, Activation.NONE);
    nonlinear.activationForward(y, activation);
  }

  @Override
  public void backwardWeights(DeviceMatrix dw, DeviceMatrix dy, DeviceMatrix x) {
    gemm.backwardWeights(dw, dy, x);
  }

  @Override
  public void backwardInputs(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix x, DeviceMatrix w, Activation below) {
    gemm.backwardInputs(dx, dy, x, w, Activation.NONE);
    if (below != Activation.NONE) {
      nonlinear.activationBackward(dx, dx, x, below);
    }
  }

  @Override
  public Multiplier multiplier() {
    return gemm.multiplier();
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
