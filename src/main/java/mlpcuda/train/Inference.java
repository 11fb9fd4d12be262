package mlpcuda.train;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Owned;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.Scaling;
import mlpcuda.net.Examples;
import mlpcuda.net.Mlp;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;

/** A pass of a set of images through a network that only predicts, batch by batch. */
final class Inference implements AutoCloseable {
  /** A consumer of batches whose logits are computed. */
  interface Batch {
    /** Takes a batch: {@code from} is its first image, {@code size} the number of its images. */
    void done(int from, int size);
  }

  private final Owned owned = new Owned();
  private final Ops ops;
  private final int[] order;
  private final int B;
  private final Mlp mlp;
  private final Examples examples;
  private final Buffer position; // (2) INT32
  private final Buffer step;
  private final Buffer end;

  /**
   * A pass with batches of up to {@code maxB} images.
   *
   * @param pixels (N, I)
   * @param labels (N), below C
   */
  Inference(
      Ops ops,
      MlpShape shape,
      Parameters parameters,
      byte[] pixels,
      byte[] labels,
      Scaling scaling,
      int maxB) {
    this.ops = ops;
    this.order = ExampleOrder.sequential(labels.length);
    this.B = Math.min(maxB, labels.length);
    try {
      this.mlp = owned.add(Mlp.forInference(ops, shape, parameters, B));
      this.examples =
          owned.add(
              new Examples(
                  ops,
                  shape,
                  parameters.inputOrder(),
                  pixels,
                  labels,
                  B,
                  1,
                  scaling.scale(),
                  scaling.shift()));
      this.position = owned.add(ops.allocate("position", Type.INT32, 2));
    } catch (RuntimeException | Error e) {
      owned.closeAfter(e);
      throw e;
    }
    this.step = position.slice("step", 0, 1);
    this.end = position.slice("end", 1, 1);
  }

  /** The number of images of the largest batch. */
  int batchSize() {
    return B;
  }

  /** The logits (B, C) of the batch that is done. */
  Buffer logits() {
    return mlp.logits();
  }

  /** Computes the loss of the batch that is done into {@code log} (1, 2): see {@link Mlp#loss}. */
  void loss(Buffer log, int size) {
    mlp.loss(log, examples.y(), step, null, size);
  }

  /** Takes all images through the network with its current weights. */
  void run(Batch batch) {
    examples.begin(order, 0);
    for (int from = 0; from < order.length; from += B) {
      int size = Math.min(B, order.length - from);
      ops.write(position, new int[] {1, from + size}, 0, 2);
      examples.stage(size, 1);
      examples.gather(0, mlp.inputs(), end, size);
      mlp.forward(step, size);
      batch.done(from, size);
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
