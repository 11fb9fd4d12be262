package mlpcuda.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Readback;
import mlpcuda.compute.Resources;
import mlpcuda.compute.Targets;
import mlpcuda.data.ExampleOrder;
import mlpcuda.net.Batches;
import mlpcuda.net.Mlp;
import mlpcuda.net.Parameters;

/** Passes of images through a network that only predicts, batch by batch, as often as wanted. */
final class Inference implements AutoCloseable {
  /** The operations on a batch whose logits are computed. */
  interface Operations {
    /**
     * Enqueues them.
     *
     * @param step (1) INT32: the batch's number, from 1
     * @return (B, C): the buffer whose first {@code size} rows are wanted on the host
     */
    Buffer enqueue(Buffer step, int size);
  }

  /** A consumer of batches whose results have come to the host. */
  interface Results {
    /**
     * Takes a batch, whose first image is {@code from}.
     *
     * @param values (size, C)
     */
    void take(int from, int size, float[] values);
  }

  /** The number of batches on their way: one is computed while the host takes the one before. */
  private static final int UNDER_WAY = 2;

  private final Resources resources = new Resources();
  private final Ops ops;
  private final int B;
  private final int C;
  private final Mlp mlp;
  private final Batches examples;
  private final Targets targets; // without weights: an evaluation has none
  private final Buffer position; // (2 × batches) INT32: batch numbers from 1 on, then ends
  private final List<Readback> readbacks = new ArrayList<>();
  private final int batches;
  private int known; // the number of images that the position is of

  /**
   * Passes of up to all of {@code examples}, which the caller closes afterwards, in batches as
   * large as theirs.
   */
  Inference(Parameters parameters, Batches examples) {
    this.ops = parameters.ops();
    this.examples = examples;
    this.B = examples.maxB();
    this.C = parameters.shape().classes();
    this.batches = (examples.size() - 1) / B + 1;
    this.mlp = resources.open(() -> Mlp.forInference(parameters, B));
    Buffer y = resources.open(() -> ops.allocate("y", Type.INT32, B));
    this.targets = new Targets(y, Optional.empty());
    this.position = resources.open(() -> ops.allocate("position", Type.INT32, 2 * batches));
    for (int i = 0; i < UNDER_WAY; i++) {
      readbacks.add(resources.open(() -> ops.readback(B * C)));
    }
  }

  /** The most batches of a pass. */
  int batches() {
    return batches;
  }

  /** The logits (B, C) of the batch whose operations are enqueued. */
  Buffer logits() {
    return mlp.logits();
  }

  /** Computes the batch's loss into row {@code step} of {@code log}: see {@link Mlp#loss}. */
  void loss(Buffer log, Buffer step, int size) {
    mlp.loss(log, targets, step, Optional.empty(), size);
  }

  /** Takes the first {@code N} images through the network with its current weights. */
  void run(int N, Operations operations, Results results) {
    begin(N);
    int last = (N - 1) / B;
    for (int i = 0; i <= last; i++) {
      int size = size(i, N);
      Buffer step = position.slice("step", i, 1);
      examples.stage(size, 1);
      examples.gather(0, mlp.inputs(), targets, position.slice("end", batches + i, 1), size);
      mlp.forward(step, size);
      readbacks.get(i % UNDER_WAY).begin(operations.enqueue(step, size), size * C);
      if (i > 0) {
        take(i - 1, N, results);
      }
    }
    take(last, N, results);
  }

  /**
   * Takes one batch of inputs through the network with its current weights.
   *
   * @param fill sets the inputs (n, I), scaled
   * @param n the number of examples, at most the largest batch
   */
  void run(Consumer<Buffer> fill, int n, Operations operations, Results results) {
    know(n);
    Buffer step = position.slice("step", 0, 1);
    fill.accept(mlp.inputs());
    mlp.forward(step, n);
    readbacks.get(0).begin(operations.enqueue(step, n), n * C);
    take(0, n, results);
  }

  private void begin(int N) {
    examples.begin(ExampleOrder.sequential(N), 0);
    know(N);
  }

  /** Writes the numbers of the batches of a pass, and their ends, to the device. */
  private void know(int N) {
    if (known != N) {
      int[] values = new int[2 * batches];
      for (int i = 0; i < batches; i++) {
        values[i] = i + 1;
        values[batches + i] = i * B + size(i, N);
      }
      ops.write(position, values, 0, values.length);
      known = N;
    }
  }

  /** The number of images of batch {@code i} of a pass of {@code N}; at most 0: there is none. */
  private int size(int i, int N) {
    return Math.min(B, N - i * B);
  }

  private void take(int i, int N, Results results) {
    int size = size(i, N);
    float[] values = new float[size * C];
    readbacks.get(i % UNDER_WAY).end(values);
    results.take(i * B, size, values);
  }

  @Override
  public void close() {
    resources.close();
  }
}
