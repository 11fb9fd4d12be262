package mlpcuda.cli;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.RealGpu;
import org.junit.jupiter.api.Tag;

/** Judges steps on a real GPU. */
@Tag("gpu")
public class GpuStepsTest extends CudaSteps {
  @Override
  CudaDriver open() {
    return RealGpu.open();
  }

  @Override
  int steps() {
    return 40;
  }
}
