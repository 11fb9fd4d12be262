package mlpcuda.cli;

import java.util.Locale;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.Gpus;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What computes. */
final class DeviceOptions {
  /** More than machines have processors, and less than makes them fail. */
  private static final int MAX_THREADS = 1024;

  /** Who multiplies on a GPU, as the option names it. */
  enum GemmName {
    cublas,
    ptx
  }

  /** Who computes what a layer does besides products on a GPU, as the option names it. */
  enum KernelsName {
    ptx,
    cudnn
  }

  /** How batches come to a GPU, as the option names it. */
  enum FeedName {
    pinned,
    resident
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--gpu",
      paramLabel = "N",
      converter = Converters.NotNegative.class,
      description = "Use the NVIDIA GPU of that index, or fail. Default: GPU 0, else the CPU.")
  private Integer gpu;

  @Option(names = "--cpu", description = "Use the CPU.")
  private boolean cpu;

  @Option(
      names = "--threads",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Threads of the CPU device. Default: all processors.")
  private Integer threads;

  @Option(
      names = "--gemm",
      paramLabel = "cublas|ptx",
      description = "Who multiplies on the GPU. Default: cuBLAS where it is found, else ptx.")
  private GemmName gemm;

  @Option(
      names = "--kernels",
      paramLabel = "ptx|cudnn",
      description = "Who adds biases and computes activations on the GPU. Default: ptx.")
  private KernelsName kernels;

  @Option(
      names = "--feed",
      paramLabel = "pinned|resident",
      description = "Stream batches to the GPU, or keep the whole set there. Default: pinned.")
  private FeedName feed;

  @Option(names = "--no-graph", description = "Launch each kernel, without a CUDA graph.")
  private boolean noGraph;

  @Option(
      names = "--sync-check",
      description = "Wait after each launch on the GPU, to find the one that fails; no graph.")
  private boolean syncCheck;

  private String reason;
  private int opened; // index of the GPU; −1: the CPU

  /** Refuses what can be refused before any file is read. */
  void check() {
    if (gpu != null && cpu) {
      throw refused("--gpu and --cpu exclude each other, found both");
    }
    if (threads != null && gpu != null) {
      throw refused("--threads is of the CPU and excludes --gpu, found both");
    }
    if ((cpu || threads != null) && asksForGpu()) {
      throw refused(
          "--gemm, --kernels, --feed, --no-graph and --sync-check are of the GPU, found one with"
              + " --cpu or --threads");
    }
    if (threads != null && threads > MAX_THREADS) {
      throw refused(
          "Invalid value for option '--threads': must be at most %d, found %d"
              .formatted(MAX_THREADS, threads));
    }
  }

  /** Whether an option is given that only a GPU can follow. */
  private boolean asksForGpu() {
    return gemm != null || kernels != null || feed != null || noGraph || syncCheck;
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** Opens the device; the caller closes it. */
  Ops open() {
    if (cpu || threads != null) {
      reason = cpu ? "--cpu" : "--threads " + threads;
      return cpuOps();
    }
    Gpus gpus = main().gpus();
    if (gpu != null || asksForGpu()) {
      opened = gpu != null ? gpu : 0;
      reason = gpu != null ? "--gpu " + gpu : "an option of the GPU is given";
      return cudaOps(gpus);
    }
    try {
      opened = 0;
      Ops ops = cudaOps(gpus);
      reason = "--cpu would train on the CPU";
      return ops;
    } catch (DeviceException e) {
      reason = "no GPU is used: " + e.why();
      return cpuOps();
    }
  }

  private Main main() {
    return (Main) spec.root().userObject();
  }

  /** Of the program. */
  StartUp startUp() {
    return main().startUp();
  }

  private Ops cudaOps(Gpus gpus) {
    gpus.load();
    startUp().ended("natives");
    return new CudaOps(gpus.open(opened), options());
  }

  private CudaOptions options() {
    return new CudaOptions(
        gemm == null ? null : CudaOptions.Gemm.valueOf(gemm.name().toUpperCase(Locale.ROOT)),
        kernels(kernels),
        feed == FeedName.resident,
        !noGraph && !syncCheck,
        syncCheck);
  }

  private static CudaOptions.Kernels kernels(KernelsName name) {
    return name == KernelsName.cudnn ? CudaOptions.Kernels.CUDNN : CudaOptions.Kernels.PTX;
  }

  private Ops cpuOps() {
    opened = -1;
    CpuOps.load();
    startUp().ended("natives");
    return threads == null ? new CpuOps() : new CpuOps(threads);
  }

  /** Chooses what another run had: the GPU of that index, or, for −1, the CPU. */
  void choose(int gpuIndex, int threadCount) {
    cpu = gpuIndex < 0;
    gpu = cpu ? null : Integer.valueOf(gpuIndex);
    threads = cpu ? Integer.valueOf(threadCount) : null;
  }

  /** What {@link #open} opened: the index of a GPU; −1: the CPU. */
  int gpuIndex() {
    return opened;
  }

  /** Threads of the CPU device: parts of sums depend on them. */
  int threadCount() {
    return threads != null ? threads : Runtime.getRuntime().availableProcessors();
  }

  /** Why the device is what {@link #open} opened. */
  String reason() {
    return reason;
  }
}
