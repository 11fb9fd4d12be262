package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.run.DeviceChoice;

/**
 * A combination of options with which {@code benchmark} measures a GPU.
 *
 * @param options the options of the GPU
 * @param part a part that the device may lack and that no earlier way needs: a library or the
 *     precision; empty if there is none
 * @param opener opens the GPU with the options
 */
record GpuWay(CudaOptions options, Optional<Enum<?>> part, Supplier<Ops> opener) {
  /** The steps that are measured beside layered ones. */
  private static final List<CudaOptions.StepKind> OTHER_STEPS =
      List.of(CudaOptions.StepKind.FUSED, CudaOptions.StepKind.PERSISTENT);

  /** The precisions other than the default. */
  private static final List<Precision> OTHER_PRECISIONS =
      List.of(Precision.TF32, Precision.BF16, Precision.FP16);

  /**
   * The parts of a way that the command line has chosen, which are not varied.
   *
   * @param kernels whether the command line has chosen what computes bias, activations and
   *     log-softmax
   * @param precision whether the command line has chosen the precision
   */
  record Chosen(boolean kernels, boolean precision) {}

  /** Opens the GPU in this way; the caller closes it. */
  Ops open() {
    return opener.get();
  }

  /** Whether this way needs one of the parts. */
  boolean needsOneOf(Set<Enum<?>> parts) {
    return Stream.of(options.multiplier(), options.activator(), options.precision())
        .anyMatch(parts::contains);
  }

  /** The name of {@link #part}, or of the whole way if that is empty. */
  String named() {
    return part.map(GpuWay::name).orElseGet(this::toString);
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

  /**
   * The ways of using a GPU that a command line leaves open. Layered steps come first, with each
   * GEMM, each feed, with and without graph. The other ways are like the first one but for one or
   * two parts: each GEMM with cuDNN, the other steps, and each precision with each GEMM.
   */
  static List<GpuWay> list(DeviceChoice.Gpu opened, Gpus gpus, Chosen chosen) {
    var ways = new Ways(opened, gpus, chosen);
    ways.addLayered();
    CudaOptions first = ways.list.get(0).options();
    if (!chosen.kernels) {
      ways.multiply().forEach(by -> ways.add(first.with(by).with(CudaOptions.Activator.CUDNN)));
    }
    if (opened.options().step() == CudaOptions.StepKind.AUTO) {
      boolean gemmChosen = opened.options().multiplier() != CudaOptions.Multiplier.AUTO;
      ways.addOtherSteps(first.with(gemmChosen ? first.multiplier() : CudaOptions.Multiplier.PTX));
    }
    if (!chosen.precision && !ways.persistent()) {
      for (Precision other : OTHER_PRECISIONS) {
        ways.multiply().forEach(by -> ways.add(first.with(by).with(other)));
      }
    }
    return ways.list;
  }

  /** The list of ways while it is made. */
  private static final class Ways {
    private final List<GpuWay> list = new ArrayList<>();
    private final DeviceChoice.Gpu opened;
    private final Gpus gpus;
    private final Chosen chosen;

    Ways(DeviceChoice.Gpu opened, Gpus gpus, Chosen chosen) {
      this.opened = opened;
      this.gpus = gpus;
      this.chosen = chosen;
    }

    private boolean persistent() { // persistent steps have a resident feed and no graph
      return opened.options().step() == CudaOptions.StepKind.PERSISTENT;
    }

    private List<CudaOptions.Multiplier> multiply() {
      CudaOptions.Multiplier asked = opened.options().multiplier();
      return asked == CudaOptions.Multiplier.AUTO
          ? List.of(CudaOptions.Multiplier.CUBLAS, CudaOptions.Multiplier.PTX)
          : List.of(asked);
    }

    private List<CudaOptions.FeedKind> feeds() {
      if (persistent()) {
        return List.of(CudaOptions.FeedKind.RESIDENT);
      }
      CudaOptions.FeedKind feed = opened.options().feed();
      return feed == CudaOptions.FeedKind.AUTO
          ? List.of(CudaOptions.FeedKind.PINNED, CudaOptions.FeedKind.RESIDENT)
          : List.of(feed);
    }

    void addLayered() {
      CudaOptions base = opened.options();
      if (base.step() == CudaOptions.StepKind.AUTO) {
        base = base.with(CudaOptions.StepKind.LAYERED);
      }
      Set<CudaOptions.Launching> launchings = new LinkedHashSet<>();
      if (!persistent()) {
        launchings.add(base.launching());
      }
      launchings.add(base.launching().withoutGraph());
      for (CudaOptions.Multiplier by : multiply()) {
        for (CudaOptions.FeedKind from : feeds()) {
          for (CudaOptions.Launching launching : launchings) {
            add(base.with(by).with(from).with(launching));
          }
        }
      }
    }

    void addOtherSteps(CudaOptions like) {
      for (CudaOptions.StepKind other : OTHER_STEPS) {
        if (other != CudaOptions.StepKind.PERSISTENT) {
          add(like.with(other));
        } else if (opened.options().feed() != CudaOptions.FeedKind.PINNED
            && like.precision() == Precision.FP32) {
          add(
              like.with(CudaOptions.FeedKind.RESIDENT)
                  .with(other)
                  .with(like.launching().withoutGraph()));
        }
      }
    }

    void add(CudaOptions options) {
      Optional<Enum<?>> part = Optional.empty();
      if (!chosen.precision && options.precision() != Precision.FP32) {
        part = Optional.of(options.precision()); // an earlier way shows whether the GEMM is there
      } else if (!chosen.kernels && options.activator() == CudaOptions.Activator.CUDNN) {
        part = Optional.of(options.activator());
      } else if (opened.options().multiplier() == CudaOptions.Multiplier.AUTO
          && options.multiplier() == CudaOptions.Multiplier.CUBLAS) {
        part = Optional.of(options.multiplier());
      }
      list.add(new GpuWay(options, part, () -> new CudaOps(gpus.open(opened.index()), options)));
    }
  }
}
