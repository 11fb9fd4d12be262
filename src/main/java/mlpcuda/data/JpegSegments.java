package mlpcuda.data;

/**
 * Looks through a JPEG before the JDK decodes it.
 *
 * <p>Sources: ITU-T T.81, annex B; Exif 2.3, 4.6 (the orientation).
 */
final class JpegSegments {
  private static final int EXIF = 0xe1;
  private static final int START_OF_SCAN = 0xda;

  /** More than encoders make; thousands of empty ones would keep the decoder busy for hours. */
  private static final int MAX_SCANS = 100;

  private JpegSegments() {}

  /** Whether a file that starts so is a JPEG. */
  static boolean isJpeg(byte[] start) {
    return start.length >= 3
        && (start[0] & 0xff) == 0xff
        && (start[1] & 0xff) == 0xd8
        && (start[2] & 0xff) == 0xff;
  }

  /**
   * Refuses what would keep the decoder busy for nothing.
   *
   * @throws BadFileException if there are too many scans
   */
  static void checkScans(String name, byte[] bytes) {
    int scans = 0;
    for (int i = 1; i < bytes.length; i++) {
      // In compressed data a byte 0xff is followed by 0, so that this is a marker.
      if ((bytes[i] & 0xff) == START_OF_SCAN && (bytes[i - 1] & 0xff) == 0xff) {
        scans++;
      }
    }
    if (scans > MAX_SCANS) {
      throw new BadFileException(
          "%s: a JPEG must have at most %d scans, found %d".formatted(name, MAX_SCANS, scans));
    }
  }

  /** How the camera was held, 1…8 as Exif counts; 1, upright, where nothing is said. */
  static int orientation(byte[] bytes) {
    int at = 2;
    while (at + 4 <= bytes.length && (bytes[at] & 0xff) == 0xff) {
      int marker = bytes[at + 1] & 0xff;
      int length = number(bytes, at + 2, 2, false);
      if (marker == START_OF_SCAN || length < 2) {
        return 1;
      }
      int end = Math.min(bytes.length, at + 2 + length);
      if (marker == EXIF && end - at >= 18 && number(bytes, at + 4, 4, false) == 0x45786966) {
        return orientation(bytes, at + 10, end);
      }
      at += 2 + length;
    }
    return 1;
  }

  /** The entry 0x0112 of the first directory of the TIFF from {@code tiff} to {@code end}. */
  static int orientation(byte[] bytes, int tiff, int end) {
    boolean little = bytes[tiff] == 'I';
    int offset = number(bytes, tiff + 4, 4, little);
    if (offset < 8 || offset > end - tiff - 2) {
      return 1;
    }
    int entries = number(bytes, tiff + offset, 2, little);
    for (int i = 0; i < entries; i++) {
      int entry = tiff + offset + 2 + 12 * i;
      if (entry + 12 > end) {
        return 1;
      }
      if (number(bytes, entry, 2, little) == 0x0112) {
        int value = number(bytes, entry + 8, 2, little);
        return value >= 1 && value <= 8 ? value : 1;
      }
    }
    return 1;
  }

  private static int number(byte[] bytes, int at, int length, boolean little) {
    int value = 0;
    for (int i = 0; i < length; i++) {
      value = value << 8 | bytes[at + (little ? length - 1 - i : i)] & 0xff;
    }
    return value;
  }
}
