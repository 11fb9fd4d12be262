package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

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

  /**
   * Losses alone: a right GPU sums in an order of its own, and a gradient that is rounding noise
   * moves a weight by the whole rate in Adam's first step. Weights are judged step by step, by
   * {@link mlpcuda.cli.GpuStepsTest}.
   */
  @Override
  void assertTakesTheStepsOf(Run cpu, Run gpu, String what) {
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5, what + ": losses");
    assertArrayEquals(
        validationLosses(cpu), validationLosses(gpu), 1e-5, what + ": validation losses");
  }
}
