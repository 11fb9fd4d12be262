package mlpcuda.data;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageInputStreamImpl;

/** Has the JDK decode PNG and JPEG, and makes grey of their colours. */
final class CodedPicture {
  /** More than a network can see; every k-th pixel of a larger picture bounds the memory. */
  private static final int MAX_SIDE = 4096;

  /** A block of 64 pixels takes a bit at least. */
  private static final int MOST_PIXELS_OF_A_JPEG_BYTE = 512;

  static {
    // No window will be opened, and a server has no display to look for.
    if (System.getProperty("java.awt.headless") == null) {
      System.setProperty("java.awt.headless", "true");
    }
  }

  private CodedPicture() {}

  /** Formats that a reader of ImageIO decodes as they are; of several pictures the first counts. */
  enum Format {
    GIF("GIF8"),
    BMP("BM"),
    TIFF("II*\0", "MM\0*"),
    WEBP("RIFF");

    private final String[] signatures;

    Format(String... signatures) {
      this.signatures = signatures;
    }

    /** Whether a file that starts so is of this format. */
    boolean is(byte[] start) {
      String text = new String(start, StandardCharsets.ISO_8859_1);
      boolean webp = this != WEBP || text.startsWith("WEBP", 8);
      return webp && Stream.of(signatures).anyMatch(text::startsWith);
    }

    Picture parse(String name, byte[] bytes, long maxPixels) {
      return decode(name, name(), bytes, bytes.length, maxPixels);
    }
  }

  /**
   * Decodes a PNG.
   *
   * @throws BadFileException if it is malformed or too large
   */
  static Picture png(String name, byte[] bytes, long maxPixels) {
    int orientation = PngChunks.orientation(bytes); // before what is no pixel is taken out
    int length = PngChunks.keepPixels(name, bytes, maxPixels);
    return upright(decode(name, "PNG", bytes, length, maxPixels), orientation);
  }

  /**
   * Decodes a JPEG and turns it upright.
   *
   * @throws BadFileException if it is malformed or too large, or its colours are neither grey nor
   *     YCbCr nor RGB
   */
  static Picture jpeg(String name, byte[] bytes, long maxPixels) {
    JpegSegments.checkScans(name, bytes);
    return upright(
        decode(name, "JPEG", bytes, bytes.length, maxPixels), JpegSegments.orientation(bytes));
  }

  private static Picture decode(
      String name, String format, byte[] bytes, int length, long maxPixels) {
    ImageReader reader =
        ImageIO.getImageReadersByFormatName(format.toLowerCase(Locale.ROOT)).next();
    try (ImageInputStream in = new Input(bytes, length)) {
      reader.setInput(in, true, true);
      int rows = reader.getHeight(0);
      int cols = reader.getWidth(0);
      Picture.checkSize(name, rows, cols, maxPixels);
      if (format.equals("JPEG")
          && (long) rows * cols > (long) MOST_PIXELS_OF_A_JPEG_BYTE * bytes.length) {
        throw new BadFileException(
            "%s: %dx%d pixels must have at least %d bytes, found %d"
                .formatted(
                    name,
                    rows,
                    cols,
                    (long) rows * cols / MOST_PIXELS_OF_A_JPEG_BYTE,
                    bytes.length));
      }
      // A JPEG that was cut short is grey from there on, and only a warning says so.
      var damages = new StringBuilder();
      reader.addIIOReadWarningListener(
          (source, warning) -> {
            if (damages.isEmpty() && warning.matches("(?s)(Corrupt|Premature).*")) {
              damages.append(warning);
            }
          });
      ImageReadParam param = reader.getDefaultReadParam();
      int k = (Math.max(rows, cols) + MAX_SIDE - 1) / MAX_SIDE;
      param.setSourceSubsampling(k, k, 0, 0);
      BufferedImage image = reader.read(0, param);
      if (!damages.isEmpty()) {
        throw malformed(name, format, damages.toString(), null);
      }
      return new Samples(name, image).picture();
    } catch (BadFileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The JDK's readers fail with whatever the malformed file made them do.
      throw malformed(name, format, e.getMessage() == null ? e.toString() : e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      throw new BadFileException(
          name + ": the picture must fit in memory, found too little; java -Xmx gives more", e);
    } finally {
      reader.dispose();
    }
  }

  /** Bytes, without the copies that the JDK's own streams keep of what was read. */
  private static final class Input extends ImageInputStreamImpl {
    private final byte[] bytes;
    private final int end;

    Input(byte[] bytes, int end) {
      this.bytes = bytes;
      this.end = end;
    }

    @Override
    public int read() {
      bitOffset = 0;
      return streamPos < end ? bytes[(int) streamPos++] & 0xff : -1;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
      bitOffset = 0;
      if (streamPos >= end) {
        return -1;
      }
      int n = (int) Math.min(length, end - streamPos);
      System.arraycopy(bytes, (int) streamPos, buffer, offset, n);
      streamPos += n;
      return n;
    }

    @Override
    public long length() {
      return end;
    }
  }

  private static BadFileException malformed(
      String name, String format, String finding, Throwable cause) {
    String line = finding.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]+", " ").strip();
    return new BadFileException(
        "%s: must be a well-formed %s, found: %s".formatted(name, format, line), cause);
  }

  /** The samples of a decoded image, which become grey levels. */
  private static final class Samples {
    /** Alpha from which on a pixel counts as ink on a transparent ground. */
    private static final int OPAQUE = 128;

    private final String name;
    private final int rows;
    private final int cols;
    private final byte[] light; // (rows, cols)
    private final byte[] alpha; // (rows, cols); null: all is opaque

    Samples(String name, BufferedImage image) {
      this.name = name;
      rows = image.getHeight();
      cols = image.getWidth();
      light = new byte[rows * cols];
      boolean palette = image.getColorModel() instanceof IndexColorModel;
      int bands = image.getRaster().getNumBands();
      if (!palette && bands > 4) {
        throw new BadFileException(name + ": must have at most 4 samples a pixel, found " + bands);
      }
      alpha = image.getColorModel().hasAlpha() ? new byte[rows * cols] : null;
      // Not getRGB where there is a choice: it takes grey samples for linear light and changes
      // them.
      if (palette) {
        ofPalette(image);
      } else {
        ofRaster(image.getRaster(), bands, shift(image.getRaster(), bands));
      }
    }

    private void ofPalette(BufferedImage image) {
      int[] row = new int[cols];
      for (int y = 0; y < rows; y++) {
        image.getRGB(0, y, cols, 1, row, 0, cols);
        for (int x = 0; x < cols; x++) {
          int argb = row[x];
          light[y * cols + x] = (byte) luma(argb >> 16 & 0xff, argb >> 8 & 0xff, argb & 0xff);
          if (alpha != null) {
            alpha[y * cols + x] = (byte) (argb >>> 24);
          }
        }
      }
    }

    /**
     * The bits that samples have beyond 8. Scanners store 12 bits in samples of 16, without saying
     * so: such a picture would be all black.
     */
    private int shift(Raster raster, int bands) {
      int bits = raster.getSampleModel().getSampleSize(0);
      int opaque = alpha == null ? bands : bands - 1;
      int most = 0;
      int[] row = new int[cols];
      for (int y = 0; y < rows && bits == 16; y++) {
        for (int band = 0; band < opaque; band++) {
          raster.getSamples(0, y, cols, 1, band, row);
          for (int sample : row) {
            most = Math.max(most, sample);
          }
        }
      }
      return bits == 16 && most < 1 << 12 ? 4 : Math.max(0, bits - 8);
    }

    private void ofRaster(Raster raster, int bands, int shift) {
      int alphaShift = Math.max(0, raster.getSampleModel().getSampleSize(bands - 1) - 8);
      int[] row = new int[cols * bands];
      for (int y = 0; y < rows; y++) {
        raster.getPixels(0, y, cols, 1, row);
        for (int x = 0; x < cols; x++) {
          int at = x * bands;
          light[y * cols + x] =
              (byte)
                  (bands < 3
                      ? row[at] >> shift
                      : luma(row[at] >> shift, row[at + 1] >> shift, row[at + 2] >> shift));
          if (alpha != null) {
            alpha[y * cols + x] = (byte) (row[at + bands - 1] >> alphaShift);
          }
        }
      }
    }

    /** The picture on a ground that its ink is seen on. */
    Picture picture() {
      if (alpha == null) {
        return new Picture(name, rows, cols, light);
      }
      int ground = isLightInk() ? 0 : 255;
      for (int i = 0; i < light.length; i++) {
        int opacity = alpha[i] & 0xff;
        light[i] = (byte) (((light[i] & 0xff) * opacity + ground * (255 - opacity) + 127) / 255);
      }
      return new Picture(name, rows, cols, light);
    }

    /** Whether most is transparent and the rest light: white paper would hide such a picture. */
    private boolean isLightInk() {
      long sum = 0;
      int opaque = 0;
      for (int i = 0; i < light.length; i++) {
        if ((alpha[i] & 0xff) >= OPAQUE) {
          sum += light[i] & 0xff;
          opaque++;
        }
      }
      return opaque > 0 && opaque <= light.length / 2 && sum > 127L * opaque;
    }
  }

  /** Grey of the same brightness, ITU-R BT.601. */
  private static int luma(int red, int green, int blue) {
    return (299 * red + 587 * green + 114 * blue + 500) / 1000;
  }

  /** Undoes how the camera was held: 2, 4, 5 and 7 are mirrored, 5…8 lie on their side. */
  private static Picture upright(Picture picture, int orientation) {
    if (orientation == 1) {
      return picture;
    }
    boolean side = orientation >= 5;
    int rows = side ? picture.cols() : picture.rows();
    int cols = side ? picture.rows() : picture.cols();
    // Which way the rows and columns of the picture in the file run.
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
