package mlpcuda;

import mlpcuda.compute.SgdSettings;

/**
 * Stochastic gradient descent in the form of {@code torch.optim.SGD}, at first without momentum.
 */
public final class Sgd extends Optimizer {
  private final double rate;
  private final SgdSettings settings;

  private Sgd(double rate, SgdSettings settings) {
    this.rate = rate;
    this.settings = settings;
  }

  /** Gradient descent with that learning rate, above 0. */
  public static Sgd rate(double rate) {
    return new Sgd(rate, SgdSettings.DEFAULT);
  }

  /** A copy with that momentum, from 0 on and below 1. */
  public Sgd momentum(double momentum) {
    return new Sgd(rate, new SgdSettings(momentum, settings.nesterov(), settings.weightDecay()));
  }

  /** A copy with Nesterov's momentum, which needs one above 0. */
  public Sgd nesterov() {
    return new Sgd(rate, new SgdSettings(settings.momentum(), true, settings.weightDecay()));
  }

  /** A copy with weight decay λ, at least 0, which is added to the gradient. */
  public Sgd weightDecay(double decay) {
    return new Sgd(rate, new SgdSettings(settings.momentum(), settings.nesterov(), decay));
  }

  @Override
  public double rate() {
    return rate;
  }

  @Override
  SgdSettings settings() {
    return settings;
  }
}
