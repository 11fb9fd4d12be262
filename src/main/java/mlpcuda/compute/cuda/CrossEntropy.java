package mlpcuda.compute.cuda;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * The loss of a batch, by one launch or two.
 *
 * @param kernels the module layers, which is closed by its maker
 * @param rounded the copies that are written with the gradient; empty in single precision
 */
record CrossEntropy(KernelModule kernels, Optional<RoundedOperands> rounded) {
  /** The most rows whose losses one block takes: that saves a launch, and is as fast. */
  private static final int ROWS_OF_ONE_BLOCK = 256;

  /** Launches what {@link mlpcuda.compute.Ops#crossEntropyForward} does. */
  void forward(
      LossOutputs outputs,
      Buffer x,
      Targets targets,
      Buffer step,
      Optional<Buffer> scaling,
      int B,
      int C,
      float smoothing) {
    Buffer log = outputs.log();
    int S = log.length() / 2;
    boolean one = B <= ROWS_OF_ONE_BLOCK;
    kernels.launch(
        "cross_entropy_forward",
        one ? Shape.of(1, Math.min(1024, KernelModule.WARP * B)) : KernelModule.coverRows(B),
        gradient(outputs)
            .add(log, outputs.losses(), x, targets.y())
            .add(targets.weights())
            .add(step)
            .add(scaling)
            .add("B", B)
            .add("C", C)
            .add("S", S)
            .add(rounded.map(RoundedOperands::precision).orElse(Precision.FP32))
            .add(smoothing));
    if (!one) {
      kernels.launch(
          "log_losses",
          Shape.of(1, 1024),
          new Arguments().add(log, outputs.losses(), step).add("B", B).add("S", S));
    }
  }

  /**
   * The addresses of the gradient and of its rounded copy, or null pointers if it is not wanted.
   */
  private Arguments gradient(LossOutputs outputs) {
    return outputs
        .dx()
        .map(dx -> RoundedOperands.withCopy(rounded, DeviceBuffer.address(dx)))
        .orElseGet(() -> new Arguments().address(0).address(0));
  }
}
