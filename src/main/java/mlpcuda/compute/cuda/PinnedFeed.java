package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Feed;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.error.DeviceException;
import mlpcuda.features.Features;

/**
 * A feed that streams batches: the host gathers the batches of a stage into page-locked memory
 * while the device computes, and they are copied to the device together, on a stream of their own.
 *
 * <p>A bank is filled by the host, then copied, then read by the steps of a stage, again and again.
 * Two events keep that order: the host fills a bank again after its copy is done, and the next copy
 * begins after the steps that read the bank. A step waits for its bank's copy.
 */
final class PinnedFeed implements Feed {
  /**
   * The least number of batches on their way: one is read by a step, one is copied, one is filled,
   * and one is in reserve for a delay of any of these.
   */
  static final int SLOTS = 4;

  /** The batches of a stage on their way, each laid out as {@link HostGather.Layout} says. */
  private final class Bank {
    private final Buffer bytes; // the bank's memory on the device
    private final Pinned pinned; // the bank's memory on the host
    private final long copied; // event: the copy is done
    private final long consumed; // event: the steps that read the bank are done

    Bank(int number, int length) {
      copied = driver.createEvent();
      resources.add(() -> driver.destroyEvent(copied));
      consumed = driver.createEvent();
      resources.add(() -> driver.destroyEvent(consumed));
      pinned = pinned(driver, length);
      resources.add(() -> driver.freePinned(pinned));
      // The buffer is added last and so closed first: its release waits for the steps that use the
      // events.
      bytes = resources.add(ops.allocate("bank " + number, Type.UINT8, length));
      driver.record(consumed, stream); // after the zeros that an allocation begins with
    }
  }

  private final Resources resources = new Resources();
  private final Ops ops;
  private final CudaDriver driver;
  private final long stream; // the stream that steps run on
  private final long copies;
  private final HostGather host;
  private final List<Bank> banks = new ArrayList<>();
  private int[] order = {};
  private int taken; // examples of the order that are staged
  private Bank staged; // the bank of the latest stage; null: there was none
  private int next; // the bank that the next stage fills

  /**
   * A feed of the set that {@code host} gathers.
   *
   * @param stream the stream that steps run on
   * @param host gathers batches; the feed owns it from now on, and closes it
   * @param maxB the largest batch
   * @param atOnce the most batches of a stage
   */
  PinnedFeed(Ops ops, CudaDriver driver, long stream, HostGather host, int maxB, int atOnce) {
    this.ops = ops;
    this.driver = driver;
    this.stream = stream;
    this.host = resources.add(host);
    try {
      copies = driver.createStream();
      resources.add(() -> driver.destroyStream(copies));
      long bytes = host.layout(maxB).stride() * atOnce;
      if (bytes > Integer.MAX_VALUE) {
        throw new DeviceException(
            "%d examples of %d bytes at once are too many: at most %d bytes"
                .formatted((long) maxB * atOnce, host.layout(1).bytes(), Integer.MAX_VALUE),
            "Lower the batch size, the test batch size or the steps per launch.");
      }
      int count = Math.max(2, SLOTS / atOnce); // one is filled while another one is consumed
      for (int bank = 0; bank < count; bank++) {
        banks.add(new Bank(bank, (int) bytes));
      }
      // This is added last and so run first: copies end before banks are freed.
      resources.add(() -> driver.synchronizeStream(copies));
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** Allocates page-locked memory for a batch. */
  static Pinned pinned(CudaDriver driver, int length) {
    try {
      return driver.allocatePinned(length);
    } catch (CudaException e) {
      if (e.code() != CudaException.OUT_OF_MEMORY) {
        throw e;
      }
      throw new DeviceException(
          "out of page-locked memory for a batch: asked for " + GpuProperties.size(length),
          "Lower the batch size or the test batch size, or keep the data set in the GPU's memory.",
          e);
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
    if (staged != null) { // all steps that read it are enqueued by now
      driver.record(staged.consumed, stream);
    }
    int number = next;
    staged = banks.get(number);
    next = (number + 1) % banks.size();
    driver.synchronizeEvent(staged.copied);
    host.gather(staged.pinned.bytes(), order, taken, B, n);
    driver.await(copies, staged.consumed);
    HostGather.Layout layout = host.layout(B);
    int bytes = (n - 1) * (int) layout.stride() + layout.bytes();
    driver.copyToDevice(DeviceBuffer.address(staged.bytes), staged.pinned, 0, bytes, copies);
    driver.record(staged.copied, copies);
    driver.await(stream, staged.copied);
    taken += B * n;
    return number;
  }

  @Override
  public Batch batch(int i, int B) {
    HostGather.Layout layout = host.layout(B);
    int from = i * (int) layout.stride();
    Features features = host.examples().features();
    Type type = features.type() == Features.Type.FLOAT32 ? Type.FLOAT32 : Type.UINT8;
    var bytes = (DeviceBuffer) staged.bytes;
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
