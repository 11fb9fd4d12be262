package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;

/**
 * The products of a layer, each with the bias and the activation that follow it. Shapes are those
 * of {@link mlpcuda.compute.Ops}.
 */
interface Gemm extends AutoCloseable {
  /**
   * Computes y (B, O) = activation(x (B, I) · w (O, I)ᵀ + b (O)).
   *
   * @param b the address of the biases
   */
  void linearForward(DeviceMatrix y, DeviceMatrix x, DeviceMatrix w, long b, Activation activation);

  /** Computes dw (O, I) = dy (B, O)ᵀ · x (B, I). */
  void backwardWeights(DeviceMatrix dw, DeviceMatrix dy, DeviceMatrix x);

  /**
   * Computes dx (B, I) = dy (B, O) · w (O, I), times the derivative of {@code below} at its output
   * x.
   */
  void backwardInputs(
      DeviceMatrix dx, DeviceMatrix dy, DeviceMatrix x, DeviceMatrix w, Activation below);

  /** What multiplies; never {@code AUTO}. */
  Multiplier multiplier();

  /** The name of what multiplies, with its version if it is a library. */
  String description();

  @Override
  void close();
}
