package mlpcuda.benchmarks;

import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.files.CacheFolder;

/** The devices that a benchmark's parameter names. */
final class Devices {
  private Devices() {}

  /**
   * Opens {@code cpu} or a way of using GPU 0: {@code gpu} multiplies by cuBLAS where it is found,
   * {@code gpu-ptx} does all by our own kernels, and {@code gpu-cudnn} is as {@code gpu}, but with
   * cuDNN for biases, activations and log-softmax. The caller closes it.
   *
   * @throws mlpcuda.error.DeviceException where there is none that works
   */
  static Ops open(String name) {
    return switch (name) {
      case "cpu" -> new CpuOps();
      case "gpu" -> gpu(CudaOptions.DEFAULT);
      case "gpu-ptx" -> gpu(CudaOptions.layered(Multiplier.PTX, FeedKind.PINNED, Launching.GRAPH));
      case "gpu-cudnn" -> gpu(CudaOptions.DEFAULT.with(Activator.CUDNN));
      default ->
          throw new IllegalArgumentException(
              "device must be cpu, gpu, gpu-ptx or gpu-cudnn, found " + name);
    };
  }

  /** Opens GPU 0; JCuda's libraries are unpacked to the program's folder for native libraries. */
  private static Ops gpu(CudaOptions options) {
    return new CudaOps(new CudaDevices(CacheFolder.natives()).open(0), options);
  }
}
