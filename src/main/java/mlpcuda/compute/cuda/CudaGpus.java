package mlpcuda.compute.cuda;

import java.nio.file.Path;
import java.util.List;
import mlpcuda.compute.cuda.CudaDriver.Device;

/**
 * The GPUs of this machine, by JCuda.
 *
 * @param natives the folder that JCuda's libraries are unpacked below
 */
public record CudaGpus(Path natives) implements Gpus {
  @Override
  public List<Device> list() {
    CudaDevices.Found found = CudaDevices.find(natives);
    if (found.obstacle() != null) {
      throw found.obstacle();
    }
    return found.devices();
  }

  @Override
  public CudaDriver open(int index) {
    return JCudaDriver.open(index, natives);
  }
}
