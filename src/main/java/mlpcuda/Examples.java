package mlpcuda;

import mlpcuda.data.ImageSet;

/** Labelled grey images of one size. */
public final class Examples {
  private final ImageSet set;

  Examples(ImageSet set) {
    this.set = set;
  }

  /**
   * Images in memory. The arrays are not copied, and must not change afterwards.
   *
   * @param rows the height of an image in pixels
   * @param cols the width of an image in pixels
   * @param pixels (N, rows, cols), one unsigned byte a pixel, 0 black
   * @param labels (N), one unsigned byte an image
   * @throws IllegalArgumentException if the arrays do not fit each other, or there is no image
   */
  public static Examples images(int rows, int cols, byte[] pixels, byte[] labels) {
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException(
          "an image must have at least 1 row and 1 column, found %dx%d".formatted(rows, cols));
    }
    if (labels.length == 0 || pixels.length != (long) labels.length * rows * cols) {
      throw new IllegalArgumentException(
          "%d labels of images of %dx%d need %d pixels and at least 1 label, found %d pixels"
              .formatted(
                  labels.length, rows, cols, (long) labels.length * rows * cols, pixels.length));
    }
    return new Examples(new ImageSet(rows, cols, pixels, labels));
  }

  /** The number of examples, N. */
  public int size() {
    return set.size();
  }

  /** The height of an image in pixels. */
  public int rows() {
    return set.rows();
  }

  /** The width of an image in pixels. */
  public int cols() {
    return set.cols();
  }

  /** The label of an example, from 0 on. */
  public int label(int example) {
    return Byte.toUnsignedInt(set.labels()[example]);
  }

  /** A copy of the pixels of an example, (rows, cols), one unsigned byte a pixel. */
  public byte[] pixels(int example) {
    int each = set.pixelsPerImage();
    byte[] pixels = new byte[each];
    System.arraycopy(set.pixels(), example * each, pixels, 0, each);
    return pixels;
  }

  ImageSet set() {
    return set;
  }
}
