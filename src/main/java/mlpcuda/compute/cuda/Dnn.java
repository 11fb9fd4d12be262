package mlpcuda.compute.cuda;

import mlpcuda.compute.Activation;

/**
 * The operations of cuDNN that are used here, enqueued on one stream. Their tensors are N images of
 * C channels of 1 x 1 floats, packed: row-major matrices (N, C). The tensors of a call lie apart in
 * memory, unless its comment says that they may be the same.
 *
 * @see <a
 *     href="https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-ops-library.html">
 *     cuDNN's operations</a>
 */
public interface Dnn extends AutoCloseable {
  /**
   * Computes c = c + a for each row of c.
   *
   * @param c (N, C) in and out
   * @param a the address of a row (1, C)
   */
  void addTensor(DeviceMatrix c, long a);

  /**
   * Computes y = activation(x). {@code y} may be {@code x}.
   *
   * @param y (N, C) out
   * @param x (N, C)
   * @param activation not NONE or LECUN_TANH, which cuDNN does not compute
   */
  void activationForward(DeviceMatrix y, DeviceMatrix x, Activation activation);

  /**
   * Computes dx = dy ⊙ activation′, by the activation's output y, its input x, or both. {@code dx}
   * may be {@code dy}.
   *
   * @param dx (N, C) out
   * @param y (N, C)
   * @param dy (N, C)
   * @param x (N, C)
   * @param activation not NONE or LECUN_TANH
   */
  void activationBackward(
      DeviceMatrix dx, DeviceMatrix y, DeviceMatrix dy, DeviceMatrix x, Activation activation);

  /**
   * Computes the log-softmax of each row, x − log Σ eˣ, its largest element subtracted first.
   *
   * @param y (N, C) out
   * @param x (N, C)
   */
  void logSoftmaxForward(DeviceMatrix y, DeviceMatrix x);

  /** The name of the library, with its version. */
  String description();

  @Override
  void close();
}
