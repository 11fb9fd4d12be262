package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/**
 * The operations of a layer besides products. Arguments are addresses on the device; shapes are
 * those of {@link mlpcuda.compute.Ops}.
 */
interface Nonlinear extends AutoCloseable {
  /** y (B, O) = activation(y + b (O)). */
  void biasActivationForward(long y, long b, int B, int O, Activation activation);

  /** dx (n) = dy (n), times the derivative of {@code activation} at its output y (n). */
  void activationBackward(long dx, long dy, long y, int n, Activation activation);

  /** y (B, C) = log-softmax of each row of x (B, C). */
  void logSoftmaxForward(long y, long x, int B, int C);

  /** The name of what computes the operations, with its version if it is a library. */
  String description();

  @Override
  void close();
}
