package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.RealGpu;
import org.junit.jupiter.api.Tag;

/** Tests runs on distorted images on a real GPU. */
@Tag("gpu")
class GpuDistortedTrainingTest extends DistortedTraining {
  @Override
  CudaDriver open() {
    return RealGpu.open();
  }
}
