package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.InputOrder;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Owned;

/** A set of labelled images on a device, and the batch that was gathered from it last. */
public final class Examples implements AutoCloseable {
  private final Owned owned = new Owned();
  private final Feed feed;
  private final Buffer y; // (maxB) INT32
  private final int atOnce;
  private final float scale;
  private final float shift;

  /**
   * Examples for networks of that shape, in batches of up to {@code maxB}; the arrays must not
   * change while they live.
   *
   * @param order the order in which the network's weights want the pixels
   * @param pixels (N, I), in the natural order of pixels
   * @param labels (N), below C
   * @param atOnce the most batches that are staged at once
   * @param scale the factor of a pixel: an input is pixel · scale + shift
   * @throws IllegalArgumentException if images or labels do not fit the shape
   */
  public Examples(
      Ops ops,
      MlpShape shape,
      InputOrder order,
      byte[] pixels,
      byte[] labels,
      int maxB,
      int atOnce,
      float scale,
      float shift) {
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
    this.atOnce = atOnce;
    this.scale = scale;
    this.shift = shift;
    try {
      this.feed = owned.add(ops.feed(pixels, labels, order, maxB, atOnce));
      this.y = owned.add(ops.allocate("y", Type.INT32, maxB));
    } catch (RuntimeException | Error e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  /** Number of examples, N. */
  public int size() {
    return feed.size();
  }

  /** (maxB) INT32: the classes of the batch. */
  public Buffer y() {
    return y;
  }

  /** Begins a pass: the next batches are the examples of {@code order}, from {@code from} on. */
  public void begin(int[] order, int from) {
    feed.begin(order, from);
  }

  /** The most batches that are staged at once. */
  int atOnce() {
    return atOnce;
  }

  /** Stages the next {@code n} batches, work of the host, and returns the slot of the first. */
  public int stage(int B, int n) {
    return feed.stage(B, n);
  }

  /**
   * Gathers staged batch {@code i} into {@code x} (B, I) and {@link #y}: work of the device.
   *
   * @param end (1) INT32: examples of the order up to the end of this batch
   */
  public void gather(int i, Buffer x, Buffer end, int B) {
    feed.gather(i, x, y, end, B, scale, shift);
  }

  /** The place of staged batch {@code i}, for a device that gathers it in a step of its own. */
  Feed.Batch batch(int i, int B) {
    return feed.batch(i, B);
  }

  float scale() {
    return scale;
  }

  float shift() {
    return shift;
  }

  @Override
  public void close() {
    owned.close();
  }
}
