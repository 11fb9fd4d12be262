package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaOptions.Activator;

/** Bias, activations and log-softmax by our own kernels, module layers, whose owner closes them. */
final class PtxNonlinear implements Nonlinear {
  private final KernelModule kernels;

  PtxNonlinear(KernelModule kernels) {
    this.kernels = kernels;
  }

  @Override
  public void biasActivationForward(DeviceMatrix y, long b, Activation activation) {
    var arguments = new Arguments().address(y.address()).address(b);
    arguments.add("B", y.rows()).add("O", y.columns()).add("activation", activation.ordinal());
    kernels.launch("bias_activation_forward", KernelModule.cover(y.length()), arguments);
  }

  @Override
  public void activationBackward(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix y, Activation activation) {
    var arguments = new Arguments();
    arguments.address(dx.address()).address(dy.address()).address(y.address());
    arguments.add("n", dx.length()).add("activation", activation.ordinal());
    kernels.launch("activation_backward", KernelModule.cover(dx.length()), arguments);
  }

  @Override
  public void logSoftmaxForward(DeviceMatrix y, DeviceMatrix x) {
    var arguments = new Arguments().address(y.address()).address(x.address());
    arguments.add("B", y.rows()).add("C", y.columns());
    kernels.launch("log_softmax_forward", KernelModule.coverRows(y.rows()), arguments);
  }

  @Override
  public Activator activator() {
    return Activator.PTX;
  }

  @Override
  public String description() {
    return "own kernels";
  }

  @Override
  public void close() {}
}
