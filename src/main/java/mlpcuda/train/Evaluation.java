package mlpcuda.train;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.Examples;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;

/**
 * How a network answers a set of examples.
 *
 * @param loss mean cross-entropy
 * @param confusion (C, C): examples by true class (row) and answered class (column)
 */
public record Evaluation(double loss, long[][] confusion) {
  /** Evaluates the network of those parameters on a set, in batches of up to {@code batchSize}. */
  public static Evaluation of(
      Ops ops,
      MlpShape shape,
      Parameters parameters,
      ImageSet set,
      Scaling scaling,
      int batchSize) {
    int B = Math.min(batchSize, set.size());
    int C = shape.classes();
    byte[] labels = set.labels();
    int[] order = ExampleOrder.sequential(set.size());
    long[][] confusion = new long[C][C];
    double losses = 0;
    try (Mlp mlp = Mlp.forInference(ops, shape, parameters, B);
        var examples =
            new Examples(ops, shape, set.pixels(), labels, B, scaling.scale(), scaling.shift());
        Buffer log = ops.allocate("log", Type.FLOAT32, 2);
        Buffer step = ops.allocate("step", Type.INT32, 1);
        Buffer end = ops.allocate("end", Type.INT32, 1)) {
      ops.write(step, new int[] {1}, 0, 1);
      examples.begin(order, 0);
      float[] sums = new float[2];
      for (int from = 0; from < order.length; from += B) {
        int size = Math.min(B, order.length - from);
        examples.stage(size);
        ops.write(end, new int[] {from + size}, 0, 1);
        examples.gather(mlp.inputs(), end, size);
        mlp.forward(size);
        mlp.loss(log, examples.y(), step, size);
        ops.read(log, sums);
        losses += sums[0];
        float[] logits = new float[size * C]; // (size, C)
        ops.read(mlp.logits(), logits);
        for (int b = 0; b < size; b++) {
          confusion[Byte.toUnsignedInt(labels[from + b])][largest(logits, b * C, C)]++;
        }
      }
    }
    return new Evaluation(losses / order.length, confusion);
  }

  /** The answer: the class of the largest logit, the first of equals. */
  private static int largest(float[] logits, int from, int C) {
    int largest = 0;
    for (int c = 1; c < C; c++) {
      if (logits[from + c] > logits[from + largest]) {
        largest = c;
      }
    }
    return largest;
  }

  /** Number of classes, C. */
  public int classes() {
    return confusion.length;
  }

  /** Number of examples. */
  public long size() {
    long size = 0;
    for (int c = 0; c < classes(); c++) {
      size += support(c);
    }
    return size;
  }

  /** Examples answered right. */
  public long right() {
    long right = 0;
    for (int c = 0; c < classes(); c++) {
      right += confusion[c][c];
    }
    return right;
  }

  /** Fraction of examples answered right. */
  public double accuracy() {
    return (double) right() / size();
  }

  /** Examples of class {@code c}. */
  public long support(int c) {
    long support = 0;
    for (long count : confusion[c]) {
      support += count;
    }
    return support;
  }

  /** Of the examples answered {@code c}, the fraction that are; 0 where none was. */
  public double precision(int c) {
    long answered = 0;
    for (long[] row : confusion) {
      answered += row[c];
    }
    return answered == 0 ? 0 : (double) confusion[c][c] / answered;
  }

  /** Of the examples of class {@code c}, the fraction answered so; 0 where there is none. */
  public double recall(int c) {
    return support(c) == 0 ? 0 : (double) confusion[c][c] / support(c);
  }

  /** Harmonic mean of precision and recall; 0 where both are. */
  public double f1(int c) {
    double sum = precision(c) + recall(c);
    return sum == 0 ? 0 : 2 * precision(c) * recall(c) / sum;
  }
}
