package mlpcuda.picture;

import mlpcuda.error.BadFileException;

/**
 * A grey image of any size.
 *
 * @param name the picture's name in messages: the file and, if the file has several pictures, the
 *     index
 * @param rows height in pixels
 * @param cols width in pixels
 * @param pixels (rows, cols), one unsigned byte a pixel, 0 black
 */
public record Picture(String name, int rows, int cols, byte[] pixels) {
  /** The greatest number of pixels of a picture that is read from a file. */
  static final long MAX_PIXELS = 100_000_000;

  /** The longest side in pixels, which is JPEG's own limit and keeps a single row small. */
  static final int MAX_SIDE = 65_535;

  /**
   * Checks the size that a header claims, before memory for the pixels is allocated.
   *
   * @throws BadFileException if a side is below 1 or the picture too large
   */
  static void checkSize(String name, long rows, long cols, long maxPixels) {
    if (rows < 1 || cols < 1 || rows > MAX_SIDE || cols > MAX_SIDE || rows * cols > maxPixels) {
      throw new BadFileException(
          "%s: a picture must have sides from 1 to %d and at most %d pixels, found %dx%d"
              .formatted(name, MAX_SIDE, maxPixels, rows, cols));
    }
  }

  /** Returns the picture with rows and columns exchanged. */
  public Picture transposed() {
    byte[] exchanged = new byte[pixels.length];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        exchanged[x * rows + y] = pixels[y * cols + x];
      }
    }
    return new Picture(name, cols, rows, exchanged);
  }
}
