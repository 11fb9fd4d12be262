package mlpcuda.picture;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.util.Arrays;
import java.util.List;
import mlpcuda.error.BadFileException;

/**
 * Converts a decoded image to 8-bit grey levels, or to those of its red, green and blue: colours,
 * samples of sizes other than 8 bits, and transparent pixels.
 */
final class GreyPixels {
  private static final int WHITE = 255;
  private static final int BLACK = 0;

  /**
   * The bits of a sample from a measuring instrument; many programs store such samples in 16 bits
   * without scaling them.
   */
  private static final int BITS_OF_INSTRUMENTS = 12;

  /** Ink is light if the darkest of its pixels has at least this level. */
  private static final int LIGHT = 128;

  /** Ink is light if the levels of its pixels differ by less than this. */
  private static final int SPREAD = 64;

  private GreyPixels() {}

  /**
   * Converts the image to a grey picture, or to three pictures of its red, green and blue.
   *
   * @param significantBits the bits of a sample that are used according to the file; 0 if the file
   *     does not tell
   * @throws BadFileException if the samples of its pixels are not colours
   */
  static List<Picture> of(String name, BufferedImage image, int significantBits, boolean colour) {
    image.coerceData(false); // the colours must not be multiplied by alpha
    int rows = image.getHeight();
    int cols = image.getWidth();
    Raster raster = image.getRaster();
    boolean palette = image.getColorModel() instanceof IndexColorModel;
    int bands = palette ? 4 : raster.getNumBands();
    if (bands > 4) {
      throw new BadFileException(name + ": must have at most 4 samples a pixel, found " + bands);
    }
    boolean hasAlpha = palette ? image.getColorModel().hasAlpha() : bands % 2 == 0;
    int[] row = new int[palette ? cols : cols * bands];
    int[] bits = palette ? null : bits(raster, row, hasAlpha, significantBits);
    byte[] grey = new byte[rows * cols];
    byte[][] planes = colour ? new byte[3][rows * cols] : new byte[][] {grey};
    byte[] alpha = hasAlpha ? new byte[rows * cols] : null;
    for (int y = 0; y < rows; y++) {
      // getRGB is avoided where possible, because it takes grey samples for linear light and
      // changes them.
      if (palette) {
        image.getRGB(0, y, cols, 1, row, 0, cols);
      } else {
        raster.getPixels(0, y, cols, 1, row);
      }
      for (int x = 0; x < cols; x++) {
        int at = y * cols + x;
        int rgb = palette ? row[x] : rgb(row, x * bands, bits);
        grey[at] = (byte) luma(rgb >> 16 & 0xff, rgb >> 8 & 0xff, rgb & 0xff);
        for (int plane = 0; colour && plane < planes.length; plane++) {
          planes[plane][at] = (byte) (rgb >> 8 * (2 - plane));
        }
        if (hasAlpha) {
          int last = (x + 1) * bands - 1;
          alpha[at] = (byte) (palette ? row[x] >>> 24 : level(row[last], bits[bands - 1]));
        }
      }
    }
    if (hasAlpha) {
      int ground = ground(grey, alpha);
      for (byte[] plane : planes) {
        putOnGround(plane, alpha, ground);
      }
    }
    return Arrays.stream(planes).map(plane -> new Picture(name, rows, cols, plane)).toList();
  }

  private static int rgb(int[] row, int at, int[] bits) {
    int red = level(row[at], bits[0]);
    return bits.length < 3
        ? red * 0x10101
        : red << 16 | level(row[at + 1], bits[1]) << 8 | level(row[at + 2], bits[2]);
  }

  /** Returns the grey level of a colour's brightness, by ITU-R BT.601. */
  private static int luma(int red, int green, int blue) {
    return (299 * red + 587 * green + 114 * blue + 500) / 1000;
  }

  /** Converts a sample of {@code bits} bits to 8 bits. */
  private static int level(int sample, int bits) {
    return bits >= 8 ? sample >> (bits - 8) : sample * 255 / ((1 << bits) - 1);
  }

  /**
   * Returns the number of bits of each band's samples, which is less than the stored number if no
   * sample needs more.
   */
  private static int[] bits(Raster raster, int[] row, boolean hasAlpha, int significantBits) {
    int[] bits = raster.getSampleModel().getSampleSize();
    if (bits[0] <= BITS_OF_INSTRUMENTS) {
      return bits;
    }
    int bands = bits.length;
    int colours = 0; // all bits that are set in any
    int alphas = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i++) {
        if (hasAlpha && i % bands == bands - 1) {
          alphas |= row[i];
        } else {
          colours |= row[i];
        }
      }
    }
    for (int band = 0; band < bands; band++) {
      int set = hasAlpha && band == bands - 1 ? alphas : colours;
      bits[band] = usedBits(set, bits[band], significantBits);
    }
    return bits;
  }

  /**
   * Returns the number of bits that samples use.
   *
   * @param set the bits that are set in any of the samples
   * @param stored the number of bits in which a sample is stored
   * @param significant the number of bits that are used according to the file; 0 if the file does
   *     not tell
   */
  static int usedBits(int set, int stored, int significant) {
    if (set == 0) {
      return stored;
    }
    if (significant >= 8 && significant < stored && set < 1 << significant) {
      return significant;
    }
    return set < 1 << BITS_OF_INSTRUMENTS ? BITS_OF_INSTRUMENTS : stored;
  }

  /** Puts a transparent picture on a ground of one level. */
  private static void putOnGround(byte[] pixels, byte[] alpha, int ground) {
    for (int i = 0; i < pixels.length; i++) {
      int a = alpha[i] & 0xff;
      pixels[i] = (byte) (((pixels[i] & 0xff) * a + ground * (255 - a) + 127) / 255);
    }
  }

  /**
   * Returns the level of the ground of a transparent picture: white, or black if all opaque pixels
   * are light, because white ink on white could not be seen.
   */
  private static int ground(byte[] pixels, byte[] alpha) {
    int most = 0;
    for (byte a : alpha) {
      most = Math.max(most, a & 0xff);
    }
    int[] counts = new int[256]; // the number of opaque pixels of each level
    int opaque = 0;
    for (int i = 0; i < pixels.length; i++) {
      if ((alpha[i] & 0xff) >= Math.max(1, most * 4 / 5)) {
        counts[pixels[i] & 0xff]++;
        opaque++;
      }
    }
    // A few pixels of other levels, at the edges of strokes, are ignored.
    int few = opaque / 200;
    int darkest = 0;
    for (int sum = counts[0]; sum <= few && darkest < 255; sum += counts[darkest]) {
      darkest++;
    }
    int lightest = 255;
    for (int sum = counts[255]; sum <= few && lightest > 0; sum += counts[lightest]) {
      lightest--;
    }
    return darkest >= LIGHT && lightest - darkest < SPREAD ? BLACK : WHITE;
  }
}
