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

/** Asks a network for its answers to a set of examples, as often as wanted. */
public final class Evaluator implements AutoCloseable {
  private final Ops ops;
  private final byte[] labels;
  private final int[] order;
  private final int B;
  private final int C;
  private final Mlp mlp;
  private final Examples examples;
  private final Buffer log; // (1, 2)
  private final Buffer position; // (2) INT32
  private final Buffer step;
  private final Buffer end;

  /**
   * An evaluation of the network that {@code parameters} hold whenever {@link #run} is called, in
   * batches of up to {@code batchSize}; the caller closes it.
   */
  public Evaluator(
      Ops ops,
      MlpShape shape,
      Parameters parameters,
      ImageSet set,
      Scaling scaling,
      int batchSize) {
    this.ops = ops;
    this.labels = set.labels();
    this.order = ExampleOrder.sequential(set.size());
    this.B = Math.min(batchSize, set.size());
    this.C = shape.classes();
    this.mlp = Mlp.forInference(ops, shape, parameters, B);
    this.examples =
        new Examples(ops, shape, set.pixels(), labels, B, scaling.scale(), scaling.shift());
    this.log = ops.allocate("log", Type.FLOAT32, 2);
    this.position = ops.allocate("position", Type.INT32, 2);
    this.step = position.slice("step", 0, 1);
    this.end = position.slice("end", 1, 1);
  }

  /** The answers of one network, once. */
  public static Evaluation evaluate(
      Ops ops,
      MlpShape shape,
      Parameters parameters,
      ImageSet set,
      Scaling scaling,
      int batchSize) {
    try (var evaluator = new Evaluator(ops, shape, parameters, set, scaling, batchSize)) {
      return evaluator.run();
    }
  }

  /** The answers now. */
  public Evaluation run() {
    long[][] confusion = new long[C][C];
    double losses = 0;
    float[] sums = new float[2];
    examples.begin(order, 0);
    for (int from = 0; from < order.length; from += B) {
      int size = Math.min(B, order.length - from);
      ops.write(position, new int[] {1, from + size}, 0, 2);
      examples.stage(size);
      examples.gather(mlp.inputs(), end, size);
      mlp.forward(step, size);
      mlp.loss(log, examples.y(), step, size);
      ops.read(log, sums);
      losses += sums[0];
      float[] logits = new float[size * C]; // (size, C)
      ops.read(mlp.logits(), logits);
      for (int b = 0; b < size; b++) {
        confusion[Byte.toUnsignedInt(labels[from + b])][largest(logits, b * C, C)]++;
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

  @Override
  public void close() {
    mlp.close();
    examples.close();
    log.close();
    position.close();
  }
}
