package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.RealGpu;
import org.junit.jupiter.api.Tag;

/** Tests whole runs with rounded operands on a real GPU. */
@Tag("gpu")
class GpuRoundedTrainingTest extends CudaRoundedTraining {
  @Override
  CudaDriver open() {
    return RealGpu.open();
  }
}
