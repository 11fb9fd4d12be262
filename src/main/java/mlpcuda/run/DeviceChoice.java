package mlpcuda.run;

import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions;

/** The device of a run, and how it is used. */
public sealed interface DeviceChoice {
  /**
   * The CPU.
   *
   * @param threads the number of threads, on which parts of sums depend
   * @param options how a GPU is used where the run goes on with one; the CPU follows the precision
   *     alone
   */
  record Cpu(int threads, CudaOptions options) implements DeviceChoice {
    /** The most threads: more than machines have processors, and fewer than make them fail. */
    public static final int MAX_THREADS = 1024;

    /** Checks the number of threads. */
    public Cpu {
      if (threads < 1 || threads > MAX_THREADS) {
        throw new IllegalArgumentException(
            "the threads of the CPU must be from 1 to %d, found %d"
                .formatted(MAX_THREADS, threads));
      }
    }
  }

  /**
   * An NVIDIA GPU.
   *
   * @param index the GPU's index, as CUDA counts
   * @param options how the GPU is used
   */
  record Gpu(int index, CudaOptions options) implements DeviceChoice {}

  /** How a GPU is or would be used. */
  CudaOptions options();

  /** The format to which the operands of products are rounded. */
  default Precision precision() {
    return options().precision();
  }
}
