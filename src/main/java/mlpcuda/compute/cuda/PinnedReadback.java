package mlpcuda.compute.cuda;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Readback;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaDriver.Pinned;

/**
 * A readback into page-locked memory: the copy has its place in the stream of the operations, and
 * an event behind it, which is all that the host waits for.
 */
final class PinnedReadback extends Readback {
  private final Resources resources = new Resources();
  private final CudaDriver driver;
  private final long stream;
  private final long copied; // event: the copy is done
  private final Pinned pinned;

  PinnedReadback(Ops ops, CudaDriver driver, long stream, int length) {
    super(ops, length);
    this.driver = driver;
    this.stream = stream;
    try {
      copied = driver.createEvent();
      resources.add(() -> driver.destroyEvent(copied));
      pinned = PinnedBanks.pinnedMemory(driver, Math.multiplyExact(length, Float.BYTES));
      resources.add(() -> driver.freePinned(pinned));
      // This is added last and so run first: a copy ends before its memory is freed.
      resources.add(() -> driver.synchronizeEvent(copied));
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  @Override
  protected void beginK(Buffer from, int n) {
    driver.copyToHost(pinned, DeviceBuffer.address(from), n * Float.BYTES, stream);
    driver.record(copied, stream);
  }

  @Override
  protected boolean isDoneK() {
    return driver.isDone(copied);
  }

  @Override
  protected void endK(float[] values) {
    driver.synchronizeEvent(copied);
    pinned.bytes().asFloatBuffer().get(0, values);
  }

  @Override
  public void close() {
    resources.close();
  }
}
