package mlpcuda.compute.cuda;

import java.util.function.Supplier;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.error.DeviceException;

/**
 * The stream on which all work of a device's operations is enqueued. A failure says which work was
 * enqueued when it showed; only {@link Launching#CHECKED} launches make sure that this work failed,
 * and not an earlier one.
 *
 * @param driver the driver of the device
 * @param handle the driver's handle of the stream
 * @param launching the way in which kernels are launched
 */
record LaunchStream(CudaDriver driver, long handle, Launching launching) {
  /**
   * Enqueues work, and waits for it if launches are checked.
   *
   * @param noun the kind of the work: {@code launch} or {@code call}
   * @param what the work and its sizes, for the message of a failure
   * @throws DeviceException if the driver reports a failure
   */
  void enqueue(String noun, Supplier<String> what, Runnable work) {
    boolean checked = launching == Launching.CHECKED;
    try {
      work.run();
      if (checked) {
        driver.synchronizeStream(handle);
      }
    } catch (CudaException e) {
      String remedy =
          checked ? "Nothing before it failed: this %s is at fault.".formatted(noun) : e.remedy();
      throw new DeviceException("%s; in %s".formatted(e.why(), what.get()), remedy, e);
    }
  }
}
