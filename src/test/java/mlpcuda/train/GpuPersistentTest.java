package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.RealGpu;
import org.junit.jupiter.api.Tag;

/** Tests persistent steps on a real GPU. */
@Tag("gpu")
class GpuPersistentTest extends PersistentTraining {
  @Override
  CudaDriver open(int multiprocessors) {
    return RealGpu.open();
  }
}
