package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.error.DeviceException;

/**
 * Banks of batches on their way to a device, and a stream of their own for that way.
 *
 * <p>A bank is filled by the host, then copied, then read by the steps of a stage, again and again.
 * Two events keep that order: the host fills a bank again after its way is done, and the next copy
 * begins after the steps that read the bank. A step waits until its bank is ready.
 */
final class PinnedBanks implements AutoCloseable {
  /**
   * The least number of batches on their way: one is read by a step, one is copied, one is filled,
   * and one is in reserve for a delay of any of these.
   */
  static final int SLOTS = 4;

  /**
   * The size of a bank in bytes.
   *
   * @param copied what the host fills and is copied to the bank's beginning on the device
   * @param whole the bank on the device
   * @param example what an example takes, for the message that a bank is too large
   */
  record Size(long copied, long whole, long example) {}

  /** The batches of a stage on their way. */
  final class Bank {
    private final int number;
    private final DeviceBuffer bytes; // the bank's memory on the device
    private final Pinned pinned; // the bank's memory on the host
    private final long ready; // event: the way is done
    private final long consumed; // event: the steps that read the bank are done

    Bank(int number, Size size) {
      this.number = number;
      ready = driver.createEvent();
      resources.add(() -> driver.destroyEvent(ready));
      consumed = driver.createEvent();
      resources.add(() -> driver.destroyEvent(consumed));
      pinned = pinnedMemory(driver, (int) size.copied);
      resources.add(() -> driver.freePinned(pinned));
      // The buffer is added last and so closed first: its release waits for the steps that use the
      // events.
      Buffer memory = ops.allocate("bank " + number, Type.UINT8, (int) size.whole);
      bytes = (DeviceBuffer) resources.add(memory);
      driver.record(consumed, stream); // after the zeros that an allocation begins with
    }

    /** The number of the bank, from 0. */
    int number() {
      return number;
    }

    /** The memory on the device. */
    DeviceBuffer bytes() {
      return bytes;
    }

    /** The memory that the host fills. */
    Pinned pinned() {
      return pinned;
    }
  }

  private final Resources resources = new Resources();
  private final Ops ops;
  private final CudaDriver driver;
  private final long stream; // the stream that steps run on
  private final long way;
  private final List<Bank> banks = new ArrayList<>();
  private Bank filled; // the bank of the latest stage; null: there was none
  private int next; // the number of the bank that the next stage fills

  /**
   * Banks for stages of up to {@code maxB * atOnce} examples.
   *
   * @param stream the stream that steps run on
   * @throws DeviceException if a bank is too large for a buffer
   */
  PinnedBanks(Ops ops, CudaDriver driver, long stream, Size size, int maxB, int atOnce) {
    this.ops = ops;
    this.driver = driver;
    this.stream = stream;
    if (size.whole > Integer.MAX_VALUE) {
      throw new DeviceException(
          "%d examples of %d bytes at once are too many: at most %d bytes"
              .formatted((long) maxB * atOnce, size.example, Integer.MAX_VALUE),
          "Lower the batch size, the test batch size or the steps per launch.");
    }
    try {
      way = driver.createStream();
      resources.add(() -> driver.destroyStream(way));
      for (int bank = 0; bank < count(atOnce); bank++) {
        banks.add(new Bank(bank, size));
      }
      // This is added last and so run first: the way ends before banks are freed.
      resources.add(this::finish);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** The bytes of all banks on the device. */
  static long deviceBytes(Size size, int atOnce) {
    return count(atOnce) * size.whole;
  }

  private static int count(int atOnce) {
    return Math.max(2, SLOTS / atOnce); // one is filled while another one is consumed
  }

  /** Allocates page-locked memory for a batch. */
  static Pinned pinnedMemory(CudaDriver driver, int length) {
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

  /** The stream on which banks are copied, and what follows a copy runs. */
  long way() {
    return way;
  }

  /**
   * The next bank, for the host to fill; waits until it may. All steps that read the bank before it
   * are enqueued by now: the caller's promise.
   */
  Bank next() {
    if (filled != null) {
      driver.record(filled.consumed, stream);
    }
    filled = banks.get(next);
    next = (next + 1) % banks.size();
    driver.synchronizeEvent(filled.ready);
    return filled;
  }

  /**
   * Enqueues the copy of the first {@code bytes} bytes of the bank that {@link #next} gave, then
   * the work on {@link #way} that {@code more} enqueues; steps wait for both.
   */
  void send(int bytes, Runnable more) {
    driver.await(way, filled.consumed);
    driver.copyToDevice(DeviceBuffer.address(filled.bytes), filled.pinned, 0, bytes, way);
    more.run();
    driver.record(filled.ready, way);
    driver.await(stream, filled.ready);
  }

  /** The bank of the latest stage. */
  Bank filled() {
    return filled;
  }

  /** Waits until all is done that was enqueued on {@link #way}. */
  void finish() {
    driver.synchronizeStream(way);
  }

  @Override
  public void close() {
    resources.close();
  }
}
