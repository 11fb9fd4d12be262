package mlpcuda.picture;

import java.util.Set;
import mlpcuda.error.BadFileException;

/**
 * Checks a TIFF before the JDK decodes it, and keeps the fields that describe the pixels of the
 * first image. Profiles, notes and other directories are removed; a file whose strips overlap or
 * claim more bytes than the file has is refused.
 *
 * <p>Source: TIFF, revision 6.0.
 */
final class TiffFields {
  private static final int COLS = 256;
  private static final int ROWS = 257;
  private static final int BITS = 258;
  private static final int COMPRESSION = 259;
  private static final int PHOTOMETRIC = 262;
  private static final int STRIP_OFFSETS = 273;
  private static final int SAMPLES = 277;
  private static final int STRIP_ROWS = 278;
  private static final int STRIP_BYTES = 279;
  private static final int PLANAR = 284;
  private static final int TILE_COLS = 322;
  private static final int TILE_ROWS = 323;
  private static final int TILE_OFFSETS = 324;
  private static final int TILE_BYTES = 325;
  private static final int SAMPLE_FORMAT = 339;

  /**
   * The tags of the fields that are kept. Tags without a name here are fill order, options of fax
   * compression, predictor, palette and alpha.
   */
  private static final Set<Integer> OF_PIXELS =
      Set.of(
          COLS,
          ROWS,
          BITS,
          COMPRESSION,
          PHOTOMETRIC,
          266,
          STRIP_OFFSETS,
          SAMPLES,
          STRIP_ROWS,
          STRIP_BYTES,
          PLANAR,
          292,
          293,
          317,
          320,
          TILE_COLS,
          TILE_ROWS,
          TILE_OFFSETS,
          TILE_BYTES,
          338,
          SAMPLE_FORMAT);

  /**
   * The tags of fields that may be 32-bit numbers; all others must be 16-bit numbers, which the
   * decoder would otherwise misread.
   */
  private static final Set<Integer> MAY_BE_LONG =
      Set.of(
          COLS,
          ROWS,
          STRIP_OFFSETS,
          STRIP_ROWS,
          STRIP_BYTES,
          292,
          293,
          TILE_COLS,
          TILE_ROWS,
          TILE_OFFSETS,
          TILE_BYTES);

  private static final int WHITE_IS_ZERO = 0;
  private static final int BLACK_IS_ZERO = 1;
  private static final int RGB = 2;
  private static final int PALETTE = 3;

  private static final int SHORT = 3;
  private static final int LONG = 4;

  private final String name;
  private final byte[] bytes;
  private final boolean little;
  private int entries; // the offset of the first entry
  private int count;

  private TiffFields(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
    little = bytes[0] == 'I';
  }

  /** Whether a file with these first bytes is a TIFF. */
  static boolean isTiff(byte[] start) {
    if (start.length < 8) {
      return false;
    }
    int magic = Exif.number(start, 0, 4, false);
    return magic == 0x49492a00 || magic == 0x4d4d002a;
  }

  /**
   * Removes, in place, all fields but the fields of the pixels from the first directory.
   *
   * @return whether level 0 is white; the decoder no longer sees that field
   * @throws BadFileException if the image is too large, or larger than its data can be, or of a
   *     kind that cannot be decoded
   */
  static boolean keepPixels(String name, byte[] bytes, long maxPixels) {
    return new TiffFields(name, bytes).keepPixels(maxPixels);
  }

  private boolean keepPixels(long maxPixels) {
    compact();
    long cols = one(COLS, 0);
    long rows = one(ROWS, 0);
    Picture.checkSize(name, rows, cols, maxPixels);
    long samples = one(SAMPLES, 1);
    long bits = one(BITS, 1);
    long format = one(SAMPLE_FORMAT, 1);
    if (samples < 1 || samples > 4 || bits < 1 || bits > 16 || format != 1) {
      throw unreadable("%d samples of %d bits and of the sort %d".formatted(samples, bits, format));
    }
    long photometric = one(PHOTOMETRIC, -1);
    if (photometric < WHITE_IS_ZERO || photometric > PALETTE) {
      throw unreadable("colours of the sort " + photometric);
    }
    checkData(rows, cols, samples, bits, maxPixels);
    if (photometric == WHITE_IS_ZERO) {
      // The JDK's decoder does not always apply this field, and so the caller inverts the levels.
      put(entry(PHOTOMETRIC) + 8, 2, BLACK_IS_ZERO);
      return true;
    }
    return false;
  }

  /**
   * Keeps the entries of the pixels, in the order of their tags, and cuts the link to the next
   * directory.
   */
  private void compact() {
    int directory = Exif.number(bytes, 4, 4, little);
    if (directory < 8 || directory > bytes.length - 2) {
      throw cutOff();
    }
    int all = Exif.number(bytes, directory, 2, little);
    entries = directory + 2;
    if (12L * all + 4 > bytes.length - entries) {
      throw cutOff();
    }
    int last = -1;
    for (int i = 0; i < all; i++) {
      int entry = entries + 12 * i;
      int tag = Exif.number(bytes, entry, 2, little);
      if (OF_PIXELS.contains(tag) && tag > last) {
        System.arraycopy(bytes, entry, bytes, entries + 12 * count++, 12);
        last = tag;
      }
    }
    put(directory, 2, count);
    put(entries + 12 * count, 4, 0);
    for (int i = 0; i < count; i++) {
      checkValues(entries + 12 * i);
    }
  }

  private void checkValues(int entry) {
    int tag = Exif.number(bytes, entry, 2, little);
    int type = Exif.number(bytes, entry + 2, 2, little);
    long n = Integer.toUnsignedLong(Exif.number(bytes, entry + 4, 4, little));
    int size = type == SHORT ? 2 : 4;
    if (n == 0 || type != SHORT && (type != LONG || !MAY_BE_LONG.contains(tag))) {
      throw new BadFileException(
          "%s: the TIFF is damaged: its field %d has %d values of the type %d"
              .formatted(name, tag, n, type));
    }
    long place = Integer.toUnsignedLong(Exif.number(bytes, entry + 8, 4, little));
    if (n * size > 4 && place + n * size > bytes.length) {
      throw cutOff();
    }
  }

  /** Returns the offset of the entry with the given tag; -1 if there is none. */
  private int entry(int tag) {
    for (int i = 0; i < count; i++) {
      if (Exif.number(bytes, entries + 12 * i, 2, little) == tag) {
        return entries + 12 * i;
      }
    }
    return -1;
  }

  private int length(int tag) {
    int entry = entry(tag);
    return entry < 0 ? 0 : Exif.number(bytes, entry + 4, 4, little);
  }

  /** Returns one value of a field. */
  private long value(int tag, int index) {
    int entry = entry(tag);
    int type = Exif.number(bytes, entry + 2, 2, little);
    int size = type == SHORT ? 2 : 4;
    int values =
        (long) length(tag) * size <= 4 ? entry + 8 : Exif.number(bytes, entry + 8, 4, little);
    return Integer.toUnsignedLong(Exif.number(bytes, values + index * size, size, little));
  }

  /** Returns the first value of the field; {@code otherwise} if the file lacks the field. */
  private long one(int tag, long otherwise) {
    return entry(tag) < 0 ? otherwise : value(tag, 0);
  }

  private void put(int at, int length, int value) {
    for (int i = 0; i < length; i++) {
      bytes[at + i] = (byte) (value >>> 8 * (little ? i : length - 1 - i));
    }
  }

  private void checkData(long rows, long cols, long samples, long bits, long maxPixels) {
    for (int i = 1; i < length(BITS); i++) {
      if (value(BITS, i) != bits) {
        throw unreadable("samples of several sizes");
      }
    }
    boolean tiled = entry(TILE_COLS) >= 0 || entry(TILE_OFFSETS) >= 0;
    int offsets = tiled ? TILE_OFFSETS : STRIP_OFFSETS;
    int lengths = tiled ? TILE_BYTES : STRIP_BYTES;
    long pieceCols = tiled ? one(TILE_COLS, 0) : cols;
    long pieceRows = tiled ? one(TILE_ROWS, 0) : Math.min(rows, one(STRIP_ROWS, rows));
    if (pieceRows < 1
        || pieceCols < 1
        || pieceRows > Picture.MAX_SIDE
        || pieceCols > Picture.MAX_SIDE
        || tiled && (pieceCols % 16 != 0 || pieceRows % 16 != 0)
        || pieceRows * pieceCols > maxPixels) {
      throw unreadable("strips or tiles of %dx%d pixels".formatted(pieceRows, pieceCols));
    }
    boolean planes = one(PLANAR, 1) == 2;
    long pieces =
        ((rows + pieceRows - 1) / pieceRows)
            * ((cols + pieceCols - 1) / pieceCols)
            * (planes ? samples : 1);
    if (length(offsets) != pieces || length(lengths) != pieces) {
      throw new BadFileException(
          "%s: the TIFF is damaged: it needs %d strips or tiles, and names %d and the lengths of %d"
              .formatted(name, pieces, length(offsets), length(lengths)));
    }
    long line = (pieceCols * (planes ? 1 : samples) * bits + 7) / 8;
    long all = 0;
    for (int i = 0; i < pieces; i++) {
      long offset = value(offsets, i);
      long length = value(lengths, i);
      all += length;
      if (offset + length > bytes.length || all > bytes.length) {
        throw cutOff();
      }
      long here =
          tiled ? pieceRows : Math.min(pieceRows, rows - i % ceil(rows, pieceRows) * pieceRows);
      checkPiece(here, line, length);
    }
  }

  private static long ceil(long n, long each) {
    return (n + each - 1) / each;
  }

  /** Refuses compressed data that is too short for the number of lines. */
  private void checkPiece(long lines, long line, long data) {
    int compression = (int) one(COMPRESSION, 1);
    long most =
        switch (compression) {
          case 1 -> data;
          case 2, 3, 4 -> 8 * data * line; // a line takes at least one bit
          case 5 -> 2731 * data; // a code of at most 12 bits stands for at most 4096 bytes
          case 8, 32946 -> 1032 * data;
          case 32773 -> 64 * data;
          default ->
              throw unreadable(
                  compression == 6 || compression == 7
                      ? "a JPEG inside"
                      : "the compression " + compression);
        };
    if (most < lines * line) {
      throw new BadFileException(
          "%s: the TIFF is cut off, copy it again: %d lines of %d bytes cannot be in %d bytes"
              .formatted(name, lines, line, data));
    }
  }

  private BadFileException cutOff() {
    return new BadFileException(name + ": the TIFF is cut off or damaged, copy it again");
  }

  private BadFileException unreadable(String what) {
    return new BadFileException(
        "%s: the TIFF has %s, which cannot be read; save it as PNG or JPEG".formatted(name, what));
  }
}
