package mlpcuda.data;

import java.util.List;
import java.util.function.Supplier;
import mlpcuda.error.BadFileException;

/**
 * The map from a pixel v in 0..255 to an input x = (v/255 - mean)/std of the network, which is v *
 * {@link #scale} + {@link #shift}.
 *
 * @param name {@code unit}, {@code centred} or {@code z-score}
 * @param mean the number that is subtracted, in units of the whole range of a pixel
 * @param std the number that the difference is divided by, in the same units, above 0
 */
public record PixelScaling(String name, double mean, double std) implements Scaling {
  /** The names that {@link #of} accepts. */
  public static final List<String> NAMES = List.of("unit", "centred", "z-score");

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if {@code mean} is not finite or {@code std} not finite and
   *     above 0
   */
  public PixelScaling {
    if (!Double.isFinite(mean)) {
      throw new IllegalArgumentException("mean must be finite, found " + mean);
    }
    if (!Double.isFinite(std) || std <= 0) {
      throw new IllegalArgumentException("std must be finite and above 0, found " + std);
    }
  }

  /**
   * Returns the scaling of the given name: {@code unit} to [0, 1], {@code centred} to [-1, 1],
   * {@code z-score} to mean 0 and standard deviation 1 over the training pixels.
   *
   * @param name one of {@link #NAMES}
   * @param train the training images, read for {@code z-score} alone
   * @throws IllegalArgumentException if there is no scaling of that name
   * @throws BadFileException if all pixels are (nearly) equal, so that there is no z-score
   */
  public static PixelScaling of(String name, ExampleSet train) {
    return of(name, () -> PixelCounts.of(train.features()));
  }

  /**
   * Returns the scaling of the given name by counts that were made before.
   *
   * @param train the counts of the training pixels, which {@code z-score} alone asks for
   */
  static PixelScaling of(String name, Supplier<PixelCounts> train) {
    return switch (name) {
      case "unit" -> new PixelScaling(name, 0, 1);
      case "centred" -> new PixelScaling(name, 0.5, 0.5);
      case "z-score" -> zScore(train.get());
      default ->
          throw new IllegalArgumentException(
              "scaling must be one of %s, found %s".formatted(String.join(", ", NAMES), name));
    };
  }

  /** The factor that a pixel is multiplied by. */
  public float scale() {
    return (float) (1 / (255 * std));
  }

  /** The number that is added after the multiplication by {@link #scale}. */
  public float shift() {
    return (float) (-mean / std);
  }

  /**
   * Computes the scaling by mean and population standard deviation, rounded to four decimals, as
   * the numbers are commonly quoted (MNIST: 0.1307 and 0.3081). The sums are exact: integers from a
   * histogram.
   */
  private static PixelScaling zScore(PixelCounts counts) {
    long pixels = 0;
    long sum = 0;
    long sumOfSquares = 0;
    for (int v = 0; v < PixelCounts.LEVELS; v++) {
      pixels += counts.of(v);
      sum += counts.of(v) * v;
      sumOfSquares += counts.of(v) * v * v;
    }
    double mean = (double) sum / pixels;
    double variance = (double) sumOfSquares / pixels - mean * mean;
    double std = round4(Math.sqrt(Math.max(0, variance)) / 255);
    if (std == 0) {
      throw new BadFileException(
          "training images: z-score scaling needs a standard deviation of at least 0.0001,"
              + " found 0.0000 over %d pixels".formatted(pixels));
    }
    return new PixelScaling("z-score", round4(mean / 255), std);
  }

  private static double round4(double value) {
    return Math.round(value * 10_000) / 10_000.0;
  }
}
