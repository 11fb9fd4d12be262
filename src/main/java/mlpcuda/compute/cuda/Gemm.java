package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/**
 * The products of a layer, each with the bias and the activation that follow it. Arguments are
 * addresses on the device; shapes are those of {@link mlpcuda.compute.Ops}.
 */
interface Gemm extends AutoCloseable {
  /** y (B, O) = activation(x (B, I) · w (O, I)ᵀ + b (O)). */
  void linearForward(long y, long x, long w, long b, int B, int I, int O, Activation activation);

  /** dw (O, I) = dy (B, O)ᵀ · x (B, I). */
  void backwardWeights(long dw, long dy, long x, int B, int I, int O);

  /** dx (B, I) = dy (B, O) · w (O, I), times the derivative of {@code below} at its output x. */
  void backwardInputs(long dx, long dy, long x, long w, int B, int I, int O, Activation below);

  /** The name of what multiplies, with its version if it is a library. */
  String description();

  @Override
  void close();
}
