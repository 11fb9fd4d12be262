package mlpcuda.compute.cuda;

import java.util.List;
import mlpcuda.error.DeviceException;

/** The GPUs that this process can use. */
public interface Gpus {
  /**
   * Lists all GPUs that CUDA shows, at least one.
   *
   * @throws DeviceException if there is none, which says why and what to do
   */
  List<GpuProperties> list();

  /**
   * Loads the native libraries that each GPU needs, as the other methods do where they are not
   * loaded.
   *
   * @throws DeviceException if they cannot be loaded, which says why and what to do
   */
  default void load() {}

  /**
   * Opens a GPU for the calling thread; the caller closes it.
   *
   * @param index the GPU's number as CUDA counts
   * @throws DeviceException if the GPU cannot be used, which says why and what to do
   */
  CudaDriver open(int index);
}
