package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.DeviceException;
import picocli.CommandLine.Mixin;
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

  /** The steps that benchmark measures beside layered ones. */
  private static final List<CudaOptions.StepKind> OTHER_STEPS =
      List.of(CudaOptions.StepKind.FUSED, CudaOptions.StepKind.PERSISTENT);

  /** The precisions other than the default. */
  private static final List<Precision> OTHER_PRECISIONS =
      List.of(Precision.TF32, Precision.BF16, Precision.FP16);

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
    Integer stepsPerLaunch = measuring.stepsPerLaunch;
    if (stepsPerLaunch != null && (measuring.noGraph || measuring.syncCheck)) {
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

  /** Whether an option is given that only a GPU can follow. */
  private boolean asksForGpu() {
    return step != StepName.auto || feed != FeedName.auto || measuring.given();
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
   * @param part a part of it that the device may lack and that is not in the ways before: a
   *     library, or the precision; null: there is none
   * @param opener opens the device in this way
   */
  record Way(CudaOptions options, Enum<?> part, Supplier<Ops> opener) {
    /** Opens the GPU in this way; the caller closes it. */
    Ops open() {
      return opener.get();
    }

    /** Whether a part of it is one of these. */
    boolean needsOneOf(Set<Enum<?>> parts) {
      return Stream.of(options.multiplier(), options.activator(), options.precision())
          .anyMatch(parts::contains);
    }

    /** The name of {@link #part}, or of the whole way if that is null. */
    String named() {
      return part == null ? toString() : name(part);
    }

    private static String name(Enum<?> part) {
      return part.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
      String graph = options.launching() == CudaOptions.Launching.GRAPH ? "CUDA graph" : "no graph";
      String how =
          switch (options.step()) {
            case LAYERED, AUTO -> graph;
            case FUSED -> graph + ", fused step";
            case PERSISTENT -> "persistent step"; // nothing is recorded
          };
      Precision rounded = options.precision();
      return "%s%s, %s feed, %s%s"
          .formatted(
              name(options.multiplier()),
              options.activator() == CudaOptions.Activator.CUDNN ? " with cudnn" : "",
              name(options.feed()),
              how,
              rounded == Precision.FP32 ? "" : ", " + name(rounded));
    }
  }

  /**
   * The ways of using the GPU that {@link #open} opened which the options leave open: layered steps
   * with each GEMM, each feed, with and without graph; and, as far as the rest is as in the first,
   * each GEMM with cuDNN, the other steps, and each precision with each GEMM. There are none for
   * the CPU.
   */
  List<Way> ways() {
    var ways = new ArrayList<Way>();
    if (opened < 0) {
      return ways;
    }
    CudaOptions base = options();
    boolean persistent = step == StepName.persistent; // resident, and without a graph
    List<CudaOptions.Multiplier> multiply =
        base.multiplier() == CudaOptions.Multiplier.AUTO
            ? List.of(CudaOptions.Multiplier.CUBLAS, CudaOptions.Multiplier.PTX)
            : List.of(base.multiplier());
    List<CudaOptions.FeedKind> feeds = List.of(base.feed());
    if (persistent) {
      feeds = List.of(CudaOptions.FeedKind.RESIDENT);
    } else if (feed == FeedName.auto) {
      feeds = List.of(CudaOptions.FeedKind.PINNED, CudaOptions.FeedKind.RESIDENT);
    }
    base = base.with(step == StepName.auto ? CudaOptions.StepKind.LAYERED : base.step());
    Set<CudaOptions.Launching> launchings = new LinkedHashSet<>();
    if (!persistent) {
      launchings.add(base.launching());
    }
    launchings.add(base.launching().withoutGraph());
    for (CudaOptions.Multiplier by : multiply) {
      for (CudaOptions.FeedKind from : feeds) {
        for (CudaOptions.Launching launching : launchings) {
          ways.add(way(base.with(by).with(from).with(launching)));
        }
      }
    }
    CudaOptions first = ways.get(0).options();
    if (measuring.kernels == null) {
      for (CudaOptions.Multiplier by : multiply) {
        ways.add(way(first.with(by).with(CudaOptions.Activator.CUDNN)));
      }
    }
    if (step == StepName.auto) {
      CudaOptions.Multiplier own =
          measuring.gemm == null ? CudaOptions.Multiplier.PTX : first.multiplier();
      addOtherSteps(ways, first.with(own));
    }
    if (precision == null && !persistent) {
      for (Precision other : OTHER_PRECISIONS) {
        for (CudaOptions.Multiplier by : multiply) {
          ways.add(way(first.with(by).with(other)));
        }
      }
    }
    return ways;
  }

  private void addOtherSteps(List<Way> ways, CudaOptions like) {
    for (CudaOptions.StepKind other : OTHER_STEPS) {
      if (other != CudaOptions.StepKind.PERSISTENT) {
        ways.add(way(like.with(other)));
      } else if (feed != FeedName.pinned && like.precision() == Precision.FP32) {
        ways.add(
            way(
                like.with(CudaOptions.FeedKind.RESIDENT)
                    .with(other)
                    .with(like.launching().withoutGraph())));
      }
    }
  }

  private Way way(CudaOptions options) {
    Enum<?> part = null;
    if (precision == null && options.precision() != Precision.FP32) {
      part = options.precision(); // the lack of a GEMM was found out before
    } else if (measuring.kernels == null && options.activator() == CudaOptions.Activator.CUDNN) {
      part = options.activator();
    } else if (measuring.gemm == null && options.multiplier() == CudaOptions.Multiplier.CUBLAS) {
      part = options.multiplier();
    }
    return new Way(options, part, () -> new CudaOps(main().gpus().open(opened), options));
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
      step = StepName.auto;
      feed = FeedName.auto;
      measuring = new MeasuringOptions();
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
