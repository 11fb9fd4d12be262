package mlpcuda.cli;

import java.util.List;
import mlpcuda.cli.DeviceValues.FeedName;
import mlpcuda.cli.DeviceValues.PrecisionName;
import mlpcuda.cli.DeviceValues.StepName;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.DeviceException;
import mlpcuda.run.DeviceChoice;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the device that computes. */
final class DeviceOptions {
  /**
   * The most steps of a CUDA graph: more would make the graph and the memory of its batches large,
   * and save nothing.
   */
  private static final int MAX_STEPS = 100;

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
      names = "--precision",
      paramLabel = "fp32|tf32|bf16|fp16",
      description =
          "What the operands of products are rounded to, on a GPU for its tensor cores. Default:"
              + " fp32, no rounding.")
  private PrecisionName precision;

  @Option(
      names = "--step",
      paramLabel = "auto|layered|fused|persistent",
      description =
          "Ask the GPU for a training step operation by operation, in three kernels of our own, or"
              + " for many steps in one kernel, from a resident set. Default: auto: layered with"
              + " cuBLAS or cuDNN, in long batches and where steps cannot be fused, else fused; the"
              + " line of the device says why.")
  private StepName step = StepName.auto;

  @Option(
      names = "--feed",
      paramLabel = "auto|pinned|resident",
      description =
          "Stream batches to the GPU, or keep the whole set there. Default: auto, which is pinned,"
              + " but resident with --step persistent.")
  private FeedName feed = FeedName.auto;

  @Mixin private MeasuringOptions measuring = new MeasuringOptions();

  /** Refuses options that can be refused before any file is read. */
  void check() {
    if (gpu != null && cpu) {
      throw refused("--gpu and --cpu exclude each other, found both");
    }
    if (threads != null && gpu != null) {
      throw refused("--threads is of the CPU and excludes --gpu, found both");
    }
    if ((cpu || threads != null) && asksForGpu()) {
      throw refused(
          "--gemm, --kernels, --step, --feed, --no-graph, --steps-per-launch and --sync-check are of"
              + " the GPU, found one with --cpu or --threads");
    }
    if (step == StepName.persistent && feed == FeedName.pinned) {
      throw refused("--step persistent needs the whole set on the GPU, found --feed pinned");
    }
    if (step == StepName.persistent && precision() != Precision.FP32) {
      throw refused("--step persistent computes in fp32, found --precision " + precision().label());
    }
    Integer stepsPerLaunch = measuring.stepsPerLaunch;
    if (stepsPerLaunch != null && (measuring.noGraph || measuring.syncCheck)) {
      throw refused("--steps-per-launch is of a CUDA graph, found --no-graph or --sync-check too");
    }
    if (stepsPerLaunch != null && stepsPerLaunch > MAX_STEPS) {
      throw refused(
          "Invalid value for option '--steps-per-launch': must be at most %d, found %d"
              .formatted(MAX_STEPS, stepsPerLaunch));
    }
    if (threads != null && threads > DeviceChoice.Cpu.MAX_THREADS) {
      throw refused(
          "Invalid value for option '--threads': must be at most %d, found %d"
              .formatted(DeviceChoice.Cpu.MAX_THREADS, threads));
    }
  }

  /** Whether an option is given that only a GPU can follow. */
  private boolean asksForGpu() {
    return step != StepName.auto || feed != FeedName.auto || measuring.given();
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** Opens the device; the caller closes it. */
  OpenDevice open() {
    if (cpu || threads != null) {
      return open(onCpu(), cpu ? "--cpu" : "--threads " + threads);
    }
    if (gpu != null || asksForGpu()) {
      String reason = gpu != null ? "--gpu " + gpu : "an option of the GPU is given";
      return open(new DeviceChoice.Gpu(gpu != null ? gpu : 0, options()), reason);
    }
    try {
      return open(new DeviceChoice.Gpu(0, options()), "--cpu would train on the CPU");
    } catch (DeviceException e) {
      return open(onCpu(), "no GPU is used: " + e.why());
    }
  }

  /** Opens the device of a run that goes on, which the options may have changed. */
  OpenDevice open(DeviceChoice of) {
    return open(of, of instanceof DeviceChoice.Gpu onGpu ? "--gpu " + onGpu.index() : "--cpu");
  }

  private OpenDevice open(DeviceChoice choice, String reason) {
    StartUp startUp = context().startUp();
    Ops ops;
    if (choice instanceof DeviceChoice.Gpu onGpu) {
      Gpus gpus = context().gpus();
      gpus.load();
      startUp.ended("natives");
      ops = new CudaOps(gpus.open(onGpu.index()), onGpu.options());
    } else {
      CpuOps.load();
      startUp.ended("natives");
      ops = new CpuOps(((DeviceChoice.Cpu) choice).threads(), choice.precision());
    }
    return new OpenDevice(ops, choice, reason);
  }

  private DeviceChoice onCpu() {
    return new DeviceChoice.Cpu(threadCount(), options());
  }

  /**
   * The device of a run that goes on: the device that the options name, or else the run's former
   * device. How a GPU is used, and the precision, do not change.
   */
  DeviceChoice changed(DeviceChoice former) {
    if (gpu != null) {
      return new DeviceChoice.Gpu(gpu, former.options());
    }
    if (!cpu && threads == null) {
      return former;
    }
    // The threads of another machine's GPU run say nothing of this one's processors.
    int count =
        threads == null && former instanceof DeviceChoice.Cpu before
            ? before.threads()
            : threadCount();
    return new DeviceChoice.Cpu(count, former.options());
  }

  /**
   * The device of a run that a version before 0.2.0 began with these options.
   *
   * @param gpuIndex the GPU that the run is on; −1: the CPU
   */
  DeviceChoice former(int gpuIndex, int threadCount) {
    return gpuIndex < 0
        ? new DeviceChoice.Cpu(threadCount, options())
        : new DeviceChoice.Gpu(gpuIndex, options());
  }

  private Context context() {
    return (Context) spec.root().userObject();
  }

  /** The times of the program's start. */
  StartUp startUp() {
    return context().startUp();
  }

  /** The ways of using an opened GPU that the options leave open; none for the CPU. */
  List<GpuWay> ways(DeviceChoice opened) {
    return opened instanceof DeviceChoice.Gpu onGpu
        ? GpuWay.list(
            onGpu,
            context().gpus(),
            new GpuWay.Chosen(measuring.kernels != null, precision != null))
        : List.of();
  }

  private CudaOptions options() {
    CudaOptions options =
        CudaOptions.DEFAULT
            .with(step.step())
            .with(feed.feed())
            .with(precision())
            .with(measuring.launching());
    if (measuring.gemm != null) {
      options = options.with(measuring.gemm.multiplier());
    }
    if (measuring.kernels != null) {
      options = options.with(measuring.kernels.activator());
    }
    if (measuring.stepsPerLaunch != null) {
      options = options.withStepsAtOnce(measuring.stepsPerLaunch);
    }
    return options;
  }

  private Precision precision() {
    return precision == null ? Precision.FP32 : precision.precision();
  }

  /** The number of threads of the CPU device, on which parts of sums depend. */
  private int threadCount() {
    return threads != null ? threads : Runtime.getRuntime().availableProcessors();
  }
}
