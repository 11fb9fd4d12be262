package mlpcuda.compute.cuda;

import java.util.OptionalInt;
import mlpcuda.compute.Precision;

/**
 * The options of how a GPU is used. {@link #DEFAULT}, {@link #layered} and the methods {@code
 * with…} make them.
 *
 * @param multiplier the implementation that multiplies matrices
 * @param activator the implementation of bias, activations and log-softmax
 * @param step the way in which a training step runs
 * @param feed the way in which batches come to the device
 * @param precision the precision of the operands of products
 * @param launching the way in which the kernels of a step are launched
 * @param stepsAtOnce the number of training steps in a graph or, of persistent steps, in a launch;
 *     empty: the device chooses a number that suits the batch
 */
public record CudaOptions(
    Multiplier multiplier,
    Activator activator,
    StepKind step,
    FeedKind feed,
    Precision precision,
    Launching launching,
    OptionalInt stepsAtOnce) {
  /** The implementation that multiplies matrices. */
  public enum Multiplier {
    /** cuBLAS where it is found, and otherwise our own kernels. */
    AUTO,
    /** NVIDIA's library cuBLAS, without which the device is not opened. */
    CUBLAS,
    /** Our own kernels. */
    PTX
  }

  /** The implementation of what a layer does besides products. */
  public enum Activator {
    /** Our own kernels. */
    PTX,
    /** NVIDIA's library cuDNN, without which the device is not opened. */
    CUDNN
  }

  /** The way in which a training step runs. */
  public enum StepKind {
    /** The device chooses by network, batch and what multiplies. */
    AUTO,
    /** A step is launched operation by operation. */
    LAYERED,
    /** A step is a few kernels of our own. */
    FUSED,
    /**
     * One kernel of our own takes many steps, in single precision, from a resident set or from a
     * feed whose batches lie one after another, as those of distorted images do.
     */
    PERSISTENT
  }

  /** The way in which batches come to the device. */
  public enum FeedKind {
    /** The device chooses. */
    AUTO,
    /** Batches are streamed through page-locked memory. */
    PINNED,
    /** The set lies on the device as a whole. */
    RESIDENT
  }

  /** The way in which the kernels of a step are launched. */
  public enum Launching {
    /** A step is recorded as a CUDA graph and replayed. */
    GRAPH,
    /** Each kernel is launched by itself. */
    SINGLE,
    /** Each kernel is launched by itself and waited for, so that the one that fails is known. */
    CHECKED;

    /** This way, or {@link #SINGLE} in place of a graph: some kernels cannot be recorded. */
    public Launching withoutGraph() {
      return this == GRAPH ? SINGLE : this;
    }
  }

  /** The options of a run that asks for nothing. */
  public static final CudaOptions DEFAULT =
      new CudaOptions(
          Multiplier.AUTO,
          Activator.PTX,
          StepKind.AUTO,
          FeedKind.AUTO,
          Precision.FP32,
          Launching.GRAPH,
          OptionalInt.empty());

  /** Checks that persistent steps are in single precision. */
  public CudaOptions {
    if (step == StepKind.PERSISTENT && precision != Precision.FP32) {
      throw new IllegalArgumentException(
          "persistent steps must be in fp32, found " + precision.label());
    }
  }

  /** Options of layered steps in single precision, with our own kernels besides products. */
  public static CudaOptions layered(Multiplier multiplier, FeedKind feed, Launching launching) {
    return DEFAULT.with(multiplier).with(StepKind.LAYERED).with(feed).with(launching);
  }

  /** A copy of these options with products by another implementation. */
  public CudaOptions with(Multiplier other) {
    return new CudaOptions(other, activator, step, feed, precision, launching, stepsAtOnce);
  }

  /** A copy of these options with bias and activations by another implementation. */
  public CudaOptions with(Activator other) {
    return new CudaOptions(multiplier, other, step, feed, precision, launching, stepsAtOnce);
  }

  /** A copy of these options with another kind of step. */
  public CudaOptions with(StepKind other) {
    return new CudaOptions(multiplier, activator, other, feed, precision, launching, stepsAtOnce);
  }

  /** A copy of these options with another way for batches to the device. */
  public CudaOptions with(FeedKind other) {
    return new CudaOptions(multiplier, activator, step, other, precision, launching, stepsAtOnce);
  }

  /** A copy of these options with products of another precision. */
  public CudaOptions with(Precision other) {
    return new CudaOptions(multiplier, activator, step, feed, other, launching, stepsAtOnce);
  }

  /** A copy of these options with another way to launch kernels. */
  public CudaOptions with(Launching other) {
    return new CudaOptions(multiplier, activator, step, feed, precision, other, stepsAtOnce);
  }

  /** A copy of these options with that number of training steps in a graph or a launch. */
  public CudaOptions withStepsAtOnce(int steps) {
    return new CudaOptions(
        multiplier, activator, step, feed, precision, launching, OptionalInt.of(steps));
  }
}
