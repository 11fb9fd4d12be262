package mlpcuda.compute.cuda;

import mlpcuda.compute.Precision;

/**
 * How a GPU is used.
 *
 * @param gemm who multiplies; null: cuBLAS where it is found, else PTX
 * @param kernels who computes bias, activations and log-softmax
 * @param precision of the operands of products
 * @param resident whether a training set lies on the device as a whole; else batches are streamed
 *     through page-locked memory
 * @param graph whether a step is recorded as a CUDA graph and replayed
 * @param step how a training step is asked for; null: layered with cuBLAS, else fused
 * @param stepsAtOnce training steps of a graph; 0: as many as suit the batch
 * @param check whether to wait after each launch, to find the one that fails; excludes {@code
 *     graph}
 */
public record CudaOptions(
    Gemm gemm,
    Kernels kernels,
    Step step,
    Precision precision,
    boolean resident,
    boolean graph,
    int stepsAtOnce,
    boolean check) {
  /** Who multiplies matrices. */
  public enum Gemm {
    /** NVIDIA's library. */
    CUBLAS,
    /** Our own kernels. */
    PTX
  }

  /** Who computes what a layer does besides products. */
  public enum Kernels {
    /** Our own kernels. */
    PTX,
    /** NVIDIA's library. */
    CUDNN
  }

  /** How a training step is asked for. */
  public enum Step {
    /** Operation by operation. */
    LAYERED,
    /** In a few kernels of our own. */
    FUSED
  }

  /** What is fastest where all is found. */
  public static final CudaOptions DEFAULT =
      new CudaOptions(null, Kernels.PTX, null, Precision.FP32, false, true, 0, false);

  /** Checks that a graph is not asked for together with a check of each launch. */
  public CudaOptions {
    if (graph && check) {
      throw new IllegalArgumentException("a launch inside of a graph cannot be waited for");
    }
  }

  /** Layered, in single precision, with our own kernels. */
  public CudaOptions(Gemm gemm, boolean resident, boolean graph, boolean check) {
    this(gemm, Kernels.PTX, Step.LAYERED, Precision.FP32, resident, graph, 0, check);
  }

  /** The same, with other kernels. */
  public CudaOptions with(Kernels others) {
    return new CudaOptions(gemm, others, step, precision, resident, graph, stepsAtOnce, check);
  }

  /** The same, with steps asked for in another way. */
  public CudaOptions with(Step other) {
    return new CudaOptions(gemm, kernels, other, precision, resident, graph, stepsAtOnce, check);
  }

  /** The same, with products of another precision. */
  public CudaOptions with(Precision other) {
    return new CudaOptions(gemm, kernels, step, other, resident, graph, stepsAtOnce, check);
  }

  /** The same, with so many training steps in a graph. */
  public CudaOptions withStepsAtOnce(int steps) {
    return new CudaOptions(gemm, kernels, step, precision, resident, graph, steps, check);
  }
}
