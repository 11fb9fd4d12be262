package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;

/**
 * A training step: a batch in, parameters updated, its loss noted on the device. The same lines on
 * every device.
 */
public final class Step implements AutoCloseable {
  /** Steps whose losses the device keeps until they are read. */
  public static final int LOG_ROWS = 1024;

  private final Ops ops;
  private final Mlp mlp;
  private final Adam adam;
  private final Examples examples;
  private final Buffer log; // (LOG_ROWS, 2): loss sum and number right of the last steps
  private int read; // steps whose row has been read

  /** A step of that network, optimizer and set of examples; the caller closes each of them. */
  public Step(Ops ops, Mlp mlp, Adam adam, Examples examples) {
    this.ops = ops;
    this.mlp = mlp;
    this.adam = adam;
    this.examples = examples;
    this.log = ops.allocate("log", Type.FLOAT32, 2 * LOG_ROWS);
    this.read = adam.steps();
  }

  /** Learns from the examples order[from] … order[from + B − 1]. */
  public void run(int[] order, int from, int B) {
    if (adam.steps() - read == LOG_ROWS) {
      throw new IllegalStateException(
          "the losses of at most %d steps are kept: read them".formatted(LOG_ROWS));
    }
    examples.choose(order, from, B);
    adam.begin();
    examples.gather(mlp.inputs(), B);
    mlp.forward(B);
    mlp.loss(log, examples.y(), adam.step(), B);
    mlp.backward(B);
    adam.update();
  }

  /**
   * Waits for the steps asked for and returns the rows of those that were not read before, in
   * order: (steps, 2), each the sum of a batch's losses and the number of its right answers.
   */
  public float[] readLog() {
    float[] values = new float[log.length()];
    ops.read(log, values);
    float[] rows = new float[2 * (adam.steps() - read)];
    for (int i = 0; i < rows.length; i += 2) {
      int row = read++ % LOG_ROWS;
      rows[i] = values[2 * row];
      rows[i + 1] = values[2 * row + 1];
    }
    return rows;
  }

  @Override
  public void close() {
    log.close();
  }
}
