package mlpcuda.picture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureFileTest {
  @TempDir Path folder;

  private Picture read(byte[] bytes) throws IOException {
    return PictureFile.read(Files.write(folder.resolve("file"), bytes)).get(0);
  }

  private String refusal(byte[] bytes) {
    String message = assertThrows(BadFileException.class, () -> read(bytes)).getMessage();
    String file = folder.resolve("file") + ": ";
    assertTrue(message.startsWith(file), message);
    return message.substring(file.length());
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static void assertSample(Picture picture, int tolerance) {
    assertEquals(Samples.ROWS, picture.rows());
    assertEquals(Samples.COLS, picture.cols());
    for (int i = 0; i < Samples.ROWS * Samples.COLS; i++) {
      int expected = Samples.light(i / Samples.COLS, i % Samples.COLS);
      assertEquals(expected, picture.pixels()[i] & 0xff, tolerance, "pixel " + i);
    }
  }

  @Test
  void everyFormatSaysTheSame() throws IOException {
    assertSample(read(Samples.coded("png", BufferedImage.TYPE_BYTE_GRAY)), 0);
    assertSample(read(Samples.coded("png", BufferedImage.TYPE_INT_RGB)), 0);
    assertSample(read(Samples.coded("png", BufferedImage.TYPE_INT_ARGB)), 0);
    assertSample(read(Samples.coded("jpeg", BufferedImage.TYPE_BYTE_GRAY)), 40);
    assertSample(read(Samples.coded("jpeg", BufferedImage.TYPE_INT_RGB)), 40);
    assertSample(read(Samples.plainPgm()), 0);
    assertSample(read(Samples.rawPgm(255)), 0);
    assertSample(read(Samples.rawPgm(65535)), 0);
    assertSample(read(Samples.idx()), 0);
  }

  @Test
  void otherFormatsOfTheJdk() throws IOException {
    assertSample(read(Samples.coded("gif", BufferedImage.TYPE_BYTE_GRAY)), 0);
    assertSample(read(Samples.coded("bmp", BufferedImage.TYPE_INT_RGB)), 0);
    assertSample(read(Samples.coded("tiff", BufferedImage.TYPE_BYTE_GRAY)), 0);
  }

  /** Pixels of 0, 10, 20, … in 4 rows, written by cwebp 1.2.4. */
  @Test
  void webp() throws IOException {
    String lossless = "UklGRigAAABXRUJQVlA4TBwAAAAvBcAAAM1kRP8Ditq2gfoupvIndm0QImICQNcD";
    String lossy =
        "UklGRjIAAABXRUJQVlA4ICYAAACQAQCdASoGAAQAAMASJaQAAudVMbgA/vG+J/+CRYB+YohGmBQAAA==";
    Picture exact = read(Base64.getDecoder().decode(lossless));
    Picture near = read(Base64.getDecoder().decode(lossy));
    assertEquals(4, near.rows());
    assertEquals(6, exact.cols());
    for (int i = 0; i < 24; i++) {
      assertEquals(10 * i, exact.pixels()[i] & 0xff);
      assertEquals(10 * i, near.pixels()[i] & 0xff, 20);
    }
    byte[] cut = Arrays.copyOf(Base64.getDecoder().decode(lossless), 40);
    assertTrue(refusal(cut).startsWith("the WebP is cut off"), refusal(cut));
  }

  @Test
  void aCutFileOfAnyFormatIsRefusedAndNothingElse() throws IOException {
    for (String format : new String[] {"gif", "bmp", "tiff"}) {
      byte[] whole = Samples.coded(format, BufferedImage.TYPE_INT_RGB);
      for (int length = 0; length < whole.length; length += 7) {
        byte[] cut = Arrays.copyOf(whole, length);
        try {
          PictureFile.parse("picture", cut, 1000);
        } catch (BadFileException e) {
          assertEquals(1, e.getMessage().lines().count(), e.getMessage());
        }
      }
    }
  }

  @Test
  void lightInkOnATransparentGroundIsSeen() throws IOException {
    var image = new BufferedImage(4, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 4, 1, new int[] {0, 0xffffffff, 0x00ffffff, 0}, 0, 4);
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    byte[] seen = {0, (byte) 255, 0, 0};
    assertArrayEquals(seen, read(bytes.toByteArray()).pixels());
  }

  @Test
  void twelveBitsInSixteenAreNotBlack() throws IOException {
    var image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
    image.getRaster().setPixels(0, 0, 2, 1, new int[] {0x0408, 0x0fff});
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    byte[] levels = {0x40, (byte) 255};
    assertArrayEquals(levels, read(bytes.toByteArray()).pixels());
    byte[] pgm = Arrays.copyOf(ascii("P5 2 1 65535\n"), 17);
    pgm[13] = 0x04;
    pgm[14] = 0x08;
    pgm[15] = 0x0f;
    pgm[16] = (byte) 0xff;
    assertArrayEquals(levels, read(pgm).pixels());
  }

  /** A picture that lies on its side, as the chunk eXIf says: 6 turns it clockwise. */
  @Test
  void pngsAreTurnedAsTheirExifSays() throws IOException {
    byte[] png = Samples.coded("png", BufferedImage.TYPE_BYTE_GRAY);
    byte[] tiff = {
      'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0
    };
    ByteBuffer chunk = ByteBuffer.allocate(12 + tiff.length).putInt(tiff.length);
    chunk.put(ascii("eXIf")).put(tiff);
    var crc = new CRC32();
    crc.update(chunk.array(), 4, 4 + tiff.length);
    chunk.putInt((int) crc.getValue());
    int header = 8 + 25;
    ByteBuffer whole = ByteBuffer.allocate(png.length + chunk.capacity());
    whole.put(png, 0, header).put(chunk.array()).put(png, header, png.length - header);
    Picture turned = read(whole.array());
    assertEquals(Samples.COLS, turned.rows());
    assertEquals(Samples.ROWS, turned.cols());
    for (int y = 0; y < turned.rows(); y++) {
      for (int x = 0; x < turned.cols(); x++) {
        int expected = Samples.light(Samples.ROWS - 1 - x, y);
        assertEquals(expected, turned.pixels()[y * turned.cols() + x] & 0xff);
      }
    }
  }

  @Test
  void coloursBecomeGreyOnWhitePaper() throws IOException {
    var image = new BufferedImage(5, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 5, 1, new int[] {0xffff0000, 0xff00ff00, 0xff0000ff, 0, 0x80000000}, 0, 5);
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    byte[] grey = {76, (byte) 150, 29, (byte) 255, 127};
    assertArrayEquals(grey, read(bytes.toByteArray()).pixels());
  }

  @Test
  void sixteenBitsBecomeEight() throws IOException {
    var image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
    image.getRaster().setPixels(0, 0, 2, 1, new int[] {0x4080, 0xffff});
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    assertArrayEquals(new byte[] {0x40, -1}, read(bytes.toByteArray()).pixels());
  }

  /** A white corner shows where the top left of the file went. */
  @ParameterizedTest
  @CsvSource({
    "1, 32, 16, 0, 0",
    "2, 32, 16, 0, 1",
    "3, 32, 16, 1, 1",
    "4, 32, 16, 1, 0",
    "5, 16, 32, 0, 0",
    "6, 16, 32, 0, 1",
    "7, 16, 32, 1, 1",
    "8, 16, 32, 1, 0"
  })
  void jpegIsTurnedUpright(int orientation, int rows, int cols, int down, int right)
      throws IOException {
    var image = new BufferedImage(16, 32, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 64; i++) {
      image.getRaster().setSample(i % 8, i / 8, 0, 255);
    }
    var jpeg = new ByteArrayOutputStream();
    ImageIO.write(image, "jpeg", jpeg);
    for (boolean little : new boolean[] {false, true}) {
      Picture picture = read(withOrientation(jpeg.toByteArray(), orientation, little));
      assertEquals(rows, picture.rows());
      assertEquals(cols, picture.cols());
      for (int corner = 0; corner < 4; corner++) {
        int y = corner / 2 * (rows - 1);
        int x = corner % 2 * (cols - 1);
        boolean white = (picture.pixels()[y * cols + x] & 0xff) > 128;
        assertEquals(corner / 2 == down && corner % 2 == right, white, "corner " + corner);
      }
    }
  }

  private static byte[] withOrientation(byte[] jpeg, int orientation, boolean little) {
    ByteBuffer exif = ByteBuffer.allocate(36).putShort((short) 0xffe1).putShort((short) 34);
    exif.put(ascii("Exif\0\0"));
    exif.put(ascii(little ? "II" : "MM"));
    exif.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    exif.putShort((short) 42).putInt(8).putShort((short) 1);
    exif.putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation);
    var bytes = new ByteArrayOutputStream();
    bytes.write(jpeg, 0, 2);
    bytes.writeBytes(exif.array());
    bytes.write(jpeg, 2, jpeg.length - 2);
    return bytes.toByteArray();
  }

  /** The size that a header claims is checked before memory is allocated. */
  @ParameterizedTest
  @ValueSource(strings = {"P5 10001 10000 255\n", "P2 65536 1 255\n", "P5 0 3 255\n"})
  void refusesSizesBeyondTheLimits(String header) {
    String size = header.replaceAll("P. (\\d+) (\\d+).*\n", "$2x$1");
    assertEquals(
        "a picture must have sides from 1 to 65535 and at most 100000000 pixels, found " + size,
        refusal(ascii(header)));
  }

  @Test
  void refusesClaimsThatTheDataCannotMeet() throws IOException {
    byte[] png = Samples.coded("png", BufferedImage.TYPE_BYTE_GRAY);
    ByteBuffer.wrap(png).putInt(16, 10_000).putInt(20, 10_000);
    var crc = new CRC32();
    crc.update(png, 12, 17);
    ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
    String message = refusal(png);
    assertTrue(
        message.startsWith("100000000 bytes of pixels need at least 96900 compressed, found "),
        message);
    ByteBuffer.wrap(png).putInt(16, 10_001);
    crc.reset();
    crc.update(png, 12, 17);
    ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
    assertTrue(refusal(png).endsWith("100000000 pixels, found 10000x10001"));

    byte[] jpeg = Samples.coded("jpeg", BufferedImage.TYPE_BYTE_GRAY);
    int at = 2;
    while ((jpeg[at + 1] & 0xff) != 0xc0) { // the start of the frame
      at += 2 + ByteBuffer.wrap(jpeg).getShort(at + 2);
    }
    ByteBuffer.wrap(jpeg).putShort(at + 5, (short) 9_000).putShort(at + 7, (short) 9_000);
    message = refusal(jpeg);
    assertTrue(message.startsWith("9000x9000 pixels must have at least 158203 bytes"), message);
  }

  @Test
  void refusesTruncatedAndDamaged() throws IOException {
    byte[] jpeg = Samples.coded("jpeg", BufferedImage.TYPE_INT_RGB);
    String message = refusal(Arrays.copyOf(jpeg, jpeg.length - 60));
    assertTrue(message.startsWith("must be a well-formed JPEG, found: "), message);
    byte[] png = Samples.coded("png", BufferedImage.TYPE_INT_RGB);
    assertEquals(
        "truncated: must end with the chunk IEND", refusal(Arrays.copyOf(png, png.length - 3)));
    png[50] ^= 1;
    assertTrue(refusal(png).matches("the chunk at byte 33 must have the CRC 0x.*, found 0x.*"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "P5 2 1 255 a|2 samples need 13 bytes, found 12",
        "P5 2 1 255 abc|2 samples need 13 bytes, found 14",
        "P5 2 1 256 abc|2 samples need 15 bytes, found 14",
        "P5 2 1 9 ab|samples must be at most 9, found 97 at index 0",
        "P5 2 1 0 ab|the maximum must be from 1 to 65535, found 0",
        "P5 2 1 65536 ab|the maximum must be at most 65535, found more",
        "P5 2 x|the height must be a decimal number after white space, found x",
        "P5 2|the height must be a decimal number after white space, found the end",
        "P2 2 1 9 1 x|a sample must be a decimal number after white space, found x",
        "P2 2 1 9 1 2 3|2 samples must end the file, found 3 after them",
        "P2 2 1 9 1|2 samples need at least 12 bytes, found 10",
        "P2 2 1 9 1 10|samples must be at most 9, found 10 at index 1",
        "P3 2 1 9 1|this is a PBM or PPM picture, and a picture must be a PNG, JPEG, GIF, BMP, TIFF, WebP or PGM file"
            + " or an IDX file; other kinds can be saved as PNG or JPEG",
      })
  void refusesBadPgm(String text, String message) {
    assertEquals(message, refusal(ascii(text)));
  }

  @Test
  void commentsOfPgm() throws IOException {
    assertArrayEquals(
        new byte[] {0, -1}, read(ascii("P2#a\n# b 7\n2 # c\r1 3\n0 #d\n 3 # e")).pixels());
  }

  @Test
  void largePicturesAreThinned() throws IOException {
    var image = new BufferedImage(5000, 30, BufferedImage.TYPE_BYTE_GRAY);
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    Picture picture = read(bytes.toByteArray());
    assertEquals(2500, picture.cols());
    assertEquals(15, picture.rows());
  }

  /** A profile of linear light would change the grey levels if the decoder applied it. */
  @ParameterizedTest
  @ValueSource(strings = {"", "\u00ff\u00ff\u00ff"}) // a marker may have fill bytes before it
  void profilesOfJpegsAreDropped(String before) throws IOException {
    byte[] plain = Samples.coded("jpeg", BufferedImage.TYPE_INT_RGB);
    byte[] profile = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
    var segment = new ByteArrayOutputStream();
    int first = 4 + ByteBuffer.wrap(plain).getShort(4); // the end of the segment JFIF
    segment.write(plain, 0, first);
    segment.writeBytes(before.getBytes(StandardCharsets.ISO_8859_1));
    segment.writeBytes(new byte[] {(byte) 0xff, (byte) 0xe2});
    segment.writeBytes(ByteBuffer.allocate(2).putShort((short) (2 + 14 + profile.length)).array());
    segment.writeBytes("ICC_PROFILE\0\1\1".getBytes(StandardCharsets.ISO_8859_1));
    segment.writeBytes(profile);
    segment.write(plain, first, plain.length - first);
    byte[] expected = PictureFile.parse("plain", plain.clone(), Picture.MAX_PIXELS).pixels();
    byte[] found = PictureFile.parse("profile", segment.toByteArray(), Picture.MAX_PIXELS).pixels();
    assertArrayEquals(expected, found);
  }
}
