package mlpcuda.train;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Resources;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.net.Augmentation;

/**
 * Images of a set, each beside the distorted ones that a training has in their place in its first
 * epochs, to be looked at.
 *
 * @param size the size of an image
 * @param epochs the number of distorted images beside each
 * @param labels (N): the classes of the images
 * @param pixels (N, 1 + epochs, I): for each image itself, and then its distortions
 */
public record DistortedImages(Layout.Images size, int epochs, int[] labels, byte[] pixels) {
  /**
   * Distorts the first images of a set.
   *
   * @param set images whose pixels are bytes
   * @param count the number of images, at most those of the set
   * @param seed the seed of the training
   */
  public static DistortedImages of(
      Ops ops, ExampleSet set, int count, int epochs, Distortion distortion, long seed) {
    var size = (Layout.Images) set.layout();
    int I = set.inputs();
    Distorting distorting =
        Augmentation.distorting(distortion, size, seed, new InputScaling.Uniform(1, 0));
    byte[] originals = new byte[Math.multiplyExact(count, I)];
    int[] numbers = new int[count];
    int[] labels = new int[count];
    for (int n = 0; n < count; n++) {
      set.features().read(n, originals, n * I);
      numbers[n] = n;
      labels[n] = set.label(n);
    }
    byte[] pixels = new byte[Math.multiplyExact(originals.length, 1 + epochs)];
    copy(originals, pixels, 0, epochs, I);
    try (var resources = new Resources()) {
      Buffer images = resources.open(() -> ops.constant("images", originals));
      Buffer rows = resources.open(() -> ops.allocate("numbers", Type.INT32, count));
      Buffer x = resources.open(() -> ops.allocate("distorted", Type.FLOAT32, originals.length));
      ops.write(rows, numbers, 0, count);
      var staged = new Originals(images, rows, true);
      float[] values = new float[originals.length];
      byte[] bytes = new byte[originals.length];
      for (int epoch = 1; epoch <= epochs; epoch++) {
        ops.distortForward(x, staged, count, distorting, epoch);
        ops.read(x, values);
        for (int i = 0; i < values.length; i++) {
          bytes[i] = (byte) Math.round(values[i]);
        }
        copy(bytes, pixels, epoch, epochs, I);
      }
    }
    return new DistortedImages(size, epochs, labels, pixels);
  }

  /** Copies images to the places of one epoch. */
  private static void copy(byte[] images, byte[] pixels, int epoch, int epochs, int I) {
    for (int n = 0; n < images.length / I; n++) {
      System.arraycopy(images, n * I, pixels, (n * (1 + epochs) + epoch) * I, I);
    }
  }
}
