package mlpcuda.picture;

import mlpcuda.error.BadFileException;

/**
 * A grey image of any size.
 *
 * @param name for messages: its file, and its place there if the file has several
 * @param rows height in pixels
 * @param cols width in pixels
 * @param pixels (rows, cols), one unsigned byte a pixel, 0 black
 */
public record Picture(String name, int rows, int cols, byte[] pixels) {
  /** The most pixels of a picture that is read from a file. */
  static final long MAX_PIXELS = 100_000_000;

  /** The longest side, which is JPEG's own limit: a single row stays small, too. */
  static final int MAX_SIDE = 65_535;

  /**
   * Checks what a header claims, before memory is taken for it.
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

  /** The picture with its rows and columns exchanged. */
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
