package mlpcuda.picture;

import mlpcuda.error.BadFileException;

/**
 * Checks a GIF before the JDK decodes it, and keeps the first image with its palette and its
 * transparent colour. Further images of an animation, and comments, are removed.
 *
 * <p>Source: CompuServe, "Graphics Interchange Format, version 89a".
 */
final class GifBlocks {
  private static final int SCREEN_BYTES = 13;
  private static final int IMAGE_BYTES = 10;
  private static final int IMAGE = 0x2c;
  private static final int EXTENSION = 0x21;
  private static final int GRAPHIC_CONTROL = 0xf9;
  private static final int TRAILER = 0x3b;

  /** The most pixels of a byte: a code has at most 12 bits and stands for at most 4096 pixels. */
  private static final int MOST_PIXELS_OF_A_BYTE = 2731;

  private final String name;
  private final byte[] bytes;
  private int at;
  private int kept;

  private GifBlocks(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  /** Whether a file with these first bytes is a GIF. */
  static boolean isGif(byte[] start) {
    return start.length >= 6
        && Exif.number(start, 0, 4, false) == 0x47494638
        && (start[4] == '7' || start[4] == '9')
        && start[5] == 'a';
  }

  /**
   * Moves the parts of the file that the first image needs to the front, in place.
   *
   * @return the number of bytes at the front that are the picture now
   * @throws BadFileException if the file is cut off, or the image too large or larger than its data
   *     can be
   */
  static int keepFirst(String name, byte[] bytes, long maxPixels) {
    return new GifBlocks(name, bytes).keepFirst(maxPixels);
  }

  private int keepFirst(long maxPixels) {
    need(SCREEN_BYTES);
    at = SCREEN_BYTES;
    skipPalette(bytes[10]);
    kept = at;
    while (true) {
      int start = at;
      need(1);
      int block = bytes[at++] & 0xff;
      if (block == EXTENSION) {
        need(1);
        int label = bytes[at++] & 0xff;
        skipData();
        if (label == GRAPHIC_CONTROL) {
          keep(start);
        }
      } else if (block == IMAGE) {
        keepImage(start, maxPixels);
        return kept;
      } else {
        throw bad(
            block == TRAILER
                ? "the GIF holds no image"
                : "the GIF is damaged: at byte %d an image or an extension must begin, found 0x%02x"
                    .formatted(start, block));
      }
    }
  }

  private void keepImage(int start, long maxPixels) {
    need(IMAGE_BYTES - 1);
    int cols = Exif.number(bytes, start + 5, 2, true);
    int rows = Exif.number(bytes, start + 7, 2, true);
    Picture.checkSize(name, rows, cols, maxPixels);
    at = start + IMAGE_BYTES;
    skipPalette(bytes[at - 1]);
    need(1);
    at++; // the number of bits of the first codes
    int data = skipData();
    if ((long) rows * cols > (long) MOST_PIXELS_OF_A_BYTE * data) {
      throw bad("%dx%d pixels need more than the %d bytes of data".formatted(rows, cols, data));
    }
    keep(start);
    // The terminator fits: in the original file at least an empty block stood in its place.
    if (kept < bytes.length) {
      bytes[kept++] = TRAILER;
    }
  }

  private void skipPalette(byte flags) {
    if ((flags & 0x80) != 0) {
      int length = 3 << ((flags & 7) + 1);
      need(length);
      at += length;
    }
  }

  /**
   * Skips blocks, each of which begins with its length, up to the empty block; returns the number
   * of bytes in them.
   */
  private int skipData() {
    int data = 0;
    while (true) {
      need(1);
      int length = bytes[at++] & 0xff;
      if (length == 0) {
        return data;
      }
      need(length);
      at += length;
      data += length;
    }
  }

  private void keep(int start) {
    System.arraycopy(bytes, start, bytes, kept, at - start);
    kept += at - start;
  }

  private void need(int more) {
    if (bytes.length - at < more) {
      throw bad("the GIF is cut off, copy it again");
    }
  }

  private BadFileException bad(String finding) {
    return new BadFileException(name + ": " + finding);
  }
}
