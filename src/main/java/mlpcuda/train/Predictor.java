package mlpcuda.train;

import java.util.Arrays;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Resources;
import mlpcuda.data.Scaling;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Weights;

/**
 * Predicts the classes of images with a network. All that it needs on the device is made once, with
 * it. One thread makes and uses it: the one that opened the device.
 */
public final class Predictor implements AutoCloseable {
  private static final int BATCH = 1000;
  private static final long BATCH_BYTES =
      64 << 20; // the most memory for activations in bytes, unless one image needs more

  private final Resources resources = new Resources();
  private final Ops ops;
  private final int I;
  private final int C;
  private final int B; // the largest batch
  private final byte[] images; // (N, I): those of a call
  private final Inference inference;
  private final Buffer logs; // (B, C)

  /**
   * A network on the device; the caller closes it.
   *
   * @param N the number of images of the largest call
   * @param what the network and its file, for the message
   * @throws mlpcuda.error.BadFileException if these calls need more memory than is free
   */
  public Predictor(Ops ops, Weights weights, Scaling scaling, int N, String what) {
    MlpShape shape = weights.shape();
    this.ops = ops;
    this.I = shape.inputs();
    this.C = shape.classes();
    MemoryNeed.ofPrediction(ops, shape, N).check(ops, what, "");
    this.images = new byte[Math.multiplyExact(N, I)];
    this.B = Math.min(N, batch(shape));
    var parameters = resources.open(() -> Parameters.forInference(ops, shape));
    resources.attempt(() -> parameters.write(weights.tensors()));
    var examples = resources.open(() -> Batches.changing(parameters, images, scaling, B));
    this.inference = resources.open(() -> new Inference(parameters, examples));
    this.logs = resources.open(() -> ops.allocate("logs", Type.FLOAT32, B * C));
  }

  /** The number of images that a network of that shape answers at once, at most. */
  public static int batch(MlpShape shape) {
    long each = Float.BYTES * shape.sizes().stream().mapToLong(Integer::longValue).sum();
    return (int) Math.max(1, Math.min(BATCH, BATCH_BYTES / each));
  }

  /**
   * The logarithms of the probabilities that the network gives each class.
   *
   * @param pixels (n, I), one unsigned byte a pixel; n from 1 to N
   * @return (n, C)
   */
  public float[][] logProbabilities(byte[] pixels) {
    int n = pixels.length / I;
    System.arraycopy(pixels, 0, images, 0, pixels.length);
    float[][] answers = new float[n][];
    inference.run(n, this::logSoftmax, (from, size, values) -> split(values, size, answers, from));
    return answers;
  }

  /**
   * The logarithms of the probabilities that the network gives each class.
   *
   * @param inputs (n, I), scaled as the network's inputs are; n from 1 to the largest batch
   * @return (n, C)
   */
  public float[][] logProbabilities(float[] inputs) {
    int n = inputs.length / I;
    float[][] answers = new float[n][];
    inference.run(
        x -> ops.write(x, inputs),
        n,
        this::logSoftmax,
        (from, size, values) -> split(values, size, answers, from));
    return answers;
  }

  /**
   * The logarithms of the probabilities that the network gives each class of distorted images.
   *
   * @param pixels (n, I), one unsigned byte a pixel; n from 1 to N
   * @param copy the number of the copies, which tells their distortion from that of others
   * @return (n, C)
   */
  public float[][] logProbabilities(byte[] pixels, Distorting distorting, int copy) {
    int n = pixels.length / I;
    float[][] answers = new float[n][];
    try (Buffer numbers = ops.allocate("numbers", Type.INT32, Math.min(n, B))) { // all are 0
      for (int first = 0; first < n; first += B) {
        int size = Math.min(B, n - first);
        int at = first;
        byte[] batch = Arrays.copyOfRange(pixels, first * I, (first + size) * I);
        try (Buffer images = ops.constant("images", batch)) {
          var originals = new Originals(images, numbers, true);
          inference.run(
              x -> ops.distortForward(x, originals, size, distorting, copy),
              size,
              this::logSoftmax,
              (from, count, values) -> split(values, count, answers, at));
        }
      }
    }
    return answers;
  }

  private Buffer logSoftmax(Buffer step, int size) {
    ops.logSoftmaxForward(logs, inference.logits(), size, C);
    return logs;
  }

  private void split(float[] values, int size, float[][] answers, int from) {
    for (int b = 0; b < size; b++) {
      answers[from + b] = Arrays.copyOfRange(values, b * C, (b + 1) * C);
    }
  }

  @Override
  public void close() {
    resources.close();
  }
}
