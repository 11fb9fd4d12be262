package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;

/** Whole runs with rounded operands on the interpreter. */
class EmulatedRoundedTrainingTest extends CudaRoundedTraining {
  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedPolicy.LATEST);
  }
}
