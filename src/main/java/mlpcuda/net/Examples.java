package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;

/** A set of labelled images on a device, and the batch that was gathered from it last. */
public final class Examples implements AutoCloseable {
  private final Ops ops;
  private final Buffer images; // (N, I) UINT8
  private final Buffer labels; // (N) UINT8
  private final Buffer rows; // (maxB) INT32
  private final Buffer y; // (maxB) INT32
  private final int I;
  private final float scale;
  private final float shift;

  /**
   * Examples for networks of that shape, in batches of up to {@code maxB}; the arrays must not
   * change while they live.
   *
   * @param pixels (N, I)
   * @param labels (N), below C
   * @param scale with {@code shift}: an input is pixel · scale + shift
   * @throws IllegalArgumentException if images or labels do not fit the shape
   */
  public Examples(
      Ops ops, MlpShape shape, byte[] pixels, byte[] labels, int maxB, float scale, float shift) {
    if (pixels.length != (long) labels.length * shape.inputs()) {
      throw new IllegalArgumentException(
          "%d images of %d pixels must have %d bytes, found %d"
              .formatted(
                  labels.length,
                  shape.inputs(),
                  (long) labels.length * shape.inputs(),
                  pixels.length));
    }
    for (int i = 0; i < labels.length; i++) { // no operation checks a label again
      if (Byte.toUnsignedInt(labels[i]) >= shape.classes()) {
        throw new IllegalArgumentException(
            "labels must be below %d, found %d at index %d"
                .formatted(shape.classes(), Byte.toUnsignedInt(labels[i]), i));
      }
    }
    this.ops = ops;
    this.images = ops.constant("images", pixels);
    this.labels = ops.constant("labels", labels);
    this.rows = ops.allocate("rows", Type.INT32, maxB);
    this.y = ops.allocate("y", Type.INT32, maxB);
    this.I = shape.inputs();
    this.scale = scale;
    this.shift = shift;
  }

  /** Number of examples, N. */
  public int size() {
    return labels.length();
  }

  /** (maxB) INT32: the classes of the batch. */
  public Buffer y() {
    return y;
  }

  /** Makes the examples order[from] … order[from + B − 1] the next batch: work of the host. */
  public void choose(int[] order, int from, int B) {
    ops.write(rows, order, from, B);
  }

  /** Gathers the chosen batch into {@code x} (B, I) and {@link #y}: work of the device. */
  public void gather(Buffer x, int B) {
    ops.gatherForward(x, y, images, labels, rows, B, I, scale, shift);
  }

  @Override
  public void close() {
    images.close();
    labels.close();
    rows.close();
    y.close();
  }
}
