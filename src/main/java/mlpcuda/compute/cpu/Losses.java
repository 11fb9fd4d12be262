package mlpcuda.compute.cpu;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Targets;

/** Log-softmax, and cross-entropy with its gradient, a row at a time. */
final class Losses {
  private final WorkSplitter parts;

  Losses(WorkSplitter parts) {
    this.parts = parts;
  }

  /** {@link Ops#logSoftmaxForward}. */
  void logSoftmax(Floats logs, Floats logits, int B, int C) {
    parts.run(
        parts.of((long) B * C),
        (part, count) -> {
          float[] row = parts.floats(part, 0, C);
          double[] exponentials = new double[C];
          int end = Workers.bound(B, 1, part + 1, count);
          for (int r = Workers.bound(B, 1, part, count); r < end; r++) {
            logits.get(r * C, row, C);
            float max = row[ArrayMath.largest(row, C)];
            double logSum = max + Math.log(ArrayMath.exponentials(exponentials, row, C, max));
            for (int c = 0; c < C; c++) {
              row[c] = (float) (row[c] - logSum);
            }
            logs.put(r * C, row, C);
          }
        });
  }

  /** {@link Ops#crossEntropyForward}. */
  void crossEntropy(
      LossOutputs outputs,
      Buffer x,
      Targets targets,
      Buffer step,
      Optional<Buffer> scaling,
      int B,
      int C,
      float smoothing) {
    float scale = scaling.map(of -> ((Floats) of).get(LossScale.SCALE)).orElse(1f);
    boolean train = outputs.dx().isPresent();
    boolean scales = scaling.isPresent() || targets.weights().isPresent();
    float[] rows = new float[2 * B];
    parts.run(
        parts.of(16L * B * C), // an exponential costs many additions
        (part, count) -> {
          float[] row = parts.floats(part, 0, C);
          double[] exponentials = new double[C];
          int end = Workers.bound(B, 1, part + 1, count);
          for (int r = Workers.bound(B, 1, part, count); r < end; r++) {
            ((Floats) x).get(r * C, row, C);
            int label = ((Ints) targets.y()).at(r);
            float weight =
                targets.weights().isPresent() ? ((Floats) targets.weights().get()).get(r) : 1;
            rows[B + r] = ArrayMath.largest(row, C) == label ? 1 : 0;
            rows[r] = crossEntropy(row, exponentials, C, label, B, smoothing, train) * weight;
            if (train) {
              if (scales) {
                ArrayMath.scale(row, scale * weight, C);
              }
              ((Floats) outputs.dx().get()).put(r * C, row, C);
            }
          }
        });
    ((Floats) outputs.losses()).put(0, rows, rows.length);
    double sum = 0;
    int right = 0;
    for (int r = 0; r < B; r++) {
      sum += rows[r];
      right += (int) rows[B + r];
    }
    var log = (Floats) outputs.log();
    int row = Math.floorMod(((Ints) step).at(0) - 1, log.length() / 2);
    log.put(2 * row, new float[] {(float) sum, right}, 2);
  }

  /** A row's loss; while training, its gradient takes the logits' place. */
  private static float crossEntropy(
      float[] row, double[] exponentials, int C, int label, int B, float smoothing, boolean train) {
    float max = row[ArrayMath.largest(row, C)];
    double sum = ArrayMath.exponentials(exponentials, row, C, max);
    double loss = (max - (double) row[label]) * (1.0 - smoothing) + Math.log(sum);
    if (smoothing > 0) {
      loss += ArrayMath.distances(row, C, max) * smoothing / C;
    }
    if (train) {
      ArrayMath.softmaxGradient(row, exponentials, C, label, sum, B, smoothing);
    }
    return (float) loss;
  }
}
