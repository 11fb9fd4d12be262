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

  /** The largest label of the set. */
  public int largestLabel() {
    int largest = 0;
    for (byte label : labels) {
      largest = Math.max(largest, Byte.toUnsignedInt(label));
    }
    return largest;
  }

  /** The number of pixels of an image, which is the number of a network's inputs. */
  public int pixelsPerImage() {
    return rows * cols;
  }

  /** Returns copies of the first {@code n} images, where {@code n} is at most {@link #size}. */
  public ImageSet first(int n) {
    return new ImageSet(
        rows, cols, Arrays.copyOf(pixels, n * pixelsPerImage()), Arrays.copyOf(labels, n));
  }

  /** Returns copies of the images with rows and columns exchanged; the labels are shared. */
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
