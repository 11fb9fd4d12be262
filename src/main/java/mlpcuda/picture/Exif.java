package mlpcuda.picture;

/**
 * The orientation of a picture. A camera notes how it was held in a TIFF directory, which TIFF,
 * JPEG, PNG and WebP files may contain.
 *
 * <p>Sources: TIFF 6.0, section 2; Exif 2.3, 4.6.
 */
final class Exif {
  /** The orientation of a picture that need not be turned. */
  static final int UPRIGHT = 1;

  private static final int ORIENTATION = 0x0112;

  private Exif() {}

  /**
   * Reads the orientation, 1 to 8 in Exif's numbering.
   *
   * @param bytes the file; its TIFF directory begins at {@code tiff} and ends before {@code end}
   * @return the orientation; {@link #UPRIGHT} if the file has none that can be read
   */
  static int orientation(byte[] bytes, int tiff, int end) {
    if (end - tiff < 8) {
      return UPRIGHT;
    }
    boolean little = bytes[tiff] == 'I';
    int offset = number(bytes, tiff + 4, 4, little);
    if (offset < 8 || offset > end - tiff - 2) {
      return UPRIGHT;
    }
    int entries = number(bytes, tiff + offset, 2, little);
    for (int i = 0; i < entries; i++) {
      int entry = tiff + offset + 2 + 12 * i;
      if (entry + 12 > end) {
        return UPRIGHT;
      }
      if (number(bytes, entry, 2, little) == ORIENTATION) {
        int value = number(bytes, entry + 8, 2, little);
        return value >= 1 && value <= 8 ? value : UPRIGHT;
      }
    }
    return UPRIGHT;
  }

  /** Reads an unsigned number of 1 to 4 bytes; a number of 2^31 or more comes out negative. */
  static int number(byte[] bytes, int at, int length, boolean little) {
    int value = 0;
    for (int i = 0; i < length; i++) {
      value = value << 8 | bytes[at + (little ? length - 1 - i : i)] & 0xff;
    }
    return value;
  }

  /** Turns a picture upright: orientations 2, 4, 5 and 7 are mirrored, 5 to 8 lie on their side. */
  static Picture upright(Picture picture, int orientation) {
    if (orientation == UPRIGHT) {
      return picture;
    }
    boolean side = orientation >= 5;
    int rows = side ? picture.cols() : picture.rows();
    int cols = side ? picture.rows() : picture.cols();
    // The order in which the rows and columns of the upright picture are in the file.
    boolean upwards = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    boolean leftwards =
        orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    byte[] pixels = new byte[rows * cols];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        int v = upwards ? rows - 1 - y : y;
        int u = leftwards ? cols - 1 - x : x;
        pixels[y * cols + x] = picture.pixels()[side ? u * picture.cols() + v : v * cols + u];
      }
    }
    return new Picture(picture.name(), rows, cols, pixels);
  }
}
