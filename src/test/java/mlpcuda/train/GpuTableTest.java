package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

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

  /** Losses alone: {@link GpuTrainingTest#assertTakesTheStepsOf} says why. */
  @Override
  void assertAgrees(Run expected, Run found, String what) {
    assertArrayEquals(expected.losses(), found.losses(), 1e-5, what + ": losses");
  }
}
