package mlpcuda.picture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.IntBinaryOperator;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GIF, BMP, TIFF and WebP, and what all formats share: directions, transparency, odd depths. */
@Timeout(120)
class PictureFormatsTest {
  private static final long MOST = 4_000_000;

  private static Picture read(byte[] bytes) {
    return PictureFile.parse("file", bytes, MOST);
  }

  private static String refusal(byte[] bytes) {
    String message = assertThrows(BadFileException.class, () -> read(bytes)).getMessage();
    assertTrue(message.startsWith("file: "), message);
    assertEquals(1, message.lines().count(), message);
    return message.substring("file: ".length());
  }

  private static void assertSample(Picture picture, int tolerance, String what) {
    assertEquals(Samples.ROWS, picture.rows(), what);
    assertEquals(Samples.COLS, picture.cols(), what);
    for (int i = 0; i < Samples.ROWS * Samples.COLS; i++) {
      int expected = Samples.light(i / Samples.COLS, i % Samples.COLS);
      assertEquals(expected, picture.pixels()[i] & 0xff, tolerance, what + ", pixel " + i);
    }
  }

  private static byte[] coded(String format, BufferedImage image) throws IOException {
    var bytes = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, format, bytes), format);
    return bytes.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gif", "bmp", "tiff"})
  void theJdksFormats(String format) throws IOException {
    assertSample(read(Samples.coded(format, BufferedImage.TYPE_BYTE_GRAY)), 0, "grey");
    assertSample(read(Samples.coded(format, BufferedImage.TYPE_INT_RGB)), 0, "colours");
  }

  @ParameterizedTest
  @ValueSource(strings = {"LZW", "ZLib", "Deflate", "PackBits"})
  void compressedTiff(String compression) throws IOException {
    assertSample(read(Samples.tiff(compression)), 0, compression);
  }

  @ParameterizedTest
  @ValueSource(strings = {"CCITT RLE", "CCITT T.4", "CCITT T.6"})
  void tiffOfFaxes(String compression) throws IOException {
    Picture picture = read(Samples.tiff(compression));
    for (int i = 0; i < picture.pixels().length; i++) {
      int light = Samples.light(i / Samples.COLS, i % Samples.COLS);
      assertEquals(light == 255 ? 255 : 0, picture.pixels()[i] & 0xff, "pixel " + i);
    }
  }

  @Test
  void webp() throws IOException {
    assertSample(read(Samples.webp("stroke-lossless")), 0, "lossless");
    assertSample(read(Samples.webp("stroke-lossy")), 12, "lossy");
    assertSample(read(Samples.webp("ink-lossless-alpha")), 0, "lossless, transparent");
    assertSample(read(Samples.webp("ink-lossy-alpha")), 2, "lossy, transparent");
    assertSample(read(Samples.webp("stroke-animated")), 0, "first of an animation");
  }

  @Test
  void theFirstImageOfSeveral() throws IOException {
    for (String format : new String[] {"gif", "tiff"}) {
      ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
      var bytes = new ByteArrayOutputStream();
      try (var out = new MemoryCacheImageOutputStream(bytes)) {
        writer.setOutput(out);
        writer.prepareWriteSequence(null);
        for (int light : new int[] {200, 10}) {
          var image = new BufferedImage(3, 5, BufferedImage.TYPE_BYTE_GRAY);
          for (int i = 0; i < 15; i++) {
            image.getRaster().setSample(i % 3, i / 3, 0, light);
          }
          writer.writeToSequence(new IIOImage(image, null, null), null);
        }
        writer.endWriteSequence();
      } finally {
        writer.dispose();
      }
      byte[] expected = new byte[15];
      Arrays.fill(expected, (byte) 200);
      assertArrayEquals(expected, read(bytes.toByteArray()).pixels(), format);
    }
  }

  @Test
  void tiffWhoseZeroIsWhite() {
    for (boolean little : new boolean[] {false, true}) {
      byte[] eight = Samples.tiff(little, 1, 3, new byte[] {0, 55, -1}, 258, 8, 262, 0);
      assertArrayEquals(new byte[] {-1, (byte) 200, 0}, read(eight).pixels());
      byte[] one = Samples.tiff(little, 1, 3, new byte[] {0x40}, 258, 1, 262, 0);
      assertArrayEquals(new byte[] {-1, 0, -1}, read(one).pixels());
      byte[] other = Samples.tiff(little, 1, 3, new byte[] {0x40}, 258, 1, 262, 1);
      assertArrayEquals(new byte[] {0, -1, 0}, read(other).pixels());
    }
  }

  @Test
  void tiffOfTwelveBits() {
    byte[] packed = {0, 0x08, 0, (byte) 0xff, (byte) 0xf0, 0}; // 0, 2048, 4095, 0
    byte[] expected = {0, (byte) 0x80, -1, 0};
    byte[] tiff = Samples.tiff(false, 1, 4, packed, 258, 12, 262, 1);
    assertArrayEquals(expected, read(tiff).pixels());
  }

  /** 0, 2048, 4095 and 16 in two bytes each. */
  private static final int[] TWELVE_BITS = {0, 2048, 4095, 16};

  private static final byte[] IN_EIGHT = {0, (byte) 0x80, -1, 1};

  @Test
  void twelveBitsInSixteen() throws IOException {
    var image = new BufferedImage(4, 1, BufferedImage.TYPE_USHORT_GRAY);
    image.getRaster().setPixels(0, 0, 4, 1, TWELVE_BITS);
    assertArrayEquals(IN_EIGHT, read(coded("png", image)).pixels());
    assertArrayEquals(IN_EIGHT, read(coded("tiff", image)).pixels());
    byte[] two = {0, 0, 8, 0, 15, -1, 0, 16};
    for (int maximum : new int[] {4095, 65535}) {
      byte[] header = "P5 4 1 %d\n".formatted(maximum).getBytes(StandardCharsets.US_ASCII);
      byte[] pgm = Arrays.copyOf(header, header.length + two.length);
      System.arraycopy(two, 0, pgm, header.length, two.length);
      assertArrayEquals(IN_EIGHT, read(pgm).pixels(), "raw, at most " + maximum);
      String plain = "P2 4 1 %d 0 2048 4095 16".formatted(maximum);
      assertArrayEquals(IN_EIGHT, read(plain.getBytes(StandardCharsets.US_ASCII)).pixels(), plain);
    }
    // Samples that use sixteen bits keep their levels, also in dark pictures.
    image.getRaster().setPixels(0, 0, 4, 1, new int[] {0, 4096, 5000, 16});
    assertArrayEquals(new byte[] {0, 16, 19, 0}, read(coded("png", image)).pixels());
  }

  @Test
  void significantBitsOfPng() throws IOException {
    var image = new BufferedImage(4, 1, BufferedImage.TYPE_USHORT_GRAY);
    image.getRaster().setPixels(0, 0, 4, 1, new int[] {0, 8192, 16383, 64});
    byte[] png = coded("png", image);
    assertArrayEquals(new byte[] {0, 32, 63, 0}, read(png.clone()).pixels());
    assertArrayEquals(IN_EIGHT, read(withChunk(png, "sBIT", new byte[] {14})).pixels());
    // As the standard has it, fourteen bits are scaled to sixteen.
    image.getRaster().setPixels(0, 0, 4, 1, new int[] {0, 0x8080, 0xffff, 64});
    png = coded("png", image);
    assertArrayEquals(
        new byte[] {0, (byte) 0x80, -1, 0}, read(withChunk(png, "sBIT", new byte[] {14})).pixels());
  }

  /** Inserts a chunk before the pixels of a PNG. */
  private static byte[] withChunk(byte[] png, String type, byte[] content) {
    int at = 33; // after IHDR
    ByteBuffer bytes = ByteBuffer.allocate(png.length + 12 + content.length);
    bytes.put(png, 0, at).putInt(content.length);
    int begin = bytes.position();
    bytes.put(type.getBytes(StandardCharsets.US_ASCII)).put(content);
    var crc = new CRC32();
    crc.update(bytes.array(), begin, 4 + content.length);
    return bytes.putInt((int) crc.getValue()).put(png, at, png.length - at).array();
  }

  private static byte[] exif(int orientation, boolean little) {
    ByteBuffer exif = ByteBuffer.allocate(26);
    exif.put((little ? "II" : "MM").getBytes(StandardCharsets.US_ASCII));
    exif.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    exif.putShort((short) 42).putInt(8).putShort((short) 1);
    exif.putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation);
    return exif.array();
  }

  /** A white corner shows where the top left of the file went. */
  @ParameterizedTest
  @CsvSource({
    "1, 2, 3, 0, 0",
    "2, 2, 3, 0, 1",
    "3, 2, 3, 1, 1",
    "4, 2, 3, 1, 0",
    "5, 3, 2, 0, 0",
    "6, 3, 2, 0, 1",
    "7, 3, 2, 1, 1",
    "8, 3, 2, 1, 0"
  })
  void pngAndTiffAreTurnedUpright(int orientation, int rows, int cols, int down, int right)
      throws IOException {
    var image = new BufferedImage(3, 2, BufferedImage.TYPE_BYTE_GRAY);
    image.getRaster().setSample(0, 0, 0, 255);
    byte[] png = coded("png", image);
    for (boolean little : new boolean[] {false, true}) {
      byte[] tiff =
          Samples.tiff(
              little, 2, 3, new byte[] {-1, 0, 0, 0, 0, 0}, 258, 8, 262, 1, 274, orientation);
      for (byte[] bytes : new byte[][] {withChunk(png, "eXIf", exif(orientation, little)), tiff}) {
        Picture picture = read(bytes);
        assertEquals(rows, picture.rows());
        assertEquals(cols, picture.cols());
        byte[] expected = new byte[6];
        expected[down * (rows - 1) * cols + right * (cols - 1)] = -1;
        assertArrayEquals(expected, picture.pixels());
      }
    }
  }

  @Test
  void webpIsTurnedUpright() throws IOException {
    Picture turned = read(Samples.webp("stroke-turned"));
    Picture plain = read(Samples.webp("stroke-lossless"));
    assertArrayEquals(Exif.upright(plain, 6).pixels(), turned.pixels());
    assertEquals(Samples.COLS, turned.rows());
  }

  private static BufferedImage transparent(IntBinaryOperator argb) {
    var image = new BufferedImage(Samples.COLS, Samples.ROWS, BufferedImage.TYPE_INT_ARGB);
    for (int y = 0; y < Samples.ROWS; y++) {
      for (int x = 0; x < Samples.COLS; x++) {
        image.setRGB(x, y, argb.applyAsInt(y, x));
      }
    }
    return image;
  }

  private static int ink(int y, int x) {
    return 255 - Samples.light(y, x);
  }

  /** Transparent pictures: white ink is put on black, black ink on white. */
  @Test
  void inkOnNothing() throws IOException {
    BufferedImage black = transparent((y, x) -> ink(y, x) << 24);
    BufferedImage white = transparent((y, x) -> ink(y, x) << 24 | 0xffffff);
    for (String format : new String[] {"png", "tiff"}) {
      assertSample(read(coded(format, black)), 0, format + ", black ink");
      Picture light = read(coded(format, white));
      assertEquals(ink(10, 10), light.pixels()[10 * Samples.COLS + 10] & 0xff, format);
      assertEquals(0, light.pixels()[0], format);
    }
    Picture webp = read(Samples.webp("white-ink-lossy-alpha"));
    assertEquals(255, webp.pixels()[10 * Samples.COLS + 10] & 0xff, 8);
    assertEquals(0, webp.pixels()[0]);
    var palette =
        new IndexColorModel(
            1, 2, new byte[] {0, -1}, new byte[] {0, -1}, new byte[] {0, -1}, 0); // 0: nothing
    var image =
        new BufferedImage(Samples.COLS, Samples.ROWS, BufferedImage.TYPE_BYTE_BINARY, palette);
    image.getRaster().setSample(10, 10, 0, 1);
    for (String format : new String[] {"png", "gif"}) {
      byte[] expected = new byte[Samples.ROWS * Samples.COLS];
      expected[10 * Samples.COLS + 10] = -1;
      assertArrayEquals(expected, read(coded(format, image)).pixels(), format);
    }
  }

  /** Paper with ink on it stays as it is, and what is around it is taken for paper. */
  @Test
  void paperOnNothing() throws IOException {
    IntBinaryOperator page =
        (y, x) -> x < 2 || y < 2 ? 0 : 0xff000000 | Samples.light(y, x) * 0x10101;
    assertSample(read(coded("png", transparent(page))), 0, "ink on paper");
  }
}
