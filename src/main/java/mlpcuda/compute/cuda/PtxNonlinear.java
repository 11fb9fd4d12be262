package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/** Bias, activations and log-softmax by our own kernels, module layers, whose owner closes them. */
final class PtxNonlinear implements Nonlinear {
  private final Kernels kernels;

  PtxNonlinear(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void biasActivationForward(long y, long b, int B, int O, Activation activation) {
    var arguments = new Arguments().address(y).address(b).add("B", B).add("O", O);
    arguments.add("activation", activation.ordinal());
    kernels.launch("bias_activation_forward", Kernels.cover(B * O), arguments);
  }

  @Override
  public void activationBackward(long dx, long dy, long y, int n, Activation activation) {
    var arguments = new Arguments().address(dx).address(dy).address(y).add("n", n);
    arguments.add("activation", activation.ordinal());
    kernels.launch("activation_backward", Kernels.cover(n), arguments);
  }

  @Override
  public void logSoftmaxForward(long y, long x, int B, int C) {
    var arguments = new Arguments().address(y).address(x).add("B", B).add("C", C);
    kernels.launch("log_softmax_forward", Kernels.coverRows(B), arguments);
  }

  @Override
  public String description() {
    return "own kernels";
  }

  @Override
  public void close() {}
}
