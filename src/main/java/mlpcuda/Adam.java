package mlpcuda;

import mlpcuda.compute.AdamSettings;

/**
 * Adam (Kingma and Ba, 2015) in the form of {@code torch.optim.Adam}, with bias correction and
 * PyTorch's defaults: β₁ 0.9, β₂ 0.999, ε 1e-8, no weight decay. {@link #decoupled} makes it AdamW
 * (Loshchilov and Hutter, 2019).
 */
public final class Adam extends Optimizer {
  private final double rate;
  private final AdamSettings settings;

  private Adam(double rate, AdamSettings settings) {
    this.rate = rate;
    this.settings = settings;
  }

  /** Adam with that learning rate, above 0. */
  public static Adam rate(double rate) {
    return new Adam(rate, AdamSettings.DEFAULT);
  }

  /** A copy with other decays of the running means of gradients and of their squares. */
  public Adam betas(double beta1, double beta2) {
    return new Adam(
        rate,
        new AdamSettings(
            beta1, beta2, settings.eps(), settings.weightDecay(), settings.decoupled()));
  }

  /** A copy with weight decay λ, at least 0, which is added to the gradient. */
  public Adam weightDecay(double decay) {
    return new Adam(
        rate,
        new AdamSettings(
            settings.beta1(), settings.beta2(), settings.eps(), decay, settings.decoupled()));
  }

  /** A copy whose weight decay acts on the weights themselves, as AdamW's does. */
  public Adam decoupled() {
    return new Adam(
        rate,
        new AdamSettings(
            settings.beta1(), settings.beta2(), settings.eps(), settings.weightDecay(), true));
  }

  @Override
  public double rate() {
    return rate;
  }

  @Override
  AdamSettings settings() {
    return settings;
  }
}
