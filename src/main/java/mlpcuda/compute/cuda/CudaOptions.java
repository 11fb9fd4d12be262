package mlpcuda.compute.cuda;

import mlpcuda.compute.Precision;

/**
 * The options of how a GPU is used.
 *
 * @param gemm what multiplies; null: cuBLAS where it is found, else our own kernels
 * @param kernels what computes bias, activations and log-softmax
 * @param precision the precision of the operands of products
 * @param resident whether a training set lies on the device as a whole; else batches are streamed
 *     through page-locked memory
 * @param graph whether a step is recorded as a CUDA graph and replayed
 * @param step how a training step is launched; null: layered with cuBLAS, with cuDNN and in long
 *     batches, else fused
 * @param stepsAtOnce the number of training steps in a graph or, of persistent steps, in a launch;
 *     0: as many as suit the batch
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
  /** The implementation that multiplies matrices. */
  public enum Gemm {
    /** NVIDIA's library. */
    CUBLAS,
    /** Our own kernels. */
    PTX
  }

  /** The implementation of what a layer does besides products. */
  public enum Kernels {
    /** Our own kernels. */
    PTX,
    /** NVIDIA's library. */
    CUDNN
  }

  /** The way in which a training step is launched. */
  public enum Step {
    /** A step is launched operation by operation. */
    LAYERED,
    /** A step is a few kernels of our own. */
    FUSED,
    /** One kernel of our own takes many steps, from a resident set in single precision. */
    PERSISTENT
  }

  /** The options that are fastest on a machine with all libraries. */
  public static final CudaOptions DEFAULT =
      new CudaOptions(null, Kernels.PTX, null, Precision.FP32, false, true, 0, false);

  /**
   * Checks that a graph is not asked for together with a check of each launch, and that persistent
   * steps are in single precision and from a resident set.
   */
  public CudaOptions {
    if (graph && check) {
      throw new IllegalArgumentException("a launch inside of a graph cannot be waited for");
    }
    if (step == Step.PERSISTENT && (!resident || precision != Precision.FP32)) {
      throw new IllegalArgumentException(
          "persistent steps must be of a resident set and in fp32, found "
              + (resident ? precision.label() : "a set that is streamed"));
    }
  }

  /** Options of a layered step, in single precision, with our own kernels. */
  public CudaOptions(Gemm gemm, boolean resident, boolean graph, boolean check) {
    this(gemm, Kernels.PTX, Step.LAYERED, Precision.FP32, resident, graph, 0, check);
  }

  /** A copy of these options with other kernels. */
  public CudaOptions with(Kernels others) {
    return new CudaOptions(gemm, others, step, precision, resident, graph, stepsAtOnce, check);
  }

  /** A copy of these options with another way to launch steps. */
  public CudaOptions with(Step other) {
    return new CudaOptions(gemm, kernels, other, precision, resident, graph, stepsAtOnce, check);
  }

  /** A copy of these options with products of another precision. */
  public CudaOptions with(Precision other) {
    return new CudaOptions(gemm, kernels, step, other, resident, graph, stepsAtOnce, check);
  }

  /** A copy of these options with another number of training steps in a graph. */
  public CudaOptions withStepsAtOnce(int steps) {
    return new CudaOptions(gemm, kernels, step, precision, resident, graph, steps, check);
  }
}
