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
   * c = c + a for each row of c.
   *
   * @param c (N, C) in and out: address on the device
   * @param a (1, C)
   */
  void addTensor(long c, long a, int N, int C);

  /**
   * y = activation(x). {@code y} may be {@code x}.
   *
   * @param y (N, C) out: address on the device
   * @param x (N, C)
   * @param activation not NONE, which cuDNN does not compute
   */
  void activationForward(long y, long x, int N, int C, Activation activation);

  /**
   * dx = dy ⊙ activation′, by the activation's output y, its input x, or both. {@code dx} may be
   * {@code dy}.
   *
   * @param dx (N, C) out: address on the device
   * @param y (N, C)
   * @param dy (N, C)
   * @param x (N, C)
   * @param activation not NONE
   */
  void activationBackward(long dx, long y, long dy, long x, int N, int C, Activation activation);

  /**
   * Log-softmax of each row, x − log Σ eˣ, its largest element subtracted first.
   *
   * @param y (N, C) out: address on the device
   * @param x (N, C)
   */
  void logSoftmaxForward(long y, long x, int N, int C);

  /** The name of the library, with its version. */
  String description();

  @Override
  void close();
}
