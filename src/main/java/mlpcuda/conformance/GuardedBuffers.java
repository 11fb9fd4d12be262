package mlpcuda.conformance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Replay;

/**
 * The buffers for one run of an operation, each with sentinels on both sides: a case puts its
 * inputs in and takes the outputs out. The same seed gives the same inputs on every device.
 */
public final class GuardedBuffers implements AutoCloseable {
  /**
   * The elements of each guard, used by turns unless buffers are aligned, so that they begin at
   * addresses of every alignment.
   */
  private static final int[] GUARDS = {64, 61, 66};

  /**
   * A pixel of the border is not 0 in at most one of so many images: that is rare enough for a
   * device to leave the border out.
   */
  private static final int BORDER_PIXELS = 128;

  private static final float FLOAT_SENTINEL = 1234567f;
  private static final int INT_SENTINEL = 0x5ea1ed;

  /**
   * A buffer; {@code outputs} is the number of its first elements that the operation sets, 0 for an
   * input.
   */
  private record Entry(
      Buffer whole, Buffer part, int guard, float[] floats, int[] ints, int outputs) {}

  private final Ops ops;
  private final Random random = new Random(20261123);
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<Buffer> constants = new ArrayList<>();
  private final List<Feed> feeds = new ArrayList<>();
  private final List<Replay> replays = new ArrayList<>();
  private boolean aligned;

  /** No buffers yet, on that device. */
  public GuardedBuffers(Ops ops) {
    this.ops = ops;
  }

  /** The device. */
  public Ops ops() {
    return ops;
  }

  /** Puts all buffers from now on at addresses that are multiples of 256 bytes. */
  void align() {
    aligned = true;
  }

  private int guard() {
    return GUARDS[aligned ? 0 : entries.size() % GUARDS.length];
  }

  /** {@code n} normally distributed floats, times {@code scale}. */
  public Buffer normal(String name, int n, double scale) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextGaussian() * scale);
    }
    return floats(name, values, 0);
  }

  /** {@code n} floats uniform in [low, high). */
  public Buffer uniform(String name, int n, double low, double high) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (low + random.nextDouble() * (high - low));
    }
    return floats(name, values, 0);
  }

  /** {@code n} whole numbers from −2 to 2: many of a row are equal. */
  public Buffer ties(String name, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextInt(5) - 2;
    }
    return floats(name, values, 0);
  }

  /**
   * {@code n} outputs of an activation, with ends of its range and ReLU's many zeros among them.
   */
  public Buffer activated(String name, int n, Activation activation) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      float z = (float) random.nextGaussian();
      boolean extreme = random.nextInt(4) == 0;
      values[i] =
          switch (activation) {
            case NONE -> z;
            case RELU -> extreme ? -0f : Math.max(z, 0);
            case SIGMOID -> extreme ? (z > 0 ? 1 : 0) : (float) (1 / (1 + Math.exp(-z)));
            case TANH -> extreme ? Math.signum(z) : (float) Math.tanh(z);
            case LECUN_TANH ->
                (float) (Activation.LECUN_SCALE * (extreme ? Math.signum(z) : Math.tanh(z)));
          };
    }
    return floats(name, values, 0);
  }

  /**
   * {@code n} normal floats with a NaN, infinities, the largest and the smallest float among them.
   */
  public Buffer special(String name, int n) {
    float[] values = new float[n];
    float[] odd = {
      Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, Float.MIN_VALUE
    };
    for (int i = 0; i < n; i++) {
      values[i] = i % 7 == 3 ? odd[i / 7 % odd.length] : (float) random.nextGaussian();
    }
    return floats(name, values, 0);
  }

  /** An input with the given floats. */
  public Buffer given(String name, float... values) {
    return floats(name, values, 0);
  }

  /** A buffer with the given floats, which the operation changes. */
  public Buffer givenInOut(String name, float... values) {
    return floats(name, values, values.length);
  }

  /** {@code n} floats that the operation sets. They are NaN before, so that a gap shows. */
  public Buffer output(String name, int n) {
    float[] values = new float[n];
    Arrays.fill(values, Float.NaN);
    return floats(name, values, n);
  }

  /**
   * {@code n} floats that the operation sets, and {@code scratch} more for it to use as it likes.
   */
  public Buffer outputAndScratch(String name, int n, int scratch) {
    float[] values = new float[n + scratch];
    Arrays.fill(values, Float.NaN);
    return floats(name, values, n);
  }

  /** An input that the operation changes. */
  public Buffer inOut(String name, int n, double low, double high) {
    uniform(name, n, low, high);
    Entry e = entries.get(name);
    entries.put(name, new Entry(e.whole, e.part, e.guard, e.floats, e.ints, n));
    return e.part;
  }

  /** {@code n} integers from 0 to {@code bound} − 1. */
  public Buffer integers(String name, int n, int bound) {
    return ints(name, random.ints(n, 0, bound).toArray(), 0);
  }

  /** An input with the given integers. */
  public Buffer given(String name, int... values) {
    return ints(name, values, 0);
  }

  /** A buffer with the given integers, which the operation sets. */
  public Buffer intOutput(String name, int... values) {
    return ints(name, values, values.length);
  }

  /** {@code n} bytes below {@code bound}. */
  public Buffer bytes(String name, int n, int bound) {
    byte[] values = new byte[n];
    for (int i = 0; i < n; i++) {
      values[i] = (byte) random.nextInt(bound);
    }
    Buffer buffer = ops.constant(name, values);
    constants.add(buffer);
    return buffer;
  }

  /**
   * {@code N} images with labels for the layer of those weights, whose first pixels are a border.
   * Few pixels of the border are not 0, and all of these are in the first images.
   *
   * @param weights (O, I)
   * @param core the number of pixels that are not in the border
   * @param maxB the largest batch
   */
  public Feed images(Buffer weights, int N, int I, int core, int maxB) {
    byte[] pixels = new byte[N * I];
    byte[] labels = new byte[N];
    random.nextBytes(labels);
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i % I < I - core ? 0 : random.nextInt(256));
    }
    for (int i = 0; i < I - core; i++) {
      for (int k = 0; k < N / BORDER_PIXELS; k++) {
        int image = random.nextInt(Math.min(N, 2 * maxB));
        pixels[image * I + i] = (byte) (1 + random.nextInt(255));
      }
    }
    Feed feed = ops.feedFor(weights, HostExamples.of(pixels, labels), maxB, 1);
    feeds.add(feed);
    return feed;
  }

  /** Makes a replay of the operation, which is closed with these buffers. */
  public Replay replay() {
    Replay replay = ops.replay();
    replays.add(replay);
    return replay;
  }

  private Buffer floats(String name, float[] values, int outputs) {
    int guard = guard();
    float[] guarded = new float[values.length + 2 * guard];
    Arrays.fill(guarded, FLOAT_SENTINEL);
    System.arraycopy(values, 0, guarded, guard, values.length);
    Buffer whole = ops.allocate(name + " with sentinels", Type.FLOAT32, guarded.length);
    ops.write(whole, guarded);
    Buffer part = whole.slice(name, guard, values.length);
    entries.put(name, new Entry(whole, part, guard, guarded, null, outputs));
    return part;
  }

  private Buffer ints(String name, int[] values, int outputs) {
    int guard = guard();
    int[] guarded = new int[values.length + 2 * guard];
    Arrays.fill(guarded, INT_SENTINEL);
    System.arraycopy(values, 0, guarded, guard, values.length);
    Buffer whole = ops.allocate(name + " with sentinels", Type.INT32, guarded.length);
    ops.write(whole, guarded, 0, guarded.length);
    Buffer part = whole.slice(name, guard, values.length);
    entries.put(name, new Entry(whole, part, guard, null, guarded, outputs));
    return part;
  }

  /** Waits until the device has done all that was enqueued. */
  public void await() {
    Entry first = entries.values().iterator().next();
    if (first.floats != null) {
      ops.read(first.whole, new float[1]);
    } else {
      ops.read(first.whole, new int[1]);
    }
  }

  /**
   * The outputs by name, after all that was enqueued before.
   *
   * @throws DamageException if an input or a sentinel is not as it was
   */
  public Map<String, double[]> results() {
    var results = new LinkedHashMap<String, double[]>();
    entries.forEach(
        (name, entry) -> {
          double[] now = entry.floats != null ? floatsNow(entry) : intsNow(entry);
          double[] before = entry.floats != null ? widened(entry.floats) : widened(entry.ints);
          int guard = entry.guard;
          int end = now.length - guard;
          for (int i = 0; i < now.length; i++) {
            boolean sentinel = i < guard || i >= end;
            boolean input = entry.outputs == 0;
            if ((sentinel || input) && Double.compare(before[i], now[i]) != 0) {
              throw new DamageException(
                  name,
                  "%s of %s must stay %s, found %s at index %d"
                      .formatted(
                          sentinel ? "a sentinel" : "an element",
                          sentinel ? name : "the input " + name,
                          before[i],
                          now[i],
                          i - guard));
            }
          }
          if (entry.outputs > 0) {
            results.put(name, Arrays.copyOfRange(now, guard, guard + entry.outputs));
          }
        });
    return results;
  }

  private double[] floatsNow(Entry entry) {
    float[] values = new float[entry.floats.length];
    ops.read(entry.whole, values);
    return widened(values);
  }

  private double[] intsNow(Entry entry) {
    int[] values = new int[entry.ints.length];
    ops.read(entry.whole, values);
    return widened(values);
  }

  private static double[] widened(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static double[] widened(int[] values) {
    return Arrays.stream(values).asDoubleStream().toArray();
  }

  @Override
  public void close() {
    replays.forEach(Replay::close);
    entries.values().forEach(entry -> entry.whole.close());
    constants.forEach(Buffer::close);
    feeds.forEach(Feed::close);
  }
}
