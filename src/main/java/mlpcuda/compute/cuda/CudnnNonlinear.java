package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.error.DeviceException;

/** Bias, activations and log-softmax by cuDNN. */
final class CudnnNonlinear implements Nonlinear {
  private final Dnn dnn;
  private final Nonlinear own;
  private final CudaDriver driver;
  private final long stream;
  private final boolean check;

  /**
   * Owns {@code dnn} from now on, and closes it.
   *
   * @param own computes what cuDNN does not; its maker closes it
   * @param stream the stream that {@code dnn} was opened for
   * @param check whether to wait after each call, so that a failure is thrown by the call that
   *     failed
   */
  CudnnNonlinear(Dnn dnn, Nonlinear own, CudaDriver driver, long stream, boolean check) {
    this.dnn = dnn;
    this.own = own;
    this.driver = driver;
    this.stream = stream;
    this.check = check;
  }

  @Override
  public void biasActivationForward(long y, long b, int B, int O, Activation activation) {
    run("cudnnAddTensor", B, O, () -> dnn.addTensor(y, b, B, O));
    activationForward(y, B, O, activation);
  }

  /** Computes y (B, O) = activation(y). */
  void activationForward(long y, int B, int O, Activation activation) {
    if (activation != Activation.NONE) {
      run("cudnnActivationForward", B, O, () -> dnn.activationForward(y, y, B, O, activation));
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>The activation's input is not kept. cuDNN needs it for a ReLU, to see where it was above 0:
   * there, and there alone, the output is above 0, too, and so stands for it. The derivatives of
   * the other activations are functions of the output. Without an activation the operation is a
   * copy, which cuDNN's activations do not make.
   */
  @Override
  public void activationBackward(long dx, long dy, long y, int n, Activation activation) {
    if (activation == Activation.NONE) {
      own.activationBackward(dx, dy, y, n, activation);
      return;
    }
    run(
        "cudnnActivationBackward",
        1,
        n,
        () -> dnn.activationBackward(dx, y, dy, y, 1, n, activation));
  }

  @Override
  public void logSoftmaxForward(long y, long x, int B, int C) {
    run("cudnnSoftmaxForward", B, C, () -> dnn.logSoftmaxForward(y, x, B, C));
  }

  private void run(String name, int N, int C, Runnable call) {
    try {
      call.run();
      if (check) {
        driver.synchronizeStream(stream);
      }
    } catch (CudaException e) {
      String why = "%s; in %s with N=%d C=%d".formatted(e.why(), name, N, C);
      String remedy = check ? "Nothing before it failed: this call is at fault." : e.remedy();
      throw new DeviceException(why, remedy, e);
    }
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
