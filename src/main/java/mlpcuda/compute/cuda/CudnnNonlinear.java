package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaOptions.Activator;

/** Bias, activations and log-softmax by cuDNN. */
final class CudnnNonlinear implements Nonlinear {
  private final Dnn dnn;
  private final Nonlinear own;
  private final LaunchStream stream;
  private final Optional<RoundedOperands> rounded;

  /**
   * Owns {@code dnn} from now on, and closes it.
   *
   * @param own computes what cuDNN does not; its maker closes it
   * @param stream the stream that {@code dnn} was opened for
   * @param rounded the copies of what cuDNN writes; empty in single precision
   */
  CudnnNonlinear(Dnn dnn, Nonlinear own, LaunchStream stream, Optional<RoundedOperands> rounded) {
    this.rounded = rounded;
    this.dnn = dnn;
    this.own = own;
    this.stream = stream;
  }

  @Override
  public void biasActivationForward(DeviceMatrix y, long b, Activation activation) {
    if (activation == Activation.LECUN_TANH) {
      own.biasActivationForward(y, b, activation);
      return;
    }
    run("cudnnAddTensor", y, () -> dnn.addTensor(y, b));
    activate(y, activation);
    refresh(y);
  }

  /** Computes y = activation(y). */
  void activationForward(DeviceMatrix y, Activation activation) {
    if (activation != Activation.NONE) {
      activate(y, activation);
      refresh(y);
    }
  }

  private void activate(DeviceMatrix y, Activation activation) {
    if (activation != Activation.NONE) {
      run("cudnnActivationForward", y, () -> dnn.activationForward(y, y, activation));
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>The activation's input is not kept. cuDNN needs it for a ReLU, to see where it was above 0:
   * there, and there alone, the output is above 0, too, and so stands for it. The derivatives of
   * the other activations are functions of the output. Without an activation the operation is a
   * copy, which cuDNN's activations do not make, and cuDNN has no scaled tanh.
   */
  @Override
  public void activationBackward(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix y, Activation activation) {
    if (activation == Activation.NONE || activation == Activation.LECUN_TANH) {
      own.activationBackward(dx, dy, y, activation);
      return;
    }
    DeviceMatrix row = y.asRow();
    run(
        "cudnnActivationBackward",
        row,
        () -> dnn.activationBackward(dx.asRow(), row, dy.asRow(), row, activation));
    refresh(dx);
  }

  @Override
  public void logSoftmaxForward(DeviceMatrix y, DeviceMatrix x) {
    run("cudnnSoftmaxForward", y, () -> dnn.logSoftmaxForward(y, x));
  }

  private void refresh(DeviceMatrix written) {
    rounded.ifPresent(copies -> copies.refresh(written));
  }

  private void run(String function, DeviceMatrix tensor, Runnable call) {
    stream.enqueue(
        "call",
        () -> "%s with N=%d C=%d".formatted(function, tensor.rows(), tensor.columns()),
        call);
  }

  @Override
  public Activator activator() {
    return Activator.CUDNN;
  }

  @Override
  public String description() {
    return dnn.description();
  }

  @Override
  public void close() {
    dnn.close();
  }
}
