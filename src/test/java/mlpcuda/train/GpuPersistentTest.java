package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

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

  /** Losses alone: {@link GpuTrainingTest#assertTakesTheStepsOf} says why. */
  @Override
  void assertAgrees(Run expected, Run found, String what) {
    assertEquals(expected.steps.size(), found.steps.size(), what);
    assertArrayEquals(expected.losses(), found.losses(), 1e-5, what + ": losses");
  }
}
