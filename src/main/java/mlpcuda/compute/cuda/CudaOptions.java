package mlpcuda.compute.cuda;

import mlpcuda.compute.Precision;

/**
 * The options of how a GPU is used. {@link #DEFAULT} and the methods {@code with…} make them.
 *
 * @param gemm what multiplies; null: cuBLAS where it is found, else our own kernels
 * @param kernels what computes bias, activations and log-softmax
 * @param step how a training step is launched
 * @param feed how batches come to the device
 * @param precision the precision of the operands of products
 * @param graph whether a step is recorded as a CUDA graph and replayed
 * @param stepsAtOnce the number of training steps in a graph or, of persistent steps, in a launch;
 *     0: as many as suit the batch
 * @param check whether to wait after each launch, to find the one that fails; excludes {@code
 *     graph}
 */
public record CudaOptions(
    Gemm gemm,
    Kernels kernels,
    Step step,
    Feed feed,
    Precision precision,
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
    /** The device chooses by network, batch and what multiplies. */
    AUTO,
    /** A step is launched operation by operation. */
    LAYERED,
    /** A step is a few kernels of our own. */
    FUSED,
    /** One kernel of our own takes many steps, from a resident set in single precision. */
    PERSISTENT
  }

  /** The way in which batches come to the device. */
  public enum Feed {
    /** The device chooses. */
    AUTO,
    /** Batches are streamed through page-locked memory. */
    PINNED,
    /** The set lies on the device as a whole. */
    RESIDENT
  }

  /** The options of a run that asks for nothing. */
  public static final CudaOptions DEFAULT =
      new CudaOptions(null, Kernels.PTX, Step.AUTO, Feed.AUTO, Precision.FP32, true, 0, false);

  /**
   * Checks that a graph is not asked for together with a check of each launch, and that persistent
   * steps are in single precision and not from a set that is streamed.
   */
  public CudaOptions {
    if (graph && check) {
      throw new IllegalArgumentException("a launch inside of a graph cannot be waited for");
    }
    if (step == Step.PERSISTENT && (feed == Feed.PINNED || precision != Precision.FP32)) {
      throw new IllegalArgumentException(
          "persistent steps must be of a resident set and in fp32, found "
              + (feed == Feed.PINNED ? "a set that is streamed" : precision.label()));
    }
  }

  /** Options of a layered step, in single precision, with our own kernels. */
  public CudaOptions(Gemm gemm, boolean resident, boolean graph, boolean check) {
    this(
        gemm,
        Kernels.PTX,
        Step.LAYERED,
        resident ? Feed.RESIDENT : Feed.PINNED,
        Precision.FP32,
        graph,
        0,
        check);
  }

  /** A copy of these options with products by another implementation. */
  public CudaOptions with(Gemm other) {
    return new CudaOptions(other, kernels, step, feed, precision, graph, stepsAtOnce, check);
  }

  /** A copy of these options with other kernels. */
  public CudaOptions with(Kernels others) {
    return new CudaOptions(gemm, others, step, feed, precision, graph, stepsAtOnce, check);
  }

  /** A copy of these options with another way to launch steps. */
  public CudaOptions with(Step other) {
    return new CudaOptions(gemm, kernels, other, feed, precision, graph, stepsAtOnce, check);
  }

  /** A copy of these options with another way for batches to the device. */
  public CudaOptions with(Feed other) {
    return new CudaOptions(gemm, kernels, step, other, precision, graph, stepsAtOnce, check);
  }

  /** A copy of these options with products of another precision. */
  public CudaOptions with(Precision other) {
    return new CudaOptions(gemm, kernels, step, feed, other, graph, stepsAtOnce, check);
  }

  /** A copy of these options with a CUDA graph or without one. */
  public CudaOptions withGraph(boolean recorded) {
    return new CudaOptions(gemm, kernels, step, feed, precision, recorded, stepsAtOnce, check);
  }

  /** A copy of these options with another number of training steps in a graph. */
  public CudaOptions withStepsAtOnce(int steps) {
    return new CudaOptions(gemm, kernels, step, feed, precision, graph, steps, check);
  }

  /** A copy of these options that waits after each launch, and so has no graph. */
  public CudaOptions withCheck() {
    return new CudaOptions(gemm, kernels, step, feed, precision, false, stepsAtOnce, true);
  }
}
