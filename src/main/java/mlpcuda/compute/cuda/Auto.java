package mlpcuda.compute.cuda;

import java.util.Locale;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.cuda.CudaOptions.Feed;
import mlpcuda.compute.cuda.CudaOptions.Step;

/**
 * The rule of {@code --step auto} and {@code --feed auto}, and the limits of what is asked for by
 * name.
 *
 * <p>No GPU has measured the ways of running a step yet. Until one has, the rule takes the ways
 * that the program began with: layered steps where cuBLAS multiplies, fused steps where all kernels
 * are our own, and batches by way of page-locked memory. Measurements replace it here, with their
 * figures beside them. A model of the kernels expects two changes: fused steps in small batches
 * also where cuBLAS is found, and a resident set where it takes at most a quarter of the device's
 * free memory.
 */
final class Auto {
  /**
   * The longest batch whose step the rule fuses: the fused kernels have small tiles alone. The
   * limit is judged by their reads of memory, not measured on a GPU yet.
   */
  static final int LONGEST_FUSED = 512;

  private Auto() {}

  /**
   * A way that was chosen.
   *
   * @param why the reason, in a few words; empty where the way was asked for by name
   */
  record Choice<T extends Enum<T>>(T way, String why) {
    /** Describes the choice as a part of a line for people: "fused steps (auto: own GEMM)". */
    String describe(String noun) {
      String name = way.name().toLowerCase(Locale.ROOT) + " " + noun;
      return why.isEmpty() ? name : "%s (%s)".formatted(name, why);
    }
  }

  /**
   * Chooses how steps run: as {@code asked}, as far as their kernels can.
   *
   * @param cublas whether cuBLAS multiplies
   * @param cudnn whether cuDNN computes activations
   */
  static Choice<Step> step(Step asked, StepNeeds needs, boolean cublas, boolean cudnn) {
    String obstacle = obstacle(needs);
    return switch (asked) {
      case LAYERED -> new Choice<>(Step.LAYERED, "");
      case PERSISTENT -> // what does not fit is refused, not replaced: it was asked for by name
          needs.clips()
              ? new Choice<>(Step.LAYERED, "not persistent: " + obstacle)
              : new Choice<>(Step.PERSISTENT, "");
      case FUSED ->
          obstacle.isEmpty()
              ? new Choice<>(Step.FUSED, "")
              : new Choice<>(Step.LAYERED, "not fused: " + obstacle);
      case AUTO -> {
        String layered = obstacle;
        if (cublas) {
          layered = "cuBLAS multiplies";
        } else if (cudnn) {
          layered = "cuDNN activates";
        } else if (obstacle.isEmpty() && needs.maxB() > LONGEST_FUSED) {
          layered = "batches of %d, above %d".formatted(needs.maxB(), LONGEST_FUSED);
        }
        yield layered.isEmpty()
            ? new Choice<>(Step.FUSED, "auto: own GEMM, short batches")
            : new Choice<>(Step.LAYERED, "auto: " + layered);
      }
    };
  }

  /** Why a step with those needs cannot be fused; empty if it can. */
  private static String obstacle(StepNeeds needs) {
    if (needs.clips()) {
      return "clipping needs all gradients before any update";
    }
    if (needs.layers() > FusedTable.MOST_LAYERS) {
      return "%d layers, above %d".formatted(needs.layers(), FusedTable.MOST_LAYERS);
    }
    return needs.widest() > FusedTable.WIDEST
        ? "a layer has %d outputs, above %d".formatted(needs.widest(), FusedTable.WIDEST)
        : "";
  }

  /** Chooses how batches come to the device. */
  static Choice<Feed> feed(Feed asked, Step step) {
    if (asked == Feed.AUTO && step == Step.PERSISTENT) {
      return new Choice<>(Feed.RESIDENT, "");
    }
    return asked == Feed.AUTO
        ? new Choice<>(Feed.PINNED, "auto: resident is not measured yet")
        : new Choice<>(asked, "");
  }
}
