package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

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

  /**
   * Losses alone, and less near: tensor cores sum in an order of their own, so that some operands
   * round to the other side, a whole unit in their last place apart. Weights are judged step by
   * step, by {@link mlpcuda.cli.GpuStepsTest}.
   */
  @Override
  void assertTakesTheStepsOf(Run cpu, Run gpu, String what) {
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-3, what + ": losses");
    assertArrayEquals(
        CudaTraining.validationLosses(cpu),
        CudaTraining.validationLosses(gpu),
        1e-3,
        what + ": validation losses");
  }
}
