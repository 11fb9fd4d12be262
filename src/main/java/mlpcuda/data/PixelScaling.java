package mlpcuda.data;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.List;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;

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

  private static final int LEVELS = 256;

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
    return switch (name) {
      case "unit" -> new PixelScaling(name, 0, 1);
      case "centred" -> new PixelScaling(name, 0.5, 0.5);
      case "z-score" -> zScore(train.features());
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
  private static PixelScaling zScore(Features images) {
    long sum = 0;
    long sumOfSquares = 0;
    long[] counts = histogram(images);
    for (int v = 0; v < LEVELS; v++) {
      sum += counts[v] * v;
      sumOfSquares += counts[v] * v * v;
    }
    long pixels = images.bytes();
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

  /** Counts how often each value occurs, (256). */
  private static long[] histogram(Features images) {
    long[] counts = new long[LEVELS];
    if (images.isArray()) {
      count(images.array(), counts);
    } else {
      byte[] row = new byte[images.width()];
      for (int i = 0; i < images.size(); i++) {
        images.read(i, row, 0);
        count(row, counts);
      }
    }
    return counts;
  }

  private static void count(byte[] pixels, long[] counts) {
    LongBuffer words = ByteBuffer.wrap(pixels).asLongBuffer(); // a long holds eight pixels
    int zeros = 0; // eight pixels of value 0 at once: half of MNIST's pixels are in such words
    for (int i = 0; i < words.limit(); i++) {
      long word = words.get(i);
      if (word == 0) {
        zeros++;
        continue;
      }
      for (int k = 0; k < Long.SIZE; k += Byte.SIZE) {
        counts[(int) (word >>> k) & 0xff]++;
      }
    }
    counts[0] += (long) Long.BYTES * zeros;
    for (int i = Long.BYTES * words.limit(); i < pixels.length; i++) {
      counts[pixels[i] & 0xff]++;
    }
  }

  private static double round4(double value) {
    return Math.round(value * 10_000) / 10_000.0;
  }
}
