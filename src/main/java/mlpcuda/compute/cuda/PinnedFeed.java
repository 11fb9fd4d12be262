package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.Resources;
import mlpcuda.features.Features;

/**
 * A feed that streams batches: the host gathers the batches of a stage into page-locked memory
 * while the device computes, and they are copied to the device together, by way of {@link
 * PinnedBanks}. Each batch is laid out as {@link HostGather.Layout} says.
 */
final class PinnedFeed implements Feed {
  private final Resources resources = new Resources();
  private final HostGather host;
  private final PinnedBanks banks;
  private int[] order = {};
  private int taken; // examples of the order that are staged

  /**
   * A feed of a set.
   *
   * @param maxB the largest batch
   * @param atOnce the most batches of a stage
   */
  PinnedFeed(FeedParts parts, HostExamples examples, int maxB, int atOnce) {
    host = resources.add(new HostGather(examples, HostGather.Content.EXAMPLES));
    PinnedBanks.Size size = bankSize(host, maxB, atOnce);
    banks = resources.open(() -> parts.banks(size, maxB, atOnce));
  }

  private static PinnedBanks.Size bankSize(HostGather host, int maxB, int atOnce) {
    long bytes = host.layout(maxB).stride() * atOnce;
    return new PinnedBanks.Size(bytes, bytes, host.layout(1).bytes());
  }

  /** The bytes that such a feed takes on the device. */
  static long deviceBytes(HostExamples examples, int maxB, int atOnce) {
    try (var host = new HostGather(examples, HostGather.Content.EXAMPLES)) {
      return PinnedBanks.deviceBytes(bankSize(host, maxB, atOnce), atOnce);
    }
  }

  @Override
  public int size() {
    return host.examples().size();
  }

  @Override
  public void begin(int[] order, int from) {
    this.order = order;
    taken = from;
  }

  @Override
  public int stage(int B, int n) {
    PinnedBanks.Bank bank = banks.next();
    host.gather(bank.pinned().bytes(), order, taken, B, n);
    HostGather.Layout layout = host.layout(B);
    banks.send((n - 1) * (int) layout.stride() + layout.bytes(), () -> {});
    taken += B * n;
    return bank.number();
  }

  @Override
  public Batch batch(int i, int B) {
    HostGather.Layout layout = host.layout(B);
    int from = i * (int) layout.stride();
    Features features = host.examples().features();
    Type type = features.type() == Features.Type.FLOAT32 ? Type.FLOAT32 : Type.UINT8;
    DeviceBuffer bytes = banks.filled().bytes();
    Buffer weights = bytes.part("weights", Type.FLOAT32, from + layout.weights(), B);
    var examples =
        new DeviceExamples(
            bytes.part("features", type, from, B * features.width()),
            bytes.part("labels", Type.UINT8, from + layout.labels(), B),
            layout.weighted() ? Optional.of(weights) : Optional.empty());
    return new Batch(examples, Optional.empty());
  }

  @Override
  public void close() {
    resources.close();
  }
}
