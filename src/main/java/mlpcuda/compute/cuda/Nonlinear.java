package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/** What a layer does besides products. Arguments are addresses; shapes as in Ops. */
interface Nonlinear extends AutoCloseable {
  /** y (B, O) = activation(y + b (O)). */
  void biasActivationForward(long y, long b, int B, int O, Activation activation);

  /** dx (n) = dy (n), times the derivative of {@code activation} at its output y (n). */
  void activationBackward(long dx, long dy, long y, int n, Activation activation);

  /** y (B, C) = log-softmax of each row of x (B, C). */
  void logSoftmaxForward(long y, long x, int B, int C);

  /** What computes them. */
  String description();

  @Override
  void close();
}
