package mlpcuda.net;

import java.util.Arrays;
import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.compute.Targets;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.features.Features;

/** The batches of a set of examples, most often with labels, on a device. */
public final class Batches implements AutoCloseable {
  private final Resources resources = new Resources();
  private final Feed feed;
  private final int maxB;
  private final int atOnce;
  private final boolean weighted;
  private final InputScaling scaling;
  private final Optional<Augmentation> augmentation;

  /**
   * Batches for the network that {@code parameters} hold; the set's arrays must not change while
   * they live.
   *
   * @param maxB the number of examples of the largest batch
   * @param atOnce the most batches that are staged at once
   * @throws IllegalArgumentException if features or labels do not fit the network
   */
  public Batches(Parameters parameters, ExampleSet set, Scaling scaling, int maxB, int atOnce) {
    check(set, parameters.shape());
    this.maxB = maxB;
    this.atOnce = atOnce;
    this.weighted = set.weights().isPresent();
    this.scaling = onDevice(parameters, scaling);
    this.augmentation = Optional.empty();
    Buffer weights = parameters.layer(0).weight();
    var examples = new HostExamples(set.features(), set.labels(), set.weights());
    this.feed = resources.open(() -> parameters.ops().feedFor(weights, examples, maxB, atOnce));
    parameters.average().ifPresent(of -> parameters.ops().feedsToo(of.layer(0).weight(), weights));
  }

  /**
   * Batches of images that are distorted anew in each epoch: {@link #distort} says which one it is.
   *
   * @param set images whose pixels are bytes: see {@link #canDistort}
   * @param seed the seed of the distortions
   */
  public Batches(
      Parameters parameters,
      ExampleSet set,
      PixelScaling scaling,
      int maxB,
      int atOnce,
      Augmentation augmentation,
      long seed) {
    check(set, parameters.shape());
    this.maxB = maxB;
    this.atOnce = atOnce;
    this.weighted = set.weights().isPresent();
    this.augmentation = Optional.of(augmentation);
    int I = set.inputs();
    float[] ones = new float[I];
    Arrays.fill(ones, 1);
    // The feed scales the pixels that it distorts, and so a step's own scaling changes nothing.
    this.scaling = columns(parameters, new float[I], ones);
    Distorting distorting =
        Augmentation.distorting(
            augmentation.distortion(), (Layout.Images) set.layout(), seed, uniform(scaling));
    Buffer weights = parameters.layer(0).weight();
    var examples = new HostExamples(set.features(), set.labels(), set.weights());
    this.feed =
        resources.open(
            () -> parameters.ops().distortedFeedFor(weights, examples, distorting, maxB, atOnce));
  }

  /** Whether examples can be distorted: only images can whose pixels are bytes. */
  public static boolean canDistort(ExampleSet set) {
    return set.layout() instanceof Layout.Images && set.isBytes();
  }

  private Batches(Parameters parameters, byte[] pixels, Scaling scaling, int maxB) {
    this.maxB = maxB;
    this.atOnce = 1;
    this.weighted = false;
    this.scaling = onDevice(parameters, scaling);
    this.augmentation = Optional.empty();
    int I = parameters.shape().inputs();
    this.feed = resources.open(() -> parameters.ops().changingFeed(pixels, I, maxB));
  }

  /**
   * Batches of images without labels, which the caller may change before each {@link #begin}.
   *
   * @param pixels (N, I)
   * @param maxB the number of images of the largest batch
   */
  public static Batches changing(Parameters parameters, byte[] pixels, Scaling scaling, int maxB) {
    return new Batches(parameters, pixels, scaling, maxB);
  }

  private InputScaling onDevice(Parameters parameters, Scaling scaling) {
    if (scaling instanceof PixelScaling pixels) {
      return uniform(pixels);
    }
    var columns = (ColumnScaling) scaling;
    int I = parameters.shape().inputs();
    if (columns.centre().length != I) {
      throw new IllegalArgumentException(
          "the scaling must be of %d columns, found %d".formatted(I, columns.centre().length));
    }
    return columns(parameters, columns.centre(), columns.factor());
  }

  /** The map from a pixel to an input, for a device. */
  public static InputScaling.Uniform uniform(PixelScaling scaling) {
    return new InputScaling.Uniform(scaling.scale(), scaling.shift());
  }

  private InputScaling columns(Parameters parameters, float[] centre, float[] factor) {
    Buffer centres = column(parameters, "centre", centre);
    return new InputScaling.PerColumn(centres, column(parameters, "factor", factor));
  }

  private Buffer column(Parameters parameters, String name, float[] values) {
    Ops ops = parameters.ops();
    Buffer buffer = resources.open(() -> ops.allocate(name, Type.FLOAT32, values.length));
    resources.attempt(() -> ops.write(buffer, values));
    return buffer;
  }

  private static void check(ExampleSet set, MlpShape shape) {
    byte[] labels = set.labels();
    Features features = set.features();
    if (features.size() != labels.length || features.width() != shape.inputs()) {
      throw new IllegalArgumentException(
          "%d examples of %d inputs must have so many features, found %s"
              .formatted(labels.length, shape.inputs(), features));
    }
    for (int i = 0; i < labels.length; i++) { // no operation checks a label again
      if (Byte.toUnsignedInt(labels[i]) >= shape.classes()) {
        throw new IllegalArgumentException(
            "labels must be below %d, found %d at index %d"
                .formatted(shape.classes(), Byte.toUnsignedInt(labels[i]), i));
      }
    }
  }

  /** Number of examples, N. */
  public int size() {
    return feed.size();
  }

  /** The number of examples of the largest batch. */
  public int maxB() {
    return maxB;
  }

  /**
   * Says which epoch's distortions the passes from now on have; without an {@link Augmentation}
   * nothing is distorted.
   *
   * @param epoch the epoch, from 1
   * @param epochs the epochs of the whole run
   */
  void distort(int epoch, int epochs) {
    augmentation.ifPresent(of -> feed.distort(epoch, of.strength(epoch, epochs)));
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
   * @param targets out: with weights if {@link #isWeighted}
   * @param end (1) INT32: examples of the order up to the end of this batch
   */
  public void gather(int i, Buffer x, Targets targets, Buffer end, int B) {
    feed.gather(i, x, targets, end, B, scaling);
  }

  /** The place of staged batch {@code i}, for a device that gathers it in a step of its own. */
  Feed.Batch batch(int i, int B) {
    return feed.batch(i, B);
  }

  /** Whether examples have weights. */
  boolean isWeighted() {
    return weighted;
  }

  /** The map from a feature to an input of the network. */
  InputScaling scaling() {
    return scaling;
  }

  @Override
  public void close() {
    resources.close();
  }
}
