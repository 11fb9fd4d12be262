package mlpcuda.compute.cuda;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Feed;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Owned;
import mlpcuda.compute.cuda.CudaDriver.Device;
import mlpcuda.compute.cuda.CudaDriver.Pinned;

/**
 * A feed that streams batches: the host gathers a batch's bytes into page-locked memory while the
 * device computes, and they are copied to the device on a stream of their own.
 *
 * <p>A slot is filled by the host, copied, and consumed by the step, by turns. Two events order
 * that: the host fills a slot again after its copy is done, and the next copy begins after the step
 * that reads the slot. A step waits for its slot's copy.
 */
final class PinnedFeed implements Feed {
  /**
   * The least number of slots: one is consumed, one is copied, one is filled, and one takes up a
   * hitch of any of them.
   */
  static final int SLOTS = 4;

  /** A batch on its way: images (B, I), then labels (B). */
  private final class Slot {
    private final Buffer bytes; // the slot's memory on the device
    private final Pinned pinned; // the slot's memory on the host
    private final long copied; // event: the copy is done
    private final long consumed; // event: the step that reads the slot is done

    Slot(int number, int length) {
      copied = driver.createEvent();
      owned.add(() -> driver.destroyEvent(copied));
      consumed = driver.createEvent();
      owned.add(() -> driver.destroyEvent(consumed));
      pinned = pinned(length);
      owned.add(() -> driver.freePinned(pinned));
      // The buffer is added last and so closed first: its release waits for the steps that use the
      // events.
      bytes = owned.add(ops.allocate("slot " + number, Type.UINT8, length));
      driver.record(consumed, stream); // after the zeros that an allocation begins with
    }

    private Pinned pinned(int length) {
      try {
        return driver.allocatePinned(length);
      } catch (CudaException e) {
        if (e.code() != CudaException.OUT_OF_MEMORY) {
          throw e;
        }
        throw new DeviceException(
            "out of page-locked memory for a batch: asked for " + Device.size(length),
            "Lower --batch-size or --test-batch-size, or use --feed resident.",
            e);
      }
    }
  }

  private final Owned owned = new Owned();
  private final Ops ops;
  private final CudaDriver driver;
  private final long stream; // the stream that steps run on
  private final long copies;
  private final byte[] pixels; // (N, I)
  private final byte[] labels; // (N)
  private final int I;
  private final List<Slot> slots = new ArrayList<>();
  private int[] order = {};
  private int taken; // examples of the order that are staged
  private final int atOnce; // slots of a bank: each stage fills a bank from its start
  private final List<Slot> staged = new ArrayList<>(); // the slots of the latest stage
  private int next; // the bank that the next stage fills

  PinnedFeed(
      Ops ops,
      CudaDriver driver,
      long stream,
      byte[] pixels,
      byte[] labels,
      int I,
      int maxB,
      int atOnce) {
    this.ops = ops;
    this.driver = driver;
    this.stream = stream;
    this.pixels = pixels;
    this.labels = labels;
    this.I = I;
    this.atOnce = atOnce;
    this.copies = driver.createStream();
    owned.add(() -> driver.destroyStream(copies));
    long bytes = maxB * (I + 1L);
    try {
      if (bytes > Integer.MAX_VALUE) {
        throw new DeviceException(
            "a batch of %d images of %d bytes is too large: at most %d bytes"
                .formatted(maxB, I, Integer.MAX_VALUE),
            "Lower --batch-size or --test-batch-size.");
      }
      int banks = Math.max(2, SLOTS / atOnce); // one is filled while another one is consumed
      for (int s = 0; s < banks * atOnce; s++) {
        slots.add(new Slot(s, (int) bytes));
      }
      // added last and so run first: copies end before slots are freed
      owned.add(() -> driver.synchronizeStream(copies));
    } catch (RuntimeException e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public void begin(int[] order, int from) {
    this.order = order;
    taken = from;
  }

  @Override
  public int stage(int B, int n) {
    for (Slot slot : staged) { // all steps that read the slot are enqueued by now
      driver.record(slot.consumed, stream);
    }
    staged.clear();
    int first = next * atOnce;
    for (int i = 0; i < n; i++) {
      stage(slots.get(first + i), B);
    }
    next = (next + 1) % (slots.size() / atOnce);
    return first;
  }

  private void stage(Slot slot, int B) {
    driver.synchronizeEvent(slot.copied);
    for (int b = 0; b < B; b++) {
      int row = order[taken + b];
      slot.pinned.bytes().put(b * I, pixels, row * I, I);
      slot.pinned.bytes().put(B * I + b, labels[row]);
    }
    driver.await(copies, slot.consumed);
    driver.copyToDevice(DeviceBuffer.address(slot.bytes), slot.pinned, 0, B * (I + 1), copies);
    driver.record(slot.copied, copies);
    driver.await(stream, slot.copied);
    taken += B;
    staged.add(slot);
  }

  @Override
  public Batch batch(int i, int B) {
    Buffer bytes = staged.get(i).bytes;
    return new Batch(bytes.slice("images", 0, B * I), bytes.slice("labels", B * I, B), null);
  }

  @Override
  public void close() {
    owned.close();
  }
}
