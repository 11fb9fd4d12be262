package mlpcuda.picture;

import java.nio.charset.StandardCharsets;
import mlpcuda.error.BadFileException;

/**
 * Checks a WebP before it is decoded, and keeps the first image and its transparency. Profiles,
 * notes and further images of an animation are removed.
 *
 * <p>Sources: RFC 9649, "WebP Image Format"; RFC 6386, 9.1 (the header of a lossy image).
 */
final class WebpChunks {
  private static final int FILE_HEADER = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int EXTENDED_BYTES = 10;
  private static final int FRAME_BYTES = 16; // the header of an animation's frame
  private static final int HAS_ALPHA = 0x10;

  /**
   * The most pixels of a byte of a lossy image: a block of 256 pixels takes at least 3 bits for its
   * modes of prediction.
   */
  private static final int MOST_PIXELS_OF_A_LOSSY_BYTE = 683;

  /**
   * The number of pixels that a lossless image may have whatever its size in bytes, because its
   * pixels may take no bit at all; a larger image may have {@link #MOST_PIXELS_OF_A_LOSSLESS_BYTE}
   * a byte, more than large drawings have.
   */
  private static final int BELIEVED_PIXELS = 4_000_000;

  private static final int MOST_PIXELS_OF_A_LOSSLESS_BYTE = 1 << 14;

  private final String name;
  private final byte[] bytes;
  private int image = -1; // the offset of the chunk with the pixels
  private int alpha = -1;
  private int exif = -1;

  private WebpChunks(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  /**
   * The remaining WebP, and the orientation that its removed chunks told.
   *
   * @param length the number of bytes at the front that are the picture now
   * @param orientation the orientation, as {@link Exif#orientation} returns it
   */
  record Kept(int length, int orientation) {}

  /** Whether a file with these first bytes is a WebP. */
  static boolean isWebp(byte[] start) {
    return start.length >= FILE_HEADER
        && Exif.number(start, 0, 4, false) == 0x52494646 // RIFF
        && Exif.number(start, 8, 4, false) == 0x57454250; // WEBP
  }

  /**
   * Moves the chunks of the first image to the front, in place.
   *
   * @throws BadFileException if the file is cut off, or the image is missing, too large or of an
   *     unknown kind
   */
  static Kept keepFirst(String name, byte[] bytes, long maxPixels) {
    return new WebpChunks(name, bytes).keepFirst(maxPixels);
  }

  private Kept keepFirst(long maxPixels) {
    long end = Integer.toUnsignedLong(Exif.number(bytes, 4, 4, true)) + 8;
    if (end > bytes.length) {
      throw cutOff();
    }
    find(FILE_HEADER, (int) end);
    if (image < 0) {
      throw new BadFileException(name + ": the WebP holds no image");
    }
    int orientation = exif < 0 ? Exif.UPRIGHT : orientation();
    boolean lossless = type(image).equals("VP8L");
    int data = image + CHUNK_HEADER;
    int length = length(image);
    if (length < (lossless ? 5 : 10)) {
      throw cutOff();
    }
    int sizes =
        lossless ? Exif.number(bytes, data + 1, 4, true) : Exif.number(bytes, data + 6, 4, true);
    int cols = lossless ? (sizes & 0x3fff) + 1 : sizes & 0x3fff;
    int rows = lossless ? (sizes >> 14 & 0x3fff) + 1 : sizes >> 16 & 0x3fff;
    Picture.checkSize(name, rows, cols, maxPixels);
    long most =
        lossless
            ? Math.max(BELIEVED_PIXELS, (long) MOST_PIXELS_OF_A_LOSSLESS_BYTE * length)
            : (long) MOST_PIXELS_OF_A_LOSSY_BYTE * length;
    if ((long) rows * cols > most) {
      throw new BadFileException(
          "%s: the WebP is damaged: %dx%d pixels cannot be in %d bytes"
              .formatted(name, rows, cols, length));
    }
    if (lossless) {
      WebpLossless.check(name, bytes, data + 5, data + length, rows, cols);
      alpha = -1; // a lossless image contains its transparency
    }
    int kept = FILE_HEADER;
    if (alpha >= 0) {
      checkAlpha(rows, cols);
      putExtended(kept, rows, cols);
      kept = keep(alpha, kept + CHUNK_HEADER + EXTENDED_BYTES);
    }
    kept = keep(image, kept);
    put(4, 4, kept - 8);
    return new Kept(kept, orientation);
  }

  /**
   * Notes the offsets of the first chunks with pixels, transparency and Exif data; of an animation
   * those of the first frame.
   */
  private void find(int from, int end) {
    for (int at = from; end - at >= CHUNK_HEADER; ) {
      long length = Integer.toUnsignedLong(Exif.number(bytes, at + 4, 4, true));
      if (length > end - at - CHUNK_HEADER) {
        throw cutOff();
      }
      String type = type(at);
      if (type.equals("EXIF")) { // Exif data come after all images
        exif = at;
      } else if (image < 0) {
        switch (type) {
          case "VP8 ", "VP8L" -> image = at;
          case "ALPH" -> alpha = at;
          case "ANMF" -> {
            if (length < FRAME_BYTES) {
              throw cutOff();
            }
            find(at + CHUNK_HEADER + FRAME_BYTES, at + CHUNK_HEADER + (int) length);
          }
          default -> {}
        }
      }
      at += CHUNK_HEADER + (int) length + (int) (length & 1);
    }
  }

  private int orientation() {
    int tiff = exif + CHUNK_HEADER;
    int end = tiff + length(exif);
    // Some programs write JPEG's identifier before the Exif data, which no specification asks for.
    boolean marked = end - tiff >= 6 && Exif.number(bytes, tiff, 4, false) == 0x45786966;
    return Exif.orientation(bytes, marked ? tiff + 6 : tiff, end);
  }

  private String type(int chunk) {
    return new String(bytes, chunk, 4, StandardCharsets.ISO_8859_1);
  }

  private int length(int chunk) {
    return Exif.number(bytes, chunk + 4, 4, true);
  }

  private void checkAlpha(int rows, int cols) {
    int data = alpha + CHUNK_HEADER;
    // The plug-in ignores transparency that is not compressed.
    if (length(alpha) < 1 || (bytes[data] & 3) != 1) {
      throw new BadFileException(
          name
              + ": the WebP's transparency is not compressed, which cannot be read; save it as PNG or"
              + " JPEG");
    }
    WebpLossless.check(name, bytes, data + 1, data + length(alpha), rows, cols);
  }

  private void putExtended(int at, int rows, int cols) {
    put(at, 4, 0x58385056); // VP8X
    put(at + 4, 4, EXTENDED_BYTES);
    put(at + 8, 4, HAS_ALPHA);
    put(at + 12, 3, cols - 1);
    put(at + 15, 3, rows - 1);
  }

  private void put(int at, int length, int value) {
    for (int i = 0; i < length; i++) {
      bytes[at + i] = (byte) (value >>> 8 * i);
    }
  }

  /** Moves a chunk to {@code to}; returns the offset at which the next chunk may begin. */
  private int keep(int chunk, int to) {
    int whole = Math.min(CHUNK_HEADER + length(chunk) + (length(chunk) & 1), bytes.length - chunk);
    System.arraycopy(bytes, chunk, bytes, to, whole);
    return to + whole;
  }

  private BadFileException cutOff() {
    return new BadFileException(name + ": the WebP is cut off, copy it again");
  }
}
