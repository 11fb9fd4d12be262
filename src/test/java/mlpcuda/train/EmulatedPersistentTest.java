package mlpcuda.train;

import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;

/** Tests persistent steps on the interpreter, whose blocks wait for each other as a GPU's do. */
class EmulatedPersistentTest extends PersistentTraining {
  @Override
  CudaDriver open() {
    return new EmulatedDriver(EmulatedPolicy.LATEST);
  }
}
