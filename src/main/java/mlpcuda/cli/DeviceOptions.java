package mlpcuda.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.Gpus;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the device that computes. */
final class DeviceOptions {
  /** The most threads: more than machines have processors, and fewer than make them fail. */
  private static final int MAX_THREADS = 1024;

  /**
   * The most steps of a graph: more would make it and its batches' memory large, and save nothing.
   */
  private static final int MAX_STEPS = 100;

  private static final boolean[] GRAPH_OR_NOT = {true, false};
  private static final boolean[] NO_GRAPH = {false};

  /** The precisions other than the default. */
  private static final List<PrecisionName> OTHER_PRECISIONS =
      List.of(PrecisionName.tf32, PrecisionName.bf16, PrecisionName.fp16);

  /** The implementation that multiplies on a GPU, as the option names it. */
  enum GemmName {
    cublas,
    ptx
  }

  /** The implementation of what a layer does besides products on a GPU, as the option names it. */
  enum KernelsName {
    ptx,
    cudnn
  }

  /** The way in which a GPU runs a training step, as the option names it. */
  enum StepName {
    layered,
    fused,
    persistent
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
      names = "--precision",
      paramLabel = "fp32|tf32|bf16|fp16",
      description =
          "What the operands of products are rounded to, on a GPU for its tensor cores. Default:"
              + " fp32, no rounding.")
  private PrecisionName precision;

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
      names = "--step",
      paramLabel = "layered|fused|persistent",
      description =
          "Ask the GPU for a training step operation by operation, in three kernels of our own, or"
              + " for many steps in one kernel, which takes --feed resident. Default: layered where"
              + " cuBLAS multiplies or --kernels is cudnn, else fused.")
  private StepName step;

  @Option(
      names = "--feed",
      paramLabel = "pinned|resident",
      description =
          "Stream batches to the GPU, or keep the whole set there. Default: pinned, but resident"
              + " with --step persistent.")
  private FeedName feed;

  @Option(names = "--no-graph", description = "Launch each kernel, without a CUDA graph.")
  private boolean noGraph;

  @Option(
      names = "--steps-per-launch",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description =
          "Training steps of a CUDA graph, or of a launch with --step persistent. Default: 8, fewer"
              + " of large batches; persistent 100.")
  private Integer stepsPerLaunch;

  @Option(
      names = "--sync-check",
      description = "Wait after each launch on the GPU, to find the one that fails; no graph.")
  private boolean syncCheck;

  private String reason;
  private int opened; // index of the GPU; −1: the CPU

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
    if (stepsPerLaunch != null && (noGraph || syncCheck)) {
      throw refused("--steps-per-launch is of a CUDA graph, found --no-graph or --sync-check too");
    }
    if (stepsPerLaunch != null && stepsPerLaunch > MAX_STEPS) {
      throw refused(
          "Invalid value for option '--steps-per-launch': must be at most %d, found %d"
              .formatted(MAX_STEPS, stepsPerLaunch));
    }
    if (threads != null && threads > MAX_THREADS) {
      throw refused(
          "Invalid value for option '--threads': must be at most %d, found %d"
              .formatted(MAX_THREADS, threads));
    }
  }

  /** Whether an option asks for fused steps by name. */
  boolean asksForFusedSteps() {
    return step == StepName.fused;
  }

  /** Whether an option asks for many steps in one kernel. */
  boolean asksForPersistentSteps() {
    return step == StepName.persistent;
  }

  /** Whether an option is given that only a GPU can follow. */
  private boolean asksForGpu() {
    return gemm != null
        || kernels != null
        || step != null
        || feed != null
        || noGraph
        || stepsPerLaunch != null
        || syncCheck;
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

  /** The times of the program's start. */
  StartUp startUp() {
    return main().startUp();
  }

  private Ops cudaOps(Gpus gpus) {
    gpus.load();
    startUp().ended("natives");
    return new CudaOps(gpus.open(opened), options());
  }

  /**
   * A way of using the GPU.
   *
   * @param gemm what multiplies
   * @param kernels what does the rest of a layer
   * @param precision the precision of the operands of products
   * @param part a part of it that the device may lack and that is not in the ways before: a
   *     library, or the precision; null: there is none
   * @param opener opens the device in this way
   */
  record Way(
      GemmName gemm,
      KernelsName kernels,
      StepName step,
      FeedName feed,
      boolean graph,
      PrecisionName precision,
      Enum<?> part,
      Supplier<Ops> opener) {
    /** Opens the GPU in this way; the caller closes it. */
    Ops open() {
      return opener.get();
    }

    @Override
    public String toString() {
      String with = kernels == KernelsName.cudnn ? " with cudnn" : "";
      String how =
          switch (step) {
            case layered -> graph ? "CUDA graph" : "no graph";
            case fused -> (graph ? "CUDA graph" : "no graph") + ", fused step";
            case persistent -> "persistent step"; // nothing is recorded
          };
      String rounded = precision == PrecisionName.fp32 ? "" : ", " + precision;
      return "%s%s, %s feed, %s%s".formatted(gemm, with, feed, how, rounded);
    }
  }

  /**
   * The ways of using the GPU that {@link #open} opened which the options leave open, the default
   * first: with each GEMM, each feed, with and without graph; and, as far as the rest is the
   * default, each GEMM with cuDNN, the fused and the persistent step, and each precision with each
   * GEMM. There are none for the CPU.
   */
  List<Way> ways() {
    var ways = new ArrayList<Way>();
    if (opened < 0) {
      return ways;
    }
    StepName asked = step == null ? StepName.layered : step;
    boolean persistent = asked == StepName.persistent; // resident, and without a graph
    PrecisionName rounded = precision == null ? PrecisionName.fp32 : precision;
    KernelsName with = kernels == null ? KernelsName.ptx : kernels;
    for (GemmName by : gemm == null ? GemmName.values() : new GemmName[] {gemm}) {
      for (FeedName from : feeds(persistent)) {
        for (boolean graph : noGraph || syncCheck || persistent ? NO_GRAPH : GRAPH_OR_NOT) {
          ways.add(way(by, with, asked, from, graph, rounded));
        }
      }
    }
    Way first = ways.get(0);
    List<GemmName> multiply =
        ways.stream()
            .filter(way -> way.feed == first.feed && way.graph == first.graph)
            .map(Way::gemm)
            .toList();
    if (kernels == null) {
      for (GemmName by : multiply) {
        ways.add(way(by, KernelsName.cudnn, asked, first.feed, first.graph, rounded));
      }
    }
    if (step == null) {
      GemmName own = gemm == null ? GemmName.ptx : gemm;
      ways.add(way(own, first.kernels, StepName.fused, first.feed, first.graph, rounded));
      if (feed != FeedName.pinned && rounded == PrecisionName.fp32) {
        ways.add(way(own, first.kernels, StepName.persistent, FeedName.resident, false, rounded));
      }
    }
    if (precision == null && !persistent) {
      for (PrecisionName other : OTHER_PRECISIONS) {
        for (GemmName by : multiply) {
          ways.add(way(by, first.kernels, asked, first.feed, first.graph, other));
        }
      }
    }
    return ways;
  }

  private FeedName[] feeds(boolean persistent) {
    if (feed != null || persistent) {
      return new FeedName[] {persistent ? FeedName.resident : feed};
    }
    return FeedName.values();
  }

  private Way way(
      GemmName by,
      KernelsName with,
      StepName how,
      FeedName from,
      boolean graph,
      PrecisionName rounded) {
    var options =
        new CudaOptions(
            gemm(by),
            kernels(with),
            step(how),
            rounded.precision(),
            from == FeedName.resident,
            graph,
            stepsAtOnce(),
            syncCheck);
    Enum<?> part = null;
    if (precision == null && rounded != PrecisionName.fp32) {
      part = rounded; // the lack of a GEMM was found out before
    } else if (kernels == null && with == KernelsName.cudnn) {
      part = with;
    } else if (gemm == null && by == GemmName.cublas) {
      part = by;
    }
    return new Way(
        by,
        with,
        how,
        from,
        graph,
        rounded,
        part,
        () -> new CudaOps(main().gpus().open(opened), options));
  }

  private static CudaOptions.Gemm gemm(GemmName name) {
    return name == null ? null : CudaOptions.Gemm.valueOf(name.name().toUpperCase(Locale.ROOT));
  }

  private CudaOptions options() {
    return new CudaOptions(
        gemm(gemm),
        kernels(kernels),
        step(step),
        precision(),
        feed == FeedName.resident || step == StepName.persistent,
        !noGraph && !syncCheck,
        stepsAtOnce(),
        syncCheck);
  }

  private Precision precision() {
    return precision == null ? Precision.FP32 : precision.precision();
  }

  private int stepsAtOnce() {
    return stepsPerLaunch == null ? 0 : stepsPerLaunch;
  }

  private static CudaOptions.Step step(StepName name) {
    return name == null ? null : CudaOptions.Step.valueOf(name.name().toUpperCase(Locale.ROOT));
  }

  private static CudaOptions.Kernels kernels(KernelsName name) {
    return name == KernelsName.cudnn ? CudaOptions.Kernels.CUDNN : CudaOptions.Kernels.PTX;
  }

  private Ops cpuOps() {
    opened = -1;
    CpuOps.load();
    startUp().ended("natives");
    return new CpuOps(threadCount(), precision());
  }

  /**
   * Chooses the device of another run: the GPU of that index, or, for −1, the CPU. On the CPU it
   * drops the options that only a GPU can follow.
   */
  void choose(int gpuIndex, int threadCount) {
    cpu = gpuIndex < 0;
    gpu = cpu ? null : Integer.valueOf(gpuIndex);
    threads = cpu ? Integer.valueOf(threadCount) : null;
    if (cpu) {
      gemm = null;
      kernels = null;
      step = null;
      feed = null;
      noGraph = false;
      stepsPerLaunch = null;
      syncCheck = false;
    }
  }

  /** The GPU that the options name, or else {@code gpuIndex}, for −1 the CPU. */
  int gpuOr(int gpuIndex) {
    if (gpu != null) {
      return gpu;
    }
    return cpu || threads != null ? -1 : gpuIndex;
  }

  /** The threads that the options name, or else {@code threadCount}. */
  int threadsOr(int threadCount) {
    return threads != null ? threads : threadCount;
  }

  /** The device that {@link #open} opened: the index of a GPU; −1: the CPU. */
  int gpuIndex() {
    return opened;
  }

  /** The number of threads of the CPU device, on which parts of sums depend. */
  int threadCount() {
    return threadsOr(Runtime.getRuntime().availableProcessors());
  }

  /** The reason why {@link #open} opened that device. */
  String reason() {
    return reason;
  }
}
