package mlpcuda.train;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.Scaling;
import mlpcuda.net.Examples;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;

/** Asks a network what it takes images for. */
public final class Predictor {
  private static final int BATCH = 1000;

  private Predictor() {}

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
    int B = Math.min(BATCH, N);
    float[][] answers = new float[N][C];
    byte[] unknown = new byte[N]; // labels, which nothing here looks at
    try (var mlp = Mlp.forInference(ops, shape, parameters, B);
        var examples =
            new Examples(ops, shape, pixels, unknown, B, scaling.scale(), scaling.shift());
        Buffer logs = ops.allocate("logs", Type.FLOAT32, B * C);
        Buffer position = ops.allocate("position", Type.INT32, 2)) {
      Buffer step = position.slice("step", 0, 1);
      Buffer end = position.slice("end", 1, 1);
      examples.begin(ExampleOrder.sequential(N), 0);
      for (int from = 0; from < N; from += B) {
        int size = Math.min(B, N - from);
        ops.write(position, new int[] {1, from + size}, 0, 2);
        examples.stage(size);
        examples.gather(mlp.inputs(), end, size);
        mlp.forward(step, size);
        ops.logSoftmaxForward(logs, mlp.logits(), size, C);
        float[] values = new float[size * C]; // (size, C)
        ops.read(logs, values);
        for (int b = 0; b < size; b++) {
          System.arraycopy(values, b * C, answers[from + b], 0, C);
        }
      }
    }
    return answers;
  }
}
