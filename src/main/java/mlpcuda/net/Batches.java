package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Feed;
import mlpcuda.compute.InputScaling;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;

/** The batches of a set of images, most often with labels, on a device. */
public final class Batches implements AutoCloseable {
  private final Feed feed;
  private final int maxB;
  private final int atOnce;
  private final InputScaling scaling;

  /**
   * Batches for the network that {@code parameters} hold; the set's arrays must not change while
   * they live.
   *
   * @param maxB the number of examples of the largest batch
   * @param atOnce the most batches that are staged at once
   * @throws IllegalArgumentException if images or labels do not fit the network
   */
  public Batches(Parameters parameters, ExampleSet set, Scaling scaling, int maxB, int atOnce) {
    check(set, parameters.shape());
    this.maxB = maxB;
    this.atOnce = atOnce;
    this.scaling = onDevice(scaling);
    Buffer weights = parameters.layer(0).weight();
    this.feed =
        parameters.ops().feedFor(weights, set.features().array(), set.labels(), maxB, atOnce);
  }

  private static InputScaling onDevice(Scaling scaling) {
    var pixels = (PixelScaling) scaling;
    return new InputScaling(pixels.scale(), pixels.shift());
  }

  private static void check(ExampleSet set, MlpShape shape) {
    byte[] labels = set.labels();
    long pixels = (long) labels.length * shape.inputs();
    if (set.features().bytes() != pixels) {
      throw new IllegalArgumentException(
          "%d images of %d pixels must have %d bytes, found %d"
              .formatted(labels.length, shape.inputs(), pixels, set.features().bytes()));
    }
    for (int i = 0; i < labels.length; i++) { // no operation checks a label again
      if (Byte.toUnsignedInt(labels[i]) >= shape.classes()) {
        throw new IllegalArgumentException(
            "labels must be below %d, found %d at index %d"
                .formatted(shape.classes(), Byte.toUnsignedInt(labels[i]), i));
      }
    }
  }

  private Batches(Feed feed, Scaling scaling, int maxB) {
    this.feed = feed;
    this.maxB = maxB;
    this.atOnce = 1;
    this.scaling = onDevice(scaling);
  }

  /**
   * Batches of images without labels, which the caller may change before each {@link #begin}.
   *
   * @param pixels (N, I)
   * @param maxB the number of images of the largest batch
   */
  public static Batches changing(Parameters parameters, byte[] pixels, Scaling scaling, int maxB) {
    Feed feed = parameters.ops().changingFeed(pixels, parameters.shape().inputs(), maxB);
    return new Batches(feed, scaling, maxB);
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
    feed.gather(i, x, y, end, B, scaling);
  }

  /** The place of staged batch {@code i}, for a device that gathers it in a step of its own. */
  Feed.Batch batch(int i, int B) {
    return feed.batch(i, B);
  }

  /** The map from a pixel to an input of the network. */
  InputScaling scaling() {
    return scaling;
  }

  @Override
  public void close() {
    feed.close();
  }
}
