package mlpcuda.compute;

/**
 * What is the same for all images of a set that are distorted.
 *
 * @param amounts by how much
 * @param rows the height of an image in pixels
 * @param cols the width of an image in pixels
 * @param channels the values of a pixel, which lie side by side and move together
 * @param seed the seed of the random numbers
 * @param scaling the map from a pixel's value to an input
 */
public record Distorting(
    Distortion amounts, int rows, int cols, int channels, long seed, InputScaling.Uniform scaling) {
  /** The number of values of an image, I. */
  public int inputs() {
    return rows * cols * channels;
  }

  /** A copy whose amounts are multiplied by {@code strength}, from 0 to 1. */
  public Distorting times(float strength) {
    return new Distorting(amounts.times(strength), rows, cols, channels, seed, scaling);
  }
}
