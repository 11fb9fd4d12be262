package mlpcuda.run;

import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions;

/** The device of a run, and how it is used. */
public sealed interface DeviceChoice {
  /**
   * The CPU.
   *
   * @param threads the number of threads, on which parts of sums depend
   * @param precision the format to which the operands of products are rounded
   */
  record Cpu(int threads, Precision precision) implements DeviceChoice {}

  /**
   * An NVIDIA GPU.
   *
   * @param index the GPU's index, as CUDA counts
   * @param options how the GPU is used
   */
  record Gpu(int index, CudaOptions options) implements DeviceChoice {
    @Override
    public Precision precision() {
      return options.precision();
    }
  }

  /** The format to which the operands of products are rounded. */
  Precision precision();
}
