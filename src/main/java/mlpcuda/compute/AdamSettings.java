package mlpcuda.compute;

/**
 * Adam (Kingma and Ba, 2015) in the form of {@code torch.optim.Adam}: with g the gradient and t the
 * step from 1, m = β₁·m + (1 − β₁)·g, v = β₂·v + (1 − β₂)·g², and w = w − rate / (1 − β₁ᵗ) · m /
 * (√v / √(1 − β₂ᵗ) + eps).
 *
 * @param beta1 decay of the running mean of gradients
 * @param beta2 decay of the running mean of their squares
 * @param eps added outside the root
 * @param weightDecay λ: g = dw + λ·w, or, decoupled, w = w − rate·λ·w first
 * @param decoupled AdamW (Loshchilov and Hutter, 2019)
 */
public record AdamSettings(
    double beta1, double beta2, double eps, double weightDecay, boolean decoupled)
    implements OptimizerSettings {
  /** PyTorch's defaults: 0.9, 0.999, 1e-8, no weight decay. */
  public static final AdamSettings DEFAULT = new AdamSettings(0.9, 0.999, 1e-8, 0, false);

  /** Describes the settings as {@code metrics.json} and the report show them. */
  @Override
  public String toString() {
    return "%s (beta1 %s, beta2 %s, eps %s, weight decay %s)"
        .formatted(decoupled ? "adamw" : "adam", beta1, beta2, eps, weightDecay);
  }
}
