package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;

/** Tests training on rows of floats, and with weights, on the interpreter. */
class EmulatedTableTest extends TableTraining {
  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedOptions.of(EmulatedPolicy.LATEST).withMultiprocessors(4));
  }
}
