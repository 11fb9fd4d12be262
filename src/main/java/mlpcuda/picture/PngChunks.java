package mlpcuda.picture;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.zip.CRC32;
import mlpcuda.error.BadFileException;

/**
 * Checks chunks, checksums and size of a PNG before the JDK decodes it, and keeps the chunks of the
 * pixels alone, because the JDK would inflate texts and profiles to any size.
 *
 * <p>Source: <a href="https://www.w3.org/TR/png-3/">Portable Network Graphics, third edition</a>.
 */
final class PngChunks {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final Set<String> OF_PIXELS = Set.of("IHDR", "PLTE", "tRNS", "IDAT", "IEND");
  private static final int HEADER_BYTES = 13;

  /** The greatest number of bytes that one byte of deflated data can become. */
  private static final int MOST_INFLATED = 1032;

  private PngChunks() {}

  /**
   * The remaining PNG, and what its removed chunks said about the pixels.
   *
   * @param length the number of bytes at the front that are the picture now
   * @param orientation the orientation, as {@link Exif#orientation} returns it
   * @param significantBits the number of bits of a pixel's first sample that are used; 0 if the
   *     file does not tell
   */
  record Kept(int length, int orientation, int significantBits) {}

  /** Whether a file with these first bytes is a PNG, which the first four bytes decide. */
  static boolean isPng(byte[] start) {
    return start.length >= 4 && ByteBuffer.wrap(start).getInt() == 0x89504e47;
  }

  /**
   * Moves the chunks of the pixels to the front, in place, because the picture may fill most of the
   * memory.
   *
   * @throws BadFileException if a chunk is damaged or the picture too large, or larger than its
   *     data can be
   */
  static Kept keepPixels(String name, byte[] bytes, long maxPixels) {
    if (!ByteBuffer.wrap(bytes, 0, Math.min(8, bytes.length)).equals(ByteBuffer.wrap(SIGNATURE))) {
      throw new BadFileException(name + ": must begin with PNG's eight bytes, found others");
    }
    int kept = 8;
    long needed = -1;
    long data = 0;
    int orientation = Exif.UPRIGHT;
    int significantBits = 0;
    String type = "";
    for (int at = 8; !type.equals("IEND"); ) {
      if (bytes.length - at < 12) {
        throw new BadFileException(name + ": truncated: must end with the chunk IEND");
      }
      long length = Integer.toUnsignedLong(ByteBuffer.wrap(bytes).getInt(at));
      if (length > bytes.length - at - 12) {
        throw new BadFileException(
            "%s: truncated: the chunk at byte %d must have %d bytes, found %d"
                .formatted(name, at, length, bytes.length - at - 12));
      }
      int whole = (int) length + 12;
      checkSum(name, bytes, at, whole);
      type = new String(bytes, at + 4, 4, StandardCharsets.ISO_8859_1);
      if (needed < 0) {
        ByteBuffer header = ByteBuffer.wrap(bytes, at + 8, (int) length).slice();
        needed = bytesOfPixels(name, type, header, maxPixels);
      } else if (type.equals("IHDR")) {
        throw new BadFileException(name + ": must have one chunk IHDR, found two");
      }
      if (type.equals("IDAT")) {
        data += length;
      }
      if (type.equals("eXIf")) {
        orientation = Exif.orientation(bytes, at + 8, at + whole - 4);
      } else if (type.equals("sBIT")) {
        significantBits = length == 0 ? 0 : bytes[at + 8] & 0xff;
      } else if (OF_PIXELS.contains(type)) {
        System.arraycopy(bytes, at, bytes, kept, whole);
        kept += whole;
      }
      at += whole;
    }
    if (data * MOST_INFLATED < needed) {
      throw new BadFileException(
          "%s: %d bytes of pixels need at least %d compressed, found %d"
              .formatted(name, needed, (needed + MOST_INFLATED - 1) / MOST_INFLATED, data));
    }
    return new Kept(kept, orientation, significantBits);
  }

  private static void checkSum(String name, byte[] bytes, int at, int whole) {
    var crc = new CRC32();
    crc.update(bytes, at + 4, whole - 8);
    int expected = ByteBuffer.wrap(bytes).getInt(at + whole - 4);
    if ((int) crc.getValue() != expected) {
      throw new BadFileException(
          "%s: the chunk at byte %d must have the CRC 0x%08x, found 0x%08x"
              .formatted(name, at, expected, (int) crc.getValue()));
    }
  }

  /** Returns the size of the uncompressed pixels in bytes, according to the first chunk. */
  private static long bytesOfPixels(String name, String type, ByteBuffer header, long maxPixels) {
    if (!type.equals("IHDR") || header.remaining() != HEADER_BYTES) {
      throw new BadFileException(
          name + ": must begin with a chunk IHDR of 13 bytes, found another");
    }
    long cols = Integer.toUnsignedLong(header.getInt(0));
    long rows = Integer.toUnsignedLong(header.getInt(4));
    Picture.checkSize(name, rows, cols, maxPixels);
    int depth = header.get(8) & 0xff;
    int colour = header.get(9) & 0xff;
    boolean fits =
        switch (colour) {
          case 0 -> Set.of(1, 2, 4, 8, 16).contains(depth);
          case 3 -> Set.of(1, 2, 4, 8).contains(depth);
          case 2, 4, 6 -> depth == 8 || depth == 16;
          default -> false;
        };
    if (!fits || header.get(10) != 0 || header.get(11) != 0 || (header.get(12) & 0xfe) != 0) {
      throw new BadFileException(
          "%s: must have a depth, colour and method that PNG has, found %d, %d and %d/%d/%d"
              .formatted(name, depth, colour, header.get(10), header.get(11), header.get(12)));
    }
    int samples =
        switch (colour) {
          case 2 -> 3;
          case 4 -> 2;
          case 6 -> 4;
          default -> 1;
        };
    return rows * ((cols * samples * depth + 7) / 8);
  }
}
