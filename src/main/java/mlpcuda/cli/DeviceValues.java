package mlpcuda.cli;

import java.util.Locale;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOptions;

/** The values of options of the device, spelt as the command line and its help show them. */
final class DeviceValues {
  private DeviceValues() {}

  /** The way in which a GPU runs a training step, as the option names it. */
  enum StepName {
    auto,
    layered,
    fused,
    persistent;

    CudaOptions.StepKind step() {
      return CudaOptions.StepKind.valueOf(name().toUpperCase(Locale.ROOT));
    }
  }

  /** The format to which the operands of products are rounded, as the option names it. */
  enum PrecisionName {
    fp32,
    tf32,
    bf16,
    fp16;

    Precision precision() {
      return Precision.valueOf(name().toUpperCase(Locale.ROOT));
    }
  }

  /** The way in which batches come to a GPU, as the option names it. */
  enum FeedName {
    auto,
    pinned,
    resident;

    CudaOptions.FeedKind feed() {
      return CudaOptions.FeedKind.valueOf(name().toUpperCase(Locale.ROOT));
    }
  }

  /** The implementation that multiplies on a GPU, as the option names it. */
  enum GemmName {
    cublas,
    ptx;

    CudaOptions.Multiplier multiplier() {
      return CudaOptions.Multiplier.valueOf(name().toUpperCase(Locale.ROOT));
    }
  }

  /** The implementation of what a layer does besides products on a GPU, as the option names it. */
  enum KernelsName {
    ptx,
    cudnn;

    CudaOptions.Activator activator() {
      return CudaOptions.Activator.valueOf(name().toUpperCase(Locale.ROOT));
    }
  }
}
