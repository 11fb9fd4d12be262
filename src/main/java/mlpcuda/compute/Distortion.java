package mlpcuda.compute;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The amounts by which images are distorted at random, so that a network meets each of them in
 * another form in every epoch. One resampling makes all of them together: pixel p of a distorted
 * image has the value of the original at M⁻¹ · (p − c − t) + c + d(p), interpolated linearly
 * between four pixels, where c is the image's centre, M turns, shears and scales, t moves, and d
 * displaces each pixel by itself. Outside of the original all is 0. {@link DistortionDraws} says
 * which random numbers an example takes.
 *
 * <p>Elastic distortion is that of Simard, Steinkraus and Platt, "Best practices for convolutional
 * neural networks applied to visual document analysis" (ICDAR 2003); erasing that of Zhong et al.,
 * "Random erasing data augmentation" (AAAI 2020), with 0 for the erased pixels.
 *
 * @param alpha the factor, in pixels, of a field of displacements that are uniform in ±1 and then
 *     smoothed; 0: nothing is displaced
 * @param sigma the standard deviation, in pixels, of the Gaussian that smooths the field; 0 where
 *     {@code alpha} is 0
 * @param rotate the largest angle of a turn, in degrees, either way
 * @param shear the largest angle of a horizontal shear, in degrees, either way
 * @param scale the most by which width and height change, each by itself, in percent, either way
 * @param translate the most by which an image moves in each direction, in pixels
 * @param erase the share of the images in which a rectangle becomes 0
 */
public record Distortion(
    float alpha,
    float sigma,
    float rotate,
    float shear,
    float scale,
    float translate,
    float erase) {
  /** The most pixels of {@link #sigma}: the window of the Gaussian has six times as many. */
  public static final int WIDEST_SIGMA = 64;

  /** The share of the images in which {@code erase} without a number erases a rectangle. */
  private static final float USUAL_SHARE = 0.5f;

  private static final String FORMS =
      "elastic:ALPHA:SIGMA, rotate:DEG, shear:DEG, scale:PERCENT, translate:PIXELS and"
          + " erase[:SHARE], joined by commas";

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if an amount is out of range
   */
  public Distortion {
    check("elastic's ALPHA", alpha, 1000);
    check("elastic's SIGMA", sigma, WIDEST_SIGMA);
    if (alpha > 0 && sigma < 0.1f) {
      throw new IllegalArgumentException(
          "elastic's SIGMA must be a number from 0.1 to %d, found %s"
              .formatted(WIDEST_SIGMA, number(sigma)));
    }
    check("rotate's DEG", rotate, 180);
    check("shear's DEG", shear, 80);
    check("scale's PERCENT", scale, 90);
    check("translate's PIXELS", translate, 1000);
    check("erase's SHARE", erase, 1);
  }

  private static void check(String name, float amount, int most) {
    if (!(amount >= 0 && amount <= most)) {
      throw new IllegalArgumentException(
          "%s must be a number from 0 to %d, found %s".formatted(name, most, number(amount)));
    }
  }

  /** All amounts but {@link #sigma} times {@code strength}, which is from 0 to 1. */
  public Distortion times(float strength) {
    return new Distortion(
        alpha * strength,
        sigma,
        rotate * strength,
        shear * strength,
        scale * strength,
        translate * strength,
        erase * strength);
  }

  /**
   * The Gaussian of {@link #sigma}, cut off at three times of it, where its sum is 1.
   *
   * @return (R + 1): the weights of the pixels 0 … R away
   */
  public float[] window() {
    int R = (int) Math.ceil(3 * sigma);
    double[] weights = new double[R + 1];
    double sum = 0;
    for (int k = 0; k <= R; k++) {
      weights[k] = StrictMath.exp(-0.5 * k * k / ((double) sigma * sigma));
      sum += k == 0 ? weights[k] : 2 * weights[k];
    }
    float[] window = new float[R + 1];
    for (int k = 0; k <= R; k++) {
      window[k] = (float) (weights[k] / sum);
    }
    return window;
  }

  /**
   * The distortion of a text of the command line, such as {@code elastic:37:5.5,rotate:12}.
   *
   * @throws IllegalArgumentException if the text has another form, with the rule and what was found
   *     instead
   */
  public static Distortion parse(String text) {
    float[] amounts = new float[7];
    var seen = new ArrayList<String>();
    for (String word : text.split(",", -1)) {
      String[] parts = word.strip().split(":", -1);
      if (seen.contains(parts[0])) {
        throw new IllegalArgumentException(
            "must name each distortion once, found %s twice".formatted(parts[0]));
      }
      seen.add(parts[0]);
      switch (parts[0] + "/" + (parts.length - 1)) {
        case "elastic/2" -> {
          amounts[0] = amount(parts[1]);
          amounts[1] = amount(parts[2]);
        }
        case "rotate/1" -> amounts[2] = amount(parts[1]);
        case "shear/1" -> amounts[3] = amount(parts[1]);
        case "scale/1" -> amounts[4] = amount(parts[1]);
        case "translate/1" -> amounts[5] = amount(parts[1]);
        case "erase/0" -> amounts[6] = USUAL_SHARE;
        case "erase/1" -> amounts[6] = amount(parts[1]);
        default ->
            throw new IllegalArgumentException(
                "must be some of %s; found %s".formatted(FORMS, word.isEmpty() ? "nothing" : word));
      }
    }
    return new Distortion(
        amounts[0], amounts[1], amounts[2], amounts[3], amounts[4], amounts[5], amounts[6]);
  }

  private static float amount(String text) {
    try {
      return Float.parseFloat(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "must have a number after each colon, found %s"
              .formatted(text.isEmpty() ? "nothing" : text));
    }
  }

  /** The text from which {@link #parse} makes this distortion. */
  @Override
  public String toString() {
    List<String> words = new ArrayList<>();
    if (alpha > 0) {
      words.add("elastic:" + number(alpha) + ":" + number(sigma));
    }
    add(words, "rotate", rotate);
    add(words, "shear", shear);
    add(words, "scale", scale);
    add(words, "translate", translate);
    add(words, "erase", erase);
    return words.isEmpty() ? "rotate:0" : String.join(",", words);
  }

  private static void add(List<String> words, String name, float amount) {
    if (amount > 0) {
      words.add(name + ":" + number(amount));
    }
  }

  private static String number(float amount) {
    return amount == Math.rint(amount) && Math.abs(amount) < 1e6
        ? String.format(Locale.ROOT, "%.0f", amount)
        : Float.toString(amount);
  }
}
