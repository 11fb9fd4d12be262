package mlpcuda.net;

import java.util.Optional;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.Resources;
import mlpcuda.compute.SgdSettings;

/**
 * Moves all parameters against their gradients: {@link Ops#adamStep} or {@link Ops#sgdStep}, after
 * {@link Ops#clipNorm} where gradients are to be clipped. Its learning rate lies on the device.
 */
public final class Optimizer implements AutoCloseable {
  private final Resources resources = new Resources();
  private final Ops ops;
  private final Parameters parameters;
  private final OptimizerSettings settings;
  private final float clip;
  private final Buffer rate; // (1)
  private final OptimizerState state;
  private final Optional<Buffer> norm; // (NORM_LENGTH), where gradients are clipped or scaled

  /**
   * An optimizer of those parameters. The caller closes it, and {@code parameters} after it.
   *
   * @param clip the norm of all gradients, {@code max_norm}, above which they are scaled down to
   *     it; 0 for none
   */
  public Optimizer(Parameters parameters, OptimizerSettings settings, double clip) {
    if (!(clip >= 0)) {
      throw new IllegalArgumentException("clip must be at least 0, found " + clip);
    }
    this.ops = parameters.ops();
    this.parameters = parameters;
    this.settings = settings;
    this.clip = (float) clip;
    this.rate = resources.open(() -> ops.allocate("rate", Type.FLOAT32, 1));
    boolean judges = clip > 0 || ops.precision().needsLossScale();
    this.norm =
        judges
            ? Optional.of(resources.open(() -> ops.allocate("norm", Type.FLOAT32, Ops.NORM_LENGTH)))
            : Optional.empty();
    this.state = new OptimizerState(parameters.w(), parameters.m(), parameters.v());
  }

  /** The learning rate, (1), which must be set before {@link #update}. */
  Buffer rate() {
    return rate;
  }

  /** The arenas that are updated. */
  OptimizerState state() {
    return state;
  }

  Parameters parameters() {
    return parameters;
  }

  OptimizerSettings settings() {
    return settings;
  }

  /**
   * Whether gradients are clipped. Their norm is of all of them, so that all must be there first.
   */
  boolean clips() {
    return clip > 0;
  }

  /**
   * Updates the parameters, and their average if one is kept. The gradients are left as they were
   * used, divided by the loss scale and clipped; those of a step that is skipped are left as they
   * were.
   *
   * @param step (1) INT32: the step's number, from 1
   * @param scaling {@link mlpcuda.compute.LossScale}'s state; empty where there is none
   */
  void update(Buffer step, Optional<Buffer> scaling) {
    int n = parameters.length(); // with the zeros between tensors, which stay zeros
    Buffer dw = parameters.dw();
    if (norm.isPresent()) {
      float limit = clip > 0 ? clip : Float.POSITIVE_INFINITY;
      ops.clipNorm(dw, norm.get(), scaling, n, limit);
    }
    if (settings instanceof AdamSettings adam) {
      ops.adamStep(state, dw, step, rate, scaling, n, adam);
    } else {
      // m is the velocity
      ops.sgdStep(state.w(), state.m(), dw, rate, scaling, n, (SgdSettings) settings);
    }
    parameters.moveAverage(step);
  }

  @Override
  public void close() {
    resources.close();
  }
}
