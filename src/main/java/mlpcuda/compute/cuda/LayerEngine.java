package mlpcuda.compute.cuda;

import java.util.Map;
import java.util.Optional;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.error.DeviceException;

/**
 * The implementations that compute layers: one multiplies, the other one computes bias, activations
 * and log-softmax. They are our own kernels or libraries of NVIDIA's, as the options ask.
 */
final class LayerEngine implements AutoCloseable {
  private final Resources resources = new Resources();
  private final CudaOptions options;
  private final Optional<RoundedOperands> rounded;
  private final Gemm gemm;
  private final Nonlinear nonlinear;
  private String note = ""; // says that cuBLAS was looked for in vain, and why

  /**
   * Opens the implementations.
   *
   * @param layers the module layers, which is closed by its maker
   * @throws DeviceException if a library is asked for and not found
   */
  LayerEngine(
      LaunchStream stream, KernelModules modules, KernelModule layers, CudaOptions options) {
    this.options = options;
    CudaDriver driver = stream.driver();
    Precision precision = options.precision();
    rounded =
        precision == Precision.FP32
            ? Optional.empty()
            : Optional.of(new RoundedOperands(driver, layers, precision));
    var own = new PtxNonlinear(layers, rounded);
    try {
      nonlinear =
          resources.add(
              options.activator() == Activator.CUDNN
                  ? new CudnnNonlinear(driver.openDnn(stream.handle()), own, stream, rounded)
                  : own);
      gemm = resources.add(openGemm(stream, modules));
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private Gemm openGemm(LaunchStream stream, KernelModules modules) {
    CudaDriver driver = stream.driver();
    if (options.multiplier() != Multiplier.PTX) {
      try {
        Blas blas = driver.openBlas(stream.handle(), options.precision());
        return new CublasGemm(blas, nonlinear, rounded);
      } catch (DeviceException e) {
        if (options.multiplier() == Multiplier.CUBLAS) {
          throw e;
        }
        note = ": " + e.why();
      }
    }
    var own = new PtxGemm(driver, modules, rounded);
    return nonlinear instanceof CudnnNonlinear cudnn ? new UnfusedGemm(own, cudnn) : own;
  }

  /** The rounded copies of operands; empty in single precision. */
  Optional<RoundedOperands> rounded() {
    return rounded;
  }

  /** The implementation that multiplies. */
  Gemm gemm() {
    return gemm;
  }

  /** The implementation of bias, activations and log-softmax. */
  Nonlinear nonlinear() {
    return nonlinear;
  }

  /** Describes both implementations as a part of a line for people. */
  String description() {
    return "%s%s%s%s"
        .formatted(
            gemm.description(),
            options.precision() == Precision.FP32 ? "" : " of " + options.precision().label(),
            note,
            nonlinear.activator() == Activator.CUDNN ? ", " + nonlinear.description() : "");
  }

  /** Adds the versions of NVIDIA's libraries that are used, by their names. */
  void addVersions(Map<String, String> versions) {
    if (gemm.multiplier() == Multiplier.CUBLAS) {
      versions.put("cuBLAS", gemm.description().replace("cuBLAS ", ""));
    }
    if (nonlinear.activator() == Activator.CUDNN) {
      versions.put("cuDNN", nonlinear.description().replace("cuDNN ", ""));
    }
  }

  @Override
  public void close() {
    resources.close();
  }
}
