package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaOptions.Activator;

/** The operations of a layer besides products. Shapes are those of {@link mlpcuda.compute.Ops}. */
interface Nonlinear extends AutoCloseable {
  /**
   * Computes y (B, O) = activation(y + b (O)).
   *
   * @param b the address of the biases
   */
  void biasActivationForward(DeviceMatrix y, long b, Activation activation);

  /**
   * Computes dx = dy, times the derivative of {@code activation} at its output y. The three have
   * one shape.
   */
  void activationBackward(DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix y, Activation activation);

  /** Computes y (B, C) = log-softmax of each row of x (B, C). */
  void logSoftmaxForward(DeviceMatrix y, DeviceMatrix x);

  /** What computes the operations. */
  Activator activator();

  /** The name of what computes the operations, with its version if it is a library. */
  String description();

  @Override
  void close();
}
