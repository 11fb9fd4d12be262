package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions.Activator;

/** Bias, activations and log-softmax by our own kernels, module layers, whose maker closes it. */
final class PtxNonlinear implements Nonlinear {
  private final KernelModule kernels;
  private final Optional<RoundedOperands> rounded;

  /**
   * @param rounded the copies that are written with the outputs; empty in single precision
   */
  PtxNonlinear(KernelModule kernels, Optional<RoundedOperands> rounded) {
    this.kernels = kernels;
    this.rounded = rounded;
  }

  private Arguments withCopy(DeviceMatrix written) {
    return RoundedOperands.withCopy(rounded, written.address());
  }

  private Precision precision() {
    return rounded.map(RoundedOperands::precision).orElse(Precision.FP32);
  }

  @Override
  public void biasActivationForward(DeviceMatrix y, long b, Activation activation) {
    var arguments = withCopy(y).address(b).add("B", y.rows()).add("O", y.columns());
    arguments.add("activation", activation.ordinal()).add(precision());
    kernels.launch("bias_activation_forward", KernelModule.cover(y.length()), arguments);
  }

  @Override
  public void activationBackward(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix y, Activation activation) {
    var arguments = withCopy(dx).address(dy.address()).address(y.address());
    arguments.add("n", dx.length()).add("activation", activation.ordinal()).add(precision());
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
