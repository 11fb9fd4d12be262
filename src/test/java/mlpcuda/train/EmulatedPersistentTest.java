package mlpcuda.train;

import java.util.List;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests persistent steps on the interpreter, whose blocks wait for each other as a GPU's do. */
class EmulatedPersistentTest extends PersistentTraining {
  @Override
  CudaDriver open(int multiprocessors) {
    return new EmulatedDriver(
        EmulatedOptions.of(EmulatedPolicy.LATEST).withMultiprocessors(multiprocessors));
  }

  private static Run onOtherDevice(EmulatedOptions options) {
    var ops = new CudaOps(new EmulatedDriver(options), options(StepKind.PERSISTENT));
    return Run.easy(ops, 40, 0.01, Run.settings(2, 16, true, 3, 4, 1));
  }

  /** The seed of a policy is that of the order in which warps of all blocks execute, too. */
  @Test
  @Tag("long")
  void anyOrderOfWarpsMakesTheSameBits() {
    Run expected = onOtherDevice(EmulatedOptions.of(EmulatedPolicy.LATEST));
    for (int seed = 1; seed <= 8; seed++) {
      EmulatedPolicy policy = EmulatedPolicy.random(seed);
      Run found = onOtherDevice(EmulatedOptions.of(policy));
      CudaTraining.assertSameBits(expected, found, policy.toString());
    }
  }

  /** The number of blocks, and that of the parts of the first layer's sums, is the device's. */
  @Test
  @Tag("long")
  void anyNumberOfMultiprocessorsAgrees() {
    EmulatedOptions options = EmulatedOptions.of(EmulatedPolicy.LATEST);
    Run expected = onOtherDevice(options);
    for (int count : List.of(1, 2, 3, 7, 30)) {
      Run found = onOtherDevice(options.withMultiprocessors(count));
      assertAgrees(expected, found, count + " multiprocessors");
    }
  }
}
