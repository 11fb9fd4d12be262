package mlpcuda.benchmarks;

import java.nio.file.Path;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;

/** The devices that a benchmark's parameter names. */
final class Devices {
  private Devices() {}

  /**
   * Opens {@code cpu} or {@code gpu}, which is GPU 0; the caller closes it.
   *
   * @throws mlpcuda.compute.DeviceException where there is none that works
   */
  static Ops open(String name) {
    return switch (name) {
      case "cpu" -> new CpuOps();
      case "gpu" ->
          new CudaOps(
              new CudaDevices(Path.of(System.getProperty("java.io.tmpdir"), "mlp-cuda-natives"))
                  .open(0),
              CudaOptions.DEFAULT);
      default -> throw new IllegalArgumentException("device must be cpu or gpu, found " + name);
    };
  }
}
