package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Feed;
import mlpcuda.compute.InputOrder;
import mlpcuda.compute.Ops;

/** A set of images on a device, most often with labels, and the way to its batches. */
public final class Examples implements AutoCloseable {
  private final Feed feed;
  private final int maxB;
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
    this.maxB = maxB;
    this.atOnce = atOnce;
    this.scale = scale;
    this.shift = shift;
    this.feed = ops.feed(pixels, labels, order, maxB, atOnce);
  }

  private Examples(Feed feed, int maxB, float scale, float shift) {
    this.feed = feed;
    this.maxB = maxB;
    this.atOnce = 1;
    this.scale = scale;
    this.shift = shift;
  }

  /**
   * Images without labels, which the caller may change before each {@link #begin}.
   *
   * @param pixels (N, I), in the natural order of pixels
   * @param maxB the largest batch
   */
  public static Examples changing(
      Ops ops, byte[] pixels, int I, int maxB, float scale, float shift) {
    return new Examples(ops.changingFeed(pixels, I, maxB), maxB, scale, shift);
  }

  /** Number of examples, N. */
  public int size() {
    return feed.size();
  }

  /** The number of examples of the largest batch. */
  public int maxB() {
    return maxB;
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
   * Gathers staged batch {@code i}: work of the device.
   *
   * @param x (B, I) out
   * @param y (B) out, INT32: the classes
   * @param end (1) INT32: examples of the order up to the end of this batch
   */
  public void gather(int i, Buffer x, Buffer y, Buffer end, int B) {
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
    feed.close();
  }
}
