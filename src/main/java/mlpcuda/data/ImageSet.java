package mlpcuda.data;

import java.util.Arrays;

/**
 * Labelled grey images of one size, kept as bytes until a batch is made of them.
 *
 * @param rows the height of an image in pixels
 * @param cols the width of an image in pixels
 * @param pixels (N, rows, cols), one unsigned byte a pixel, 0 black
 * @param labels (N), one unsigned byte an image
 */
public record ImageSet(int rows, int cols, byte[] pixels, byte[] labels) {
  /** The number of images, N. */
  public int size() {
    return labels.length;
  }

  /** The largest label of all. */
  public int largestLabel() {
    int largest = 0;
    for (byte label : labels) {
      largest = Math.max(largest, Byte.toUnsignedInt(label));
    }
    return largest;
  }

  /** The number of pixels of an image: the inputs of a network. */
  public int pixelsPerImage() {
    return rows * cols;
  }

  /** The first {@code n} images, copied; {@code n} at most {@link #size}. */
  public ImageSet first(int n) {
    return new ImageSet(
        rows, cols, Arrays.copyOf(pixels, n * pixelsPerImage()), Arrays.copyOf(labels, n));
  }

  /** The images with rows and columns exchanged, copied; the labels are shared. */
  public ImageSet transposed() {
    byte[] turned = new byte[pixels.length];
    int to = 0;
    for (int image = 0; image < size(); image++) {
      int first = image * pixelsPerImage();
      for (int col = 0; col < cols; col++) {
        for (int row = 0; row < rows; row++) {
          turned[to++] = pixels[first + row * cols + col];
        }
      }
    }
    return new ImageSet(cols, rows, turned, labels);
  }
}
