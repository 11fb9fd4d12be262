package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.RealGpu;
import org.junit.jupiter.api.Tag;

/** Tests training on rows of floats, and with weights, on a real GPU. */
@Tag("gpu")
class GpuTableTest extends TableTraining {
  @Override
  CudaDriver open() {
    return RealGpu.open();
  }
}
