package mlpcuda.picture;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageInputStreamImpl;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;

/**
 * Decodes PNG, JPEG, GIF, BMP and TIFF by the JDK, and WebP by TwelveMonkeys' plug-in. The decoders
 * were not made for files from attackers: each format is checked first, and everything that the
 * pixels do not need is removed before the decoder gets the bytes. Each method returns one grey
 * picture, or three of equal size with the picture's red, green and blue.
 */
final class CodedPicture {
  /**
   * The longest side of a decoded picture, in pixels, which is more than a network can use; of a
   * larger picture every k-th pixel is decoded, which bounds the memory.
   */
  private static final int MAX_SIDE = 4096;

  private static final String WEBP = "WebP";

  /**
   * Zeros that WebP's plug-in may read after the end of a file. The plug-in reads ahead, and would
   * otherwise make an exception of each byte beyond the end: millions of them for a damaged file
   * that has pixels without data.
   */
  private static final int ZEROS_OF_WEBP = 64;

  /** The most pixels of a byte of a JPEG: a block of 64 pixels takes at least one bit. */
  private static final int MOST_PIXELS_OF_A_JPEG_BYTE = 512;

  static {
    // AWT must not look for a display, which a server does not have.
    if (System.getProperty("java.awt.headless") == null) {
      System.setProperty("java.awt.headless", "true");
    }
  }

  private CodedPicture() {}

  /**
   * Decodes a PNG.
   *
   * @throws BadFileException if it is malformed or too large
   */
  static List<Picture> png(String name, byte[] bytes, long maxPixels, boolean colour) {
    PngChunks.Kept kept = PngChunks.keepPixels(name, bytes, maxPixels);
    BufferedImage image = decode(name, "PNG", bytes, kept.length(), maxPixels);
    return upright(GreyPixels.of(name, image, kept.significantBits(), colour), kept.orientation());
  }

  /**
   * Decodes a JPEG and turns it upright.
   *
   * @throws BadFileException if it is malformed or too large, or its colours are neither grey nor
   *     YCbCr nor RGB
   */
  static List<Picture> jpeg(String name, byte[] bytes, long maxPixels, boolean colour) {
    JpegSegments.checkScans(name, bytes);
    JpegSegments.dropProfiles(bytes);
    BufferedImage image = decode(name, "JPEG", bytes, bytes.length, maxPixels);
    return upright(GreyPixels.of(name, image, 0, colour), JpegSegments.orientation(bytes));
  }

  /**
   * Decodes a GIF; of an animation the first image.
   *
   * @throws BadFileException if it is malformed or too large
   */
  static List<Picture> gif(String name, byte[] bytes, long maxPixels, boolean colour) {
    int length = GifBlocks.keepFirst(name, bytes, maxPixels);
    return GreyPixels.of(name, decode(name, "GIF", bytes, length, maxPixels), 0, colour);
  }

  /**
   * Decodes a BMP.
   *
   * @throws BadFileException if it is malformed or too large
   */
  static List<Picture> bmp(String name, byte[] bytes, long maxPixels, boolean colour) {
    BmpHeader.check(name, bytes, maxPixels);
    return GreyPixels.of(name, decode(name, "BMP", bytes, bytes.length, maxPixels), 0, colour);
  }

  /**
   * Decodes a TIFF, of several pages the first one, and turns it upright.
   *
   * @throws BadFileException if it is malformed or too large, or contains JPEGs
   */
  static List<Picture> tiff(String name, byte[] bytes, long maxPixels, boolean colour) {
    int orientation = Exif.orientation(bytes, 0, bytes.length);
    boolean zeroIsWhite = TiffFields.keepPixels(name, bytes, maxPixels);
    BufferedImage image = decode(name, "TIFF", bytes, bytes.length, maxPixels);
    List<Picture> planes = GreyPixels.of(name, image, 0, colour);
    if (zeroIsWhite) {
      planes.forEach(CodedPicture::invert);
    }
    return upright(planes, orientation);
  }

  private static void invert(Picture picture) {
    byte[] pixels = picture.pixels();
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) ~pixels[i];
    }
  }

  private static List<Picture> upright(List<Picture> planes, int orientation) {
    return planes.stream().map(plane -> Exif.upright(plane, orientation)).toList();
  }

  /**
   * Decodes a WebP, of an animation the first image, and turns it upright.
   *
   * @throws BadFileException if it is malformed or too large
   */
  static List<Picture> webp(String name, byte[] bytes, long maxPixels, boolean colour) {
    WebpChunks.Kept kept = WebpChunks.keepFirst(name, bytes, maxPixels);
    BufferedImage image = decode(name, WEBP, bytes, kept.length(), maxPixels);
    return upright(GreyPixels.of(name, image, 0, colour), kept.orientation());
  }

  /**
   * WebP's plug-in is created directly, because the jar does not register plug-ins with the JDK.
   */
  private static ImageReader reader(String format) throws IOException {
    return format.equals(WEBP)
        ? new WebPImageReaderSpi().createReaderInstance(null)
        : ImageIO.getImageReadersByFormatName(format).next();
  }

  /** Decodes the first {@code length} bytes, which must have been checked before. */
  private static BufferedImage decode(
      String name, String format, byte[] bytes, int length, long maxPixels) {
    ImageReader reader = null;
    try (ImageInputStream in = new Input(bytes, length, format.equals(WEBP) ? ZEROS_OF_WEBP : 0)) {
      reader = reader(format);
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
      // The decoder fills the missing part of a JPEG that is cut off with grey, and reports this by
      // a warning only.
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
      return image;
    } catch (BadFileException e) {
      throw e;
    } catch (IOException | RuntimeException | AssertionError e) {
      // A malformed file can make a decoder throw any kind of exception.
      throw malformed(name, format, e.getMessage() == null ? e.toString() : e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      throw tooLittleMemory(name, e);
    } finally {
      if (reader != null) {
        reader.dispose();
      }
    }
  }

  static BadFileException tooLittleMemory(String name, OutOfMemoryError e) {
    return new BadFileException(
        name + ": the picture must fit in memory, found too little; java -Xmx gives more", e);
  }

  /** An input over an array. The JDK's own streams would keep a second copy of the bytes. */
  private static final class Input extends ImageInputStreamImpl {
    private final byte[] bytes;
    private final int end;
    private final int zeros;

    /**
     * Creates an input of the first {@code end} bytes.
     *
     * @param zeros the number of zeros that may be read after the bytes before reading fails; with
     *     0 the input ends
     */
    Input(byte[] bytes, int end, int zeros) {
      this.bytes = bytes;
      this.end = end;
      this.zeros = zeros;
    }

    @Override
    public int read() throws IOException {
      if (streamPos < end) {
        bitOffset = 0;
        return bytes[(int) streamPos++] & 0xff;
      }
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      bitOffset = 0;
      if (streamPos >= end + zeros) {
        if (zeros == 0) {
          return -1;
        }
        throw new IOException("it is cut off");
      }
      int n = (int) Math.min(length, end + zeros - streamPos); // a short read makes readInt fail
      int there = (int) Math.max(0, Math.min(n, end - streamPos));
      System.arraycopy(bytes, there == 0 ? 0 : (int) streamPos, buffer, offset, there);
      Arrays.fill(buffer, offset + there, offset + n, (byte) 0);
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
    return new BadFileException(
        "%s: must be a well-formed %s, found: %s".formatted(name, format, OneLine.joined(finding)),
        cause);
  }
}
