package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Resources;

/**
 * A feed whose images are distorted anew in each pass. For each stage the host writes the numbers,
 * labels and weights of its examples to page-locked memory, and the images too unless the set lies
 * on the device. They are copied by way of {@link PinnedBanks}, where a kernel distorts the images
 * while steps of the stage before compute.
 *
 * <p>The examples of a stage lie one after another, whatever the batches: their inputs as floats,
 * and labels and weights as {@link HostGather.Layout} says. What changes from pass to pass is an
 * argument of that kernel, which is never recorded.
 */
final class DistortingFeed implements Feed {
  private final Resources resources = new Resources();
  private final Distorting distorting;
  private final HostGather host;
  private final Optional<Buffer> resident; // (N, I): all images
  private final PinnedBanks banks;
  private final DistortionKernels kernels; // on the banks' stream
  private final int inputs; // the byte of a bank at which the inputs begin
  private Distorting now;
  private int epoch;
  private int[] order = {};
  private int taken; // examples of the order that are staged
  private HostGather.Layout staged; // the latest stage is laid out as one batch

  /**
   * A feed of images, whose features must be bytes; they all lie on the device if sets are
   * resident.
   *
   * @param maxB the largest batch
   * @param atOnce the most batches of a stage
   */
  DistortingFeed(
      FeedParts parts, HostExamples examples, Distorting distorting, int maxB, int atOnce) {
    boolean resident = parts.areResident();
    this.distorting = distorting;
    this.now = distorting;
    host = resources.add(gather(examples, resident));
    this.resident =
        resident
            ? Optional.of(
                resources.open(() -> parts.ops().constant("features", examples.features())))
            : Optional.empty();
    PinnedBanks.Size size = bankSize(host, maxB, atOnce);
    banks = resources.open(() -> parts.banks(size, maxB, atOnce));
    kernels = resources.open(() -> parts.distortionsOn(banks.way()));
    resources.add(banks::finish); // added last and so run first: kernels end before their module
    inputs = (int) size.copied();
  }

  private static HostGather gather(HostExamples examples, boolean resident) {
    return new HostGather(examples, new HostGather.Content(!resident, true));
  }

  private static PinnedBanks.Size bankSize(HostGather host, int maxB, int atOnce) {
    int most = (int) Math.min(Integer.MAX_VALUE, (long) maxB * atOnce); // banks refuse so many
    long copied = host.layout(most).stride();
    long inputBytes = (long) Float.BYTES * host.examples().inputs();
    return new PinnedBanks.Size(
        copied, copied + most * inputBytes, host.layout(1).bytes() + inputBytes);
  }

  /** The bytes that such a feed takes on the device, but for a resident set. */
  static long deviceBytes(HostExamples examples, boolean resident, int maxB, int atOnce) {
    try (HostGather host = gather(examples, resident)) {
      return PinnedBanks.deviceBytes(bankSize(host, maxB, atOnce), atOnce);
    }
  }

  @Override
  public int size() {
    return host.examples().size();
  }

  @Override
  public void distort(int epoch, float strength) {
    this.epoch = epoch;
    this.now = distorting.times(strength);
  }

  @Override
  public void begin(int[] order, int from) {
    this.order = order;
    taken = from;
  }

  @Override
  public int stage(int B, int n) {
    PinnedBanks.Bank bank = banks.next();
    int examples = B * n;
    host.gather(bank.pinned().bytes(), order, taken, examples, 1);
    staged = host.layout(examples);
    DeviceBuffer bytes = bank.bytes();
    int pixels = examples * distorting.inputs();
    Buffer x = bytes.part("inputs", Type.FLOAT32, inputs, pixels);
    var originals =
        new Originals(
            resident.orElseGet(() -> bytes.part("images", Type.UINT8, 0, pixels)),
            bytes.part("numbers", Type.INT32, staged.numbers(), examples),
            resident.isEmpty());
    banks.send(staged.bytes(), () -> kernels.distort(x, originals, examples, now, epoch));
    taken += examples;
    return bank.number();
  }

  @Override
  public Batch batch(int i, int B) {
    DeviceBuffer bytes = banks.filled().bytes();
    int from = i * B;
    int I = distorting.inputs();
    Buffer weights = bytes.part("weights", Type.FLOAT32, staged.weights() + from * Float.BYTES, B);
    var examples =
        new DeviceExamples(
            bytes.part("inputs", Type.FLOAT32, inputs + from * I * Float.BYTES, B * I),
            bytes.part("labels", Type.UINT8, staged.labels() + from, B),
            staged.weighted() ? Optional.of(weights) : Optional.empty());
    return new Batch(examples, Optional.empty());
  }

  @Override
  public void close() {
    resources.close();
  }
}
