package mlpcuda.compute;

import java.util.Locale;

/**
 * The function that is applied to the output of a layer's affine map. The derivative of each is a
 * function of its output, so that a backward pass needs nothing but the outputs.
 */
public enum Activation {
  /** y = z. */
  NONE,
  /** y = max(z, 0); its derivative at 0 is taken as 0. */
  RELU,
  /** y = 1 / (1 + e⁻ᶻ). */
  SIGMOID,
  /** y = tanh z. */
  TANH,
  /**
   * y = A tanh(S z), A = {@link #LECUN_SCALE}, S = {@link #LECUN_SLOPE}: y(1) is 1 and y(−1) is −1
   * (LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998).
   */
  LECUN_TANH;

  /** The scale A of {@link #LECUN_TANH}'s output. */
  public static final float LECUN_SCALE = 1.7159f;

  /** The factor S of {@link #LECUN_TANH}'s input. */
  public static final float LECUN_SLOPE = 2 / 3f;

  /** The name on the command line and in model files: lower case, with hyphens. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The activation of that {@link #label}, or IllegalArgumentException. */
  public static Activation of(String label) {
    for (Activation activation : values()) {
      if (activation.label().equals(label)) {
        return activation;
      }
    }
    throw new IllegalArgumentException(
        "the activation must be none, relu, sigmoid, tanh or lecun-tanh, found " + label);
  }
}
