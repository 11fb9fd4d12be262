package mlpcuda.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import mlpcuda.error.BadFileException;
import mlpcuda.preparation.MnistForm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Reads more than two thousand changed pictures of each format: each is read, or refused in one
 * line that names it. Failures name the round; the rounds are always the same.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class PictureFuzzTest {
  private static final int MUTANTS = 1000;

  /** Another number gives other rounds. */
  private static final long RUN = Long.getLong("mlpcuda.fuzz", 0);

  private static final int MIB = 1 << 20;

  /** Four megapixels of WebP may take no bit each, and the decoder some arrays of four bytes. */
  private static final int OF_WEBP = 128 * MIB;

  @TempDir Path folder;

  /** A format and a good picture of it, which the rounds change. */
  enum Kind {
    PNG_GREY,
    PNG_PALETTE,
    PNG_ALPHA,
    JPEG_GREY,
    JPEG_COLOURS,
    GIF,
    BMP_GREY,
    BMP_COLOURS,
    TIFF,
    TIFF_LZW,
    TIFF_DEFLATE,
    TIFF_PACKBITS,
    TIFF_FAX,
    WEBP_LOSSY,
    WEBP_LOSSLESS,
    WEBP_ALPHA,
    WEBP_ANIMATED,
    PGM_PLAIN,
    PGM_RAW,
    PGM_WIDE,
    IDX,
    IDX_GZIP;

    byte[] good() throws IOException {
      return switch (this) {
        case PNG_GREY -> Samples.coded("png", BufferedImage.TYPE_BYTE_GRAY);
        case PNG_PALETTE -> Samples.coded("png", BufferedImage.TYPE_BYTE_INDEXED);
        case PNG_ALPHA -> Samples.coded("png", BufferedImage.TYPE_INT_ARGB);
        case JPEG_GREY -> Samples.coded("jpeg", BufferedImage.TYPE_BYTE_GRAY);
        case JPEG_COLOURS -> Samples.coded("jpeg", BufferedImage.TYPE_INT_RGB);
        case GIF -> Samples.coded("gif", BufferedImage.TYPE_BYTE_GRAY);
        case BMP_GREY -> Samples.coded("bmp", BufferedImage.TYPE_BYTE_GRAY);
        case BMP_COLOURS -> Samples.coded("bmp", BufferedImage.TYPE_INT_RGB);
        case TIFF -> Samples.coded("tiff", BufferedImage.TYPE_INT_ARGB);
        case TIFF_LZW -> Samples.tiff("LZW");
        case TIFF_DEFLATE -> Samples.tiff("Deflate");
        case TIFF_PACKBITS -> Samples.tiff("PackBits");
        case TIFF_FAX -> Samples.tiff("CCITT T.6");
        case WEBP_LOSSY -> Samples.webp("stroke-lossy");
        case WEBP_LOSSLESS -> Samples.webp("stroke-lossless");
        case WEBP_ALPHA -> Samples.webp("ink-lossy-alpha");
        case WEBP_ANIMATED -> Samples.webp("stroke-animated");
        case PGM_PLAIN -> Samples.plainPgm();
        case PGM_RAW -> Samples.rawPgm(200);
        case PGM_WIDE -> Samples.rawPgm(1000);
        case IDX -> Samples.idx();
        case IDX_GZIP -> {
          var bytes = new ByteArrayOutputStream();
          try (var gzip = new GZIPOutputStream(bytes)) {
            gzip.write(Samples.idx());
          }
          yield bytes.toByteArray();
        }
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void readOrRefusedInOneLine(Kind kind) throws IOException {
    byte[] good = kind.good();
    Path file = folder.resolve(kind.name());
    Files.write(file, good);
    PictureFile.read(file).get(0); // the first round also loads the JDK's classes
    var random = new Random(kind.ordinal() + 100 * RUN);
    int refused = 0;
    for (int round = 0; round < MUTANTS; round++) {
      byte[] bytes = changed(good, random);
      if (kind.name().startsWith("PNG") && random.nextBoolean()) {
        mendSums(bytes); // otherwise the wrong checksum would hide the change from the parser
      }
      refused += isRefused(file, bytes, "round " + round + " of " + kind) ? 1 : 0;
    }
    assertTrue(refused > MUTANTS / 10 && refused < MUTANTS, refused + " refused");
  }

  /** A file that was cut anywhere is refused, unless all that was cut lies behind the picture. */
  @ParameterizedTest
  @EnumSource
  void cutAnywhere(Kind kind) throws IOException {
    byte[] good = kind.good();
    Path file = folder.resolve(kind.name());
    int read = 0;
    for (int length = 0; length < good.length; length++) {
      byte[] bytes = Arrays.copyOf(good, length);
      read += isRefused(file, bytes, length + " bytes of " + kind) ? 0 : 1;
    }
    // Padding and marks of the end say nothing, nor do the last bits of a JPEG.
    assertTrue(read <= 8, read + " read");
  }

  /** Reads the file; returns whether it was refused, which must be in one line. */
  private static boolean isRefused(Path file, byte[] bytes, String round) throws IOException {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Files.write(file, bytes);
    long before = threads.getCurrentThreadAllocatedBytes();
    boolean refused = false;
    try {
      PictureFile pictures = PictureFile.read(file);
      for (int i = 0; i < pictures.count(); i++) {
        MnistForm.of(pictures.get(i), 28, 28);
      }
    } catch (BadFileException e) {
      refused = true;
      assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
      assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    } catch (RuntimeException | Error e) {
      fail(round, e);
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    // A pixel may take a bit of a JPEG's block, or even less of a compressed row.
    boolean webp = file.getFileName().toString().startsWith("WEBP");
    long most = (webp ? OF_WEBP : 16 * MIB) + 1032L * 12 * bytes.length;
    assertTrue(allocated < most, allocated + " bytes in " + round);
    if (!refused && !file.getFileName().toString().startsWith("IDX")) {
      checkColours(file);
    }
    return refused;
  }

  /** A picture that is read in grey is also read in its three colours. */
  private static void checkColours(Path file) {
    Picture grey = PictureFile.readOne(file, false).get(0);
    List<Picture> colours = PictureFile.readOne(file, true);
    assertEquals(3, colours.size());
    for (Picture colour : colours) {
      assertEquals(grey.rows(), colour.rows());
      assertEquals(grey.cols(), colour.cols());
      assertEquals(grey.pixels().length, colour.pixels().length);
    }
  }

  private static byte[] changed(byte[] good, Random random) {
    byte[] bytes = good.clone();
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(7)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt();
      case 2 -> bytes = Arrays.copyOf(bytes, at);
      case 3 -> bytes = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(20));
      case 4 -> { // most of what matters stands at the beginning
        for (int i = 0; i < 3; i++) {
          bytes[random.nextInt(Math.min(64, bytes.length))] = (byte) random.nextInt();
        }
      }
      case 5 -> {
        byte[] extremes = {0, -1, 127, -128, 1, '0', '9', ' ', '#'};
        bytes[random.nextInt(Math.min(64, bytes.length))] =
            extremes[random.nextInt(extremes.length)];
      }
      default -> { // a piece in another place
        int from = random.nextInt(bytes.length);
        int length = Math.min(random.nextInt(40), bytes.length - Math.max(at, from));
        System.arraycopy(good, from, bytes, at, length);
      }
    }
    return bytes;
  }

  private static void mendSums(byte[] png) {
    ByteBuffer view = ByteBuffer.wrap(png);
    for (int at = 8; png.length - at >= 12; ) {
      int length = view.getInt(at);
      if (length < 0 || length > png.length - at - 12) {
        return;
      }
      var crc = new CRC32();
      crc.update(png, at + 4, length + 4);
      view.putInt(at + 8 + length, (int) crc.getValue());
      at += length + 12;
    }
  }
}
