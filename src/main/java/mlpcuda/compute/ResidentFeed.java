package mlpcuda.compute;

import java.util.Optional;
import mlpcuda.compute.Buffer.Type;

/** A feed that keeps the whole set on the device, with the order of an epoch beside it. */
public final class ResidentFeed implements Feed {
  private final Resources resources = new Resources();
  private final Ops ops;
  private final DeviceExamples examples;
  private final Buffer rows; // (N) INT32

  /** A feed of examples, which are copied to the device unless it can use them where they are. */
  public ResidentFeed(Ops ops, HostExamples set) {
    this.ops = ops;
    Buffer features = resources.open(() -> ops.constant("features", set.features()));
    Buffer labels = resources.open(() -> ops.constant("labels", set.labels()));
    Optional<Buffer> weights =
        set.weights()
            .map(
                all ->
                    resources.open(
                        () -> ops.allocate("weights of the set", Type.FLOAT32, all.length)));
    weights.ifPresent(to -> resources.attempt(() -> ops.write(to, set.weights().get())));
    this.examples = new DeviceExamples(features, labels, weights);
    this.rows = resources.open(() -> ops.allocate("rows", Type.INT32, set.size()));
  }

  /** The features of all examples, (N, I). */
  public Buffer features() {
    return examples.features();
  }

  @Override
  public int size() {
    return examples.labels().length();
  }

  @Override
  public void begin(int[] order, int from) {
    // all of it: the device's own count says where a batch ends
    ops.write(rows, order, 0, order.length);
  }

  @Override
  public int stage(int B, int n) {
    return 0; // the device finds its batches by itself
  }

  @Override
  public Batch batch(int i, int B) {
    return new Batch(examples, Optional.of(rows));
  }

  @Override
  public void close() {
    resources.close();
  }
}
