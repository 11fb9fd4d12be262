package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.RealGpu;
import org.junit.jupiter.api.Tag;

/** Tests whole runs on a real GPU. */
@Tag("gpu")
class GpuTrainingTest extends CudaTraining {
  @Override
  CudaDriver open() {
    return RealGpu.open();
  }
}
