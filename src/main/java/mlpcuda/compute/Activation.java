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
  TANH;

  /** The name on the command line and in model files: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The activation of that {@link #label}, or IllegalArgumentException. */
  public static Activation of(String label) {
    for (Activation activation : values()) {
      if (activation.label().equals(label)) {
        return activation;
      }
    }
    throw new IllegalArgumentException(
        "the activation must be none, relu, sigmoid or tanh, found " + label);
  }
}
