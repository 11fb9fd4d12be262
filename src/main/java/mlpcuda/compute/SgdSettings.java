package mlpcuda.compute;

/**
 * Stochastic gradient descent in the form of {@code torch.optim.SGD} with dampening 0: with g = dw
 * + λ·w, velocity = μ·velocity + g, and w = w − rate·velocity, or, with Nesterov's momentum, w = w
 * − rate·(g + μ·velocity).
 *
 * @param momentum μ, at least 0; 0 for none
 * @param nesterov whether the momentum is Nesterov's, which needs one above 0
 * @param weightDecay λ, at least 0
 */
public record SgdSettings(double momentum, boolean nesterov, double weightDecay)
    implements OptimizerSettings {
  /** PyTorch's defaults: no momentum, no weight decay. */
  public static final SgdSettings DEFAULT = new SgdSettings(0, false, 0);

  /** Refuses what {@code torch.optim.SGD} refuses. */
  public SgdSettings {
    if (!(momentum >= 0)) {
      throw new IllegalArgumentException("momentum must be at least 0, found " + momentum);
    }
    if (!(weightDecay >= 0)) {
      throw new IllegalArgumentException("weight decay must be at least 0, found " + weightDecay);
    }
    if (nesterov && momentum == 0) {
      throw new IllegalArgumentException("Nesterov's momentum needs a momentum above 0");
    }
  }

  /** Describes the settings as {@code metrics.json} and the report show them. */
  @Override
  public String toString() {
    return "sgd (momentum %s, %sweight decay %s)"
        .formatted(momentum, nesterov ? "nesterov, " : "", weightDecay);
  }
}
