package mlpcuda.compute;

import java.util.Arrays;
import java.util.Optional;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.features.Features;

/**
 * A feed whose images are distorted anew in each pass, for a device that runs its operations at
 * once and keeps the array of a {@link DeviceMemory#constant}. Batches are inputs of a network:
 * gathering them scales nothing.
 */
public final class DistortedFeed implements Feed {
  private final Resources resources = new Resources();
  private final Ops ops;
  private final HostExamples examples;
  private final Distorting distorting;
  private final byte[] staged; // (maxB, I)
  private final Originals originals; // (maxB, I) in the memory of staged; (maxB)
  private int[] order = {};
  private Distorting now;
  private int epoch;
  private int taken; // examples of the order that are staged
  private int first; // the number in the order of the latest stage's first example

  /**
   * A feed of examples, whose features must be bytes.
   *
   * @param maxB the largest batch
   */
  public DistortedFeed(Ops ops, HostExamples examples, Distorting distorting, int maxB) {
    this.ops = ops;
    this.examples = examples;
    this.distorting = distorting;
    this.now = distorting;
    int I = distorting.inputs();
    this.staged = new byte[Math.multiplyExact(maxB, I)];
    Buffer images = resources.open(() -> ops.constant("images", staged));
    Buffer numbers = resources.open(() -> ops.allocate("numbers", Type.INT32, maxB));
    this.originals = new Originals(images, numbers, true);
  }

  /** The bytes of the buffers of a feed of those examples. */
  static long bytes(HostExamples examples, int maxB) {
    return maxB * ((long) examples.inputs() + Type.INT32.bytes());
  }

  @Override
  public int size() {
    return examples.size();
  }

  @Override
  public void distort(int epoch, float strength) {
    this.epoch = epoch;
    this.now = distorting.times(strength);
  }

  @Override
  public void begin(int[] order, int from) {
    this.order = order.clone();
    taken = from;
  }

  @Override
  public int stage(int B, int n) {
    first = taken;
    taken += B * n;
    return 0;
  }

  @Override
  public void gather(int i, Buffer x, Targets targets, Buffer end, int B, InputScaling scaling) {
    int from = first + i * B;
    int[] rows = Arrays.copyOfRange(order, from, from + B);
    int[] labels = new int[B];
    Features features = examples.features();
    for (int b = 0; b < B; b++) {
      features.read(rows[b], staged, b * features.width());
      labels[b] = Byte.toUnsignedInt(examples.labels()[rows[b]]);
    }
    ops.write(originals.numbers(), rows, 0, B);
    ops.write(targets.y(), labels, 0, B);
    if (targets.weights().isPresent()) {
      Optional<float[]> all = examples.weights();
      float[] weights = new float[B];
      for (int b = 0; b < B; b++) {
        weights[b] = all.isPresent() ? all.get()[rows[b]] : 1;
      }
      ops.write(targets.weights().get(), weights);
    }
    ops.distortForward(x, originals, B, now, epoch);
  }

  /**
   * Throws, for no batch has a place of its own.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public Batch batch(int i, int B) {
    throw new UnsupportedOperationException("each batch is distorted where it is needed");
  }

  @Override
  public void close() {
    resources.close();
  }
}
