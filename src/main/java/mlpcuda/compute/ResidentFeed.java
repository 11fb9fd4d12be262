package mlpcuda.compute;

import java.util.Optional;
import mlpcuda.compute.Buffer.Type;

/**
 * A feed that keeps the whole set on the device, as bytes, with the order of an epoch beside it.
 */
public final class ResidentFeed implements Feed {
  private final Resources resources = new Resources();
  private final Ops ops;
  private final Buffer images; // (N, I) UINT8
  private final Buffer labels; // (N) UINT8
  private final Buffer rows; // (N) INT32

  /** A feed of {@code pixels} (N, I) with {@code labels} (N). */
  public ResidentFeed(Ops ops, byte[] pixels, byte[] labels) {
    this.ops = ops;
    this.images = resources.open(() -> ops.constant("images", pixels));
    this.labels = resources.open(() -> ops.constant("labels", labels));
    this.rows = resources.open(() -> ops.allocate("rows", Type.INT32, labels.length));
  }

  /** All images, (N, I) UINT8. */
  public Buffer images() {
    return images;
  }

  @Override
  public int size() {
    return labels.length();
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
    return new Batch(new DeviceExamples(images, labels), Optional.of(rows));
  }

  @Override
  public void close() {
    resources.close();
  }
}
