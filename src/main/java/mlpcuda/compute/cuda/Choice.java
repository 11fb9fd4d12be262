package mlpcuda.compute.cuda;

import java.util.Locale;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;

/**
 * A kind of step or feed that was chosen, and the rules that choose: {@code AUTO} is replaced, and
 * a kind that was asked for by name is kept as far as its kernels can.
 *
 * <p>No GPU has measured the kinds of steps yet. Until one has, the rules take the kinds that the
 * program began with: layered steps where cuBLAS multiplies, fused steps where all kernels are our
 * own, and batches by way of page-locked memory. Measurements replace them here, with their figures
 * beside them. A model of the kernels expects two changes: fused steps in small batches also where
 * cuBLAS is found, and a resident set where it takes at most a quarter of the device's free memory.
 *
 * @param kind the kind that was chosen, never {@code AUTO}
 * @param why the reason, in a few words; empty where the kind was asked for by name
 */
record Choice<T extends Enum<T>>(T kind, String why) {
  /**
   * The longest batch whose step the rule fuses: the fused kernels have small tiles alone. The
   * limit is judged by their reads of memory, not measured on a GPU yet.
   */
  static final int LONGEST_FUSED = 512;

  /** Describes the choice as a part of a line for people: "fused steps (auto: own GEMM)". */
  String describe(String noun) {
    String name = kind.name().toLowerCase(Locale.ROOT) + " " + noun;
    return why.isEmpty() ? name : "%s (%s)".formatted(name, why);
  }

  /**
   * Chooses the kind of steps.
   *
   * @param multiplier what multiplies, not {@code AUTO}
   * @param activator what computes activations
   */
  static Choice<StepKind> step(
      StepKind asked, StepNeeds needs, Multiplier multiplier, Activator activator) {
    String obstacle = obstacle(needs);
    return switch (asked) {
      case LAYERED -> new Choice<>(StepKind.LAYERED, "");
      case PERSISTENT -> {
        if (needs.clips() || needs.weighted()) {
          yield new Choice<>(StepKind.LAYERED, "not persistent: " + obstacle);
        }
        if (needs.averages()) {
          yield new Choice<>(
              obstacle.isEmpty() ? StepKind.FUSED : StepKind.LAYERED,
              "not persistent: the weights are averaged after each step"
                  + (obstacle.isEmpty() ? "" : "; not fused: " + obstacle));
        }
        // A network that does not fit is refused, as the kind was asked for by name.
        yield new Choice<>(StepKind.PERSISTENT, "");
      }
      case FUSED ->
          obstacle.isEmpty()
              ? new Choice<>(StepKind.FUSED, "")
              : new Choice<>(StepKind.LAYERED, "not fused: " + obstacle);
      case AUTO -> {
        String layered = obstacle;
        if (multiplier == Multiplier.CUBLAS) {
          layered = "cuBLAS multiplies";
        } else if (activator == Activator.CUDNN) {
          layered = "cuDNN activates";
        } else if (obstacle.isEmpty() && needs.maxB() > LONGEST_FUSED) {
          layered = "batches of %d, above %d".formatted(needs.maxB(), LONGEST_FUSED);
        }
        yield layered.isEmpty()
            ? new Choice<>(StepKind.FUSED, "auto: own GEMM, short batches")
            : new Choice<>(StepKind.LAYERED, "auto: " + layered);
      }
    };
  }

  /** The reason why a step with those needs cannot be fused; empty if it can. */
  private static String obstacle(StepNeeds needs) {
    if (needs.clips()) {
      return "clipping needs all gradients before any update";
    }
    if (needs.weighted()) {
      return "examples have weights";
    }
    if (needs.layers() > FusedTable.MOST_LAYERS) {
      return "%d layers, above %d".formatted(needs.layers(), FusedTable.MOST_LAYERS);
    }
    return needs.widest() > FusedTable.WIDEST
        ? "a layer has %d outputs, above %d".formatted(needs.widest(), FusedTable.WIDEST)
        : "";
  }

  /** Chooses the way in which batches come to the device, for steps that were asked for so. */
  static Choice<FeedKind> feed(FeedKind asked, StepKind step) {
    if (asked == FeedKind.AUTO && step == StepKind.PERSISTENT) {
      return new Choice<>(FeedKind.RESIDENT, "");
    }
    return asked == FeedKind.AUTO
        ? new Choice<>(FeedKind.PINNED, "auto: resident is not measured yet")
        : new Choice<>(asked, "");
  }
}
