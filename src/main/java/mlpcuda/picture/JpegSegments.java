package mlpcuda.picture;

import mlpcuda.error.BadFileException;

/**
 * Checks the segments of a JPEG before the JDK decodes it.
 *
 * <p>Source: ITU-T T.81, annex B.
 */
final class JpegSegments {
  private static final int EXIF = 0xe1;
  private static final int PROFILE = 0xe2; // APP2, the segment of colour profiles
  private static final int COMMENT = 0xfe;
  private static final int START_OF_SCAN = 0xda;

  /**
   * The most scans, more than encoders write; thousands of empty scans would keep the decoder busy
   * for hours.
   */
  private static final int MAX_SCANS = 100;

  private JpegSegments() {}

  /** Whether a file with these first bytes is a JPEG. */
  static boolean isJpeg(byte[] start) {
    return start.length >= 3
        && (start[0] & 0xff) == 0xff
        && (start[1] & 0xff) == 0xd8
        && (start[2] & 0xff) == 0xff;
  }

  /**
   * Refuses a JPEG whose number of scans would keep the decoder busy.
   *
   * @throws BadFileException if there are too many scans
   */
  static void checkScans(String name, byte[] bytes) {
    int scans = 0;
    for (int i = 1; i < bytes.length; i++) {
      // A byte 0xff of the compressed data is always followed by 0, and so any other byte after
      // 0xff makes a marker.
      if ((bytes[i] & 0xff) == START_OF_SCAN && (bytes[i - 1] & 0xff) == 0xff) {
        scans++;
      }
    }
    if (scans > MAX_SCANS) {
      throw new BadFileException(
          "%s: a JPEG must have at most %d scans, found %d".formatted(name, MAX_SCANS, scans));
    }
  }

  /**
   * Turns segments with colour profiles into comments: all pixels are taken for sRGB, and the JDK
   * would pass a stranger's profile to a native library. Segments are found in the way the decoder
   * finds them: bytes that are not markers, and fill bytes, are skipped.
   *
   * @param bytes the JPEG, whose markers are changed in place
   */
  static void dropProfiles(byte[] bytes) {
    for (int at = marker(bytes, 0); at >= 0; at = marker(bytes, end(bytes, at))) {
      if ((bytes[at] & 0xff) == PROFILE) {
        bytes[at] = (byte) COMMENT;
      }
    }
  }

  /**
   * Returns the index of the next byte that makes a marker with the 0xff before it; -1 if a scan or
   * the end of the bytes comes first.
   */
  private static int marker(byte[] bytes, int from) {
    for (int i = from; i + 3 < bytes.length; i++) {
      int code = bytes[i + 1] & 0xff;
      if ((bytes[i] & 0xff) == 0xff && code != 0 && code != 0xff) {
        return code == START_OF_SCAN ? -1 : i + 1;
      }
    }
    return -1;
  }

  /** Returns the index after the segment of the marker at {@code at}. */
  private static int end(byte[] bytes, int at) {
    return at + 1 + (isAlone(bytes[at] & 0xff) ? 0 : Exif.number(bytes, at + 1, 2, false));
  }

  /** Whether no length follows the marker: the start of an image, a restart, or TEM. */
  private static boolean isAlone(int marker) {
    return marker == 0x01 || marker >= 0xd0 && marker <= 0xd9;
  }

  /** Returns the orientation, as {@link Exif#orientation} does. */
  static int orientation(byte[] bytes) {
    for (int at = marker(bytes, 0); at >= 0; at = marker(bytes, end(bytes, at))) {
      int end = Math.min(bytes.length, end(bytes, at));
      if ((bytes[at] & 0xff) == EXIF
          && end - at >= 17
          && Exif.number(bytes, at + 3, 4, false) == 0x45786966) {
        return Exif.orientation(bytes, at + 9, end);
      }
    }
    return Exif.UPRIGHT;
  }
}
