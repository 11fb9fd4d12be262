package mlpcuda.net;

import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.InputScaling;
import mlpcuda.data.Layout;

/**
 * The distortion of training images over a run: every epoch has other ones, and their amounts may
 * change linearly from the first epoch to the last.
 *
 * @param distortion the amounts of the first epoch
 * @param end the factor of the amounts in the last epoch, from 0 to 1
 */
public record Augmentation(Distortion distortion, float end) {
  /** Checks the factor. */
  public Augmentation {
    if (!(end >= 0 && end <= 1)) {
      throw new IllegalArgumentException(
          "the distortions' strength at the end must be from 0 to 1, found " + end);
    }
  }

  /** Distortions of the same strength all along. */
  public static Augmentation constant(Distortion distortion) {
    return new Augmentation(distortion, 1);
  }

  /**
   * What all images of that size have in common when they are distorted.
   *
   * @param seed the seed of the random numbers
   * @param scaling the map from a pixel's value to an input
   */
  public static Distorting distorting(
      Distortion distortion, Layout.Images size, long seed, InputScaling.Uniform scaling) {
    return new Distorting(distortion, size.rows(), size.cols(), size.channels(), seed, scaling);
  }

  /**
   * The factor of the amounts in an epoch.
   *
   * @param epoch the epoch, from 1
   * @param epochs the epochs of the whole run
   */
  float strength(int epoch, int epochs) {
    return epochs <= 1
        ? 1
        : (float) (1 + (end - 1.0) * Math.min(epoch - 1, epochs - 1) / (epochs - 1));
  }

  /** The distortion, and the strength at the end where that is another one. */
  @Override
  public String toString() {
    return end == 1 ? distortion.toString() : distortion + " falling to " + end;
  }
}
