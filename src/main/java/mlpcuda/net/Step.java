package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;

/**
 * A training step: a batch in, parameters updated, its loss noted on the device. The same lines on
 * every device.
 */
public final class Step implements AutoCloseable {
  private final Ops ops;
  private final Mlp mlp;
  private final Adam adam;
  private final Examples examples;
  private final Buffer log; // (S, 2): loss sum and number right of the last S steps

  /** A step that notes the losses of {@code S} steps before the first is overwritten. */
  public Step(Ops ops, Mlp mlp, Adam adam, Examples examples, int S) {
    this.ops = ops;
    this.mlp = mlp;
    this.adam = adam;
    this.examples = examples;
    this.log = ops.allocate("log", Type.FLOAT32, 2 * S);
  }

  /** Learns from the examples order[from] … order[from + B − 1]. */
  public void run(int[] order, int from, int B) {
    adam.begin();
    examples.gather(mlp.inputs(), order, from, B);
    mlp.forward(B);
    mlp.loss(log, examples.y(), adam.step(), B);
    mlp.backward(B);
    adam.update();
  }

  /**
   * Waits for the steps asked for and returns the log, (S, 2): step t, from 1, at row (t − 1) mod
   * S, as (sum of its losses, number right).
   */
  public float[] readLog() {
    float[] values = new float[log.length()];
    ops.read(log, values);
    return values;
  }

  @Override
  public void close() {
    log.close();
  }
}
