package mlpcuda.benchmarks;

import java.nio.file.Path;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.data.PublishedDataset;

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
      case "gpu" -> gpu(CudaOptions.DEFAULT);
      default -> throw new IllegalArgumentException("device must be cpu or gpu, found " + name);
    };
  }

  /** Its natives lie where the program's do: in a folder of the user's own. */
  private static Ops gpu(CudaOptions options) {
    Path cache = PublishedDataset.cacheRoot(System.getenv(), System.getProperty("user.home"));
    return new CudaOps(new CudaDevices(cache.resolve("natives")).open(0), options);
  }
}
