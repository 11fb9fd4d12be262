package mlpcuda.picture;

import mlpcuda.error.BadFileException;

/**
 * Checks the header of a BMP before the JDK decodes it. A BMP may contain a whole PNG or JPEG,
 * whose size may differ from the size in the header, and may name a file with a colour profile;
 * both are refused.
 *
 * <p>Source: Microsoft, "Bitmap Storage" and the structures BITMAPINFOHEADER and BITMAPV5HEADER.
 */
final class BmpHeader {
  private static final int FILE_HEADER = 14;
  private static final int OS2_HEADER = 12;
  private static final int HEADER = 40;
  private static final int V4_HEADER = 108;
  private static final int COLOUR_SPACE = 56; // offset from the header's beginning
  private static final int SRGB = 0x73524742;
  private static final int MOST_UNCOMPRESSED = 3; // 3: bit fields; 4 would be JPEG, 5 PNG

  private BmpHeader() {}

  /** Whether a file with these first bytes is a BMP. */
  static boolean isBmp(byte[] start) {
    if (start.length < FILE_HEADER + 4 || start[0] != 'B' || start[1] != 'M') {
      return false;
    }
    int header = Exif.number(start, FILE_HEADER, 4, true);
    return header == OS2_HEADER || header >= HEADER && header <= 124;
  }

  /**
   * Refuses headers that are dangerous to the decoder, and marks all colours as sRGB.
   *
   * @throws BadFileException if the picture is too large or cut off, or contains a PNG or JPEG
   */
  static void check(String name, byte[] bytes, long maxPixels) {
    int header = Exif.number(bytes, FILE_HEADER, 4, true);
    boolean old = header == OS2_HEADER;
    if (bytes.length < FILE_HEADER + header) {
      throw new BadFileException(name + ": the BMP is cut off, copy it again");
    }
    int width = old ? 2 : 4;
    int at = FILE_HEADER + 4;
    long cols = Exif.number(bytes, at, width, true);
    long rows = Exif.number(bytes, at + width, width, true);
    Picture.checkSize(
        name, Math.abs(rows), cols, maxPixels); // a negative height means rows from top to bottom
    int bits = Exif.number(bytes, at + 2 * width + 2, 2, true);
    int compression = old ? 0 : Exif.number(bytes, FILE_HEADER + 16, 4, true);
    if (compression < 0 || compression > MOST_UNCOMPRESSED) {
      throw new BadFileException(
          "%s: the BMP has the compression %d, which cannot be read; save it as PNG or JPEG"
              .formatted(name, compression));
    }
    long line = (cols * bits + 31) / 32 * 4;
    long end = Integer.toUnsignedLong(Exif.number(bytes, 10, 4, true)) + Math.abs(rows) * line;
    boolean runs = compression == 1 || compression == 2;
    if (!runs && end > bytes.length) {
      throw new BadFileException(
          "%s: the BMP is cut off, copy it again: it needs %d bytes, and has %d"
              .formatted(name, end, bytes.length));
    }
    if (header >= V4_HEADER) {
      for (int i = 0; i < 4; i++) {
        bytes[FILE_HEADER + COLOUR_SPACE + i] = (byte) (SRGB >>> 8 * i);
      }
    }
  }
}
