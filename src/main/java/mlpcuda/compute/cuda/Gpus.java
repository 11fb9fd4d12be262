package mlpcuda.compute.cuda;

import java.util.List;
import mlpcuda.compute.DeviceException;

/** The GPUs that this process can use. */
public interface Gpus {
  /**
   * All that CUDA shows, at least one.
   *
   * @throws DeviceException that says why there is none, and what to do
   */
  List<CudaDriver.Device> list();

  /**
   * Loads the native libraries that each GPU needs, as the other methods do where they are not
   * loaded.
   *
   * @throws DeviceException that says why they cannot be, and what to do
   */
  default void load() {}

  /**
   * Opens one for the calling thread; the caller closes it.
   *
   * @param index as CUDA counts
   * @throws DeviceException that says why it cannot be used, and what to do
   */
  CudaDriver open(int index);
}
