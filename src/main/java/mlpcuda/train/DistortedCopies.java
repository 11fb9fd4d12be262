package mlpcuda.train;

import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.Augmentation;
import mlpcuda.net.Batches;

/**
 * Distorted copies of each image that a network is asked about, whose answers are averaged with
 * that to the image itself: test-time augmentation. All images get the same distortions, so that
 * the answer to an image depends on no other one.
 *
 * @param distortion the amounts of the copies
 * @param count the number of copies of an image, at least 1
 * @param size the size of an image, whose pixels are bytes
 */
public record DistortedCopies(Distortion distortion, int count, Layout.Images size) {
  /** The amounts unless others are chosen: about half of those of the preset {@code distorted}. */
  public static final Distortion USUAL =
      Distortion.parse("elastic:18:5.5,rotate:6,shear:5,scale:7");

  private static final long SEED = 0;

  /** The distortion of the images to inputs of a network. */
  Distorting distorting(PixelScaling scaling) {
    return Augmentation.distorting(distortion, size, SEED, Batches.uniform(scaling));
  }
}
