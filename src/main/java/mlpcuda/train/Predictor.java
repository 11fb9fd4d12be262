package mlpcuda.train;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.InputOrder;
import mlpcuda.compute.Ops;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;

/** Predicts the classes of images with a network. */
public final class Predictor {
  private static final int BATCH = 1000;
  private static final long BATCH_BYTES = 64 << 20; // of activations, but for one image

  private Predictor() {}

  /** The number of images that a network of that shape answers at once, at most. */
  public static int batch(MlpShape shape) {
    long each = Float.BYTES * shape.sizes().stream().mapToLong(Integer::longValue).sum();
    return (int) Math.max(1, Math.min(BATCH, BATCH_BYTES / each));
  }

  /**
   * Room on the device for the weights, zeros, of a network whose images have the natural order of
   * pixels; the caller closes it.
   *
   * @param N the number of images of the largest call of {@link #logProbabilities}
   * @param what the network and its file, for the message
   * @throws mlpcuda.data.BadFileException if these calls need more memory than is free
   */
  public static Parameters allocate(Ops ops, MlpShape shape, int N, String what) {
    MemoryNeed.ofPrediction(shape, N).check(ops, what, "");
    return Parameters.forInference(ops, shape, InputOrder.natural(shape.inputs()));
  }

  /**
   * The logarithms of the probabilities that the network gives each class.
   *
   * @param pixels (N, I), one unsigned byte a pixel; N at least 1
   * @return (N, C)
   */
  public static float[][] logProbabilities(
      Ops ops, MlpShape shape, Parameters parameters, byte[] pixels, Scaling scaling) {
    int N = pixels.length / shape.inputs();
    int C = shape.classes();
    float[][] answers = new float[N][C];
    byte[] unknown = new byte[N]; // labels, which nothing here looks at
    try (var inference =
            new Inference(ops, shape, parameters, pixels, unknown, scaling, batch(shape));
        Buffer logs = ops.allocate("logs", Type.FLOAT32, inference.batchSize() * C)) {
      inference.run(
          (from, size) -> {
            ops.logSoftmaxForward(logs, inference.logits(), size, C);
            float[] values = new float[size * C]; // (size, C)
            ops.read(logs, values);
            for (int b = 0; b < size; b++) {
              System.arraycopy(values, b * C, answers[from + b], 0, C);
            }
          });
    }
    return answers;
  }
}
