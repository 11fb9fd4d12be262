package mlpcuda.picture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;

/** Tests that pictures whose headers would cost much memory or time are refused beforehand. */
class HostilePicturesTest {
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

  private static byte[] little(int length, int... places) {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < places.length; i += 2) {
      bytes.putInt(places[i], places[i + 1]);
    }
    return bytes.array();
  }

  /** The size that a header claims is checked before memory is allocated. */
  @Test
  void claimsAreCheckedFirst() throws IOException {
    String most = "a picture must have sides from 1 to 65535 and at most 4000000 pixels, found ";
    byte[] gif = Samples.coded("gif", BufferedImage.TYPE_BYTE_GRAY);
    int image = 13 + 3 * 256;
    while (gif[image] != 0x2c) { // extensions
      image += 2;
      while (gif[image] != 0) {
        image += 1 + (gif[image] & 0xff);
      }
      image++;
    }
    ByteBuffer.wrap(gif).order(ByteOrder.LITTLE_ENDIAN).putInt(image + 5, 0xffffffff);
    assertEquals(most + "65535x65535", refusal(gif.clone()));
    ByteBuffer.wrap(gif).order(ByteOrder.LITTLE_ENDIAN).putInt(image + 5, 2000 << 16 | 2000);
    assertTrue(refusal(gif).matches("2000x2000 pixels need more than the \\d+ bytes of data"));

    byte[] bmp = Samples.coded("bmp", BufferedImage.TYPE_INT_RGB);
    ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN).putInt(18, 2000).putInt(22, -2000);
    assertTrue(
        refusal(bmp.clone())
            .startsWith("the BMP is cut off, copy it again: it needs 12000054 bytes"));
    ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN).putInt(22, Integer.MIN_VALUE);
    assertEquals(most + "2147483648x2000", refusal(bmp));

    byte[] tiff = Samples.tiff(true, 2000, 2000, new byte[6], 258, 8, 262, 1);
    assertEquals(
        "the TIFF is cut off, copy it again: 2000 lines of 2000 bytes cannot be in 6 bytes",
        refusal(tiff));
    tiff = Samples.tiff(true, 70_000, 3, new byte[6], 258, 8, 262, 1);
    assertEquals(most + "70000x3", refusal(tiff));
    // Tiles larger than the picture would be decoded whole.
    tiff =
        Samples.tiff(
            true, 2, 3, new byte[6], 258, 8, 262, 1, 322, 65520, 323, 65520, 324, 8, 325, 6);
    assertTrue(refusal(tiff).startsWith("the TIFF has strips or tiles of 65520x65520 pixels"));

    byte[] webp = Samples.webp("stroke-lossless");
    ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN).putInt(21, 9999 << 14 | 9999);
    assertEquals(
        "the WebP is damaged: 10000x10000 pixels cannot be in 67 bytes",
        assertThrows(
                BadFileException.class, () -> PictureFile.parse("file", webp, Picture.MAX_PIXELS))
            .getMessage()
            .substring(6));
    ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN).putInt(21, 0x0fffffff);
    assertEquals(most + "16384x16384", refusal(webp));
    // The canvas is small, and the image on it is not.
    byte[] lossy = Samples.webp("ink-lossy-alpha");
    for (int at = 90; ; at++) {
      if (lossy[at] == (byte) 0x9d && lossy[at + 1] == 1 && lossy[at + 2] == 0x2a) {
        ByteBuffer.wrap(lossy).order(ByteOrder.LITTLE_ENDIAN).putInt(at + 3, 1000 << 16 | 1000);
        assertEquals(
            "the WebP is damaged: 1000x1000 pixels cannot be in 38 bytes", refusal(lossy.clone()));
        ByteBuffer.wrap(lossy).order(ByteOrder.LITTLE_ENDIAN).putInt(at + 3, 0x3fff3fff);
        break;
      }
    }
    assertEquals(most + "16383x16383", refusal(lossy));
  }

  /** A BMP can hold other formats, and name a file on the machine that reads it. */
  @Test
  void whatABmpMayHoldBesides() throws IOException {
    byte[] bmp = Samples.coded("bmp", BufferedImage.TYPE_INT_RGB);
    for (int compression : new int[] {4, 5, 6, -1}) {
      ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN).putInt(30, compression);
      assertTrue(refusal(bmp.clone()).startsWith("the BMP has the compression " + compression));
    }
    // A header of version 5 with a linked profile, and one pixel.
    byte[] linked = little(14 + 124 + 4 + 20, 2, 162, 10, 138, 14, 124, 18, 1, 22, 1);
    linked[0] = 'B';
    linked[1] = 'M';
    ByteBuffer view = ByteBuffer.wrap(linked).order(ByteOrder.LITTLE_ENDIAN);
    view.putShort(26, (short) 1).putShort(28, (short) 24).putInt(34, 4);
    view.putInt(14 + 56, 0x4c494e4b).putInt(14 + 112, 128).putInt(14 + 116, 12);
    view.position(142).put("/etc/passwd\0".getBytes(StandardCharsets.US_ASCII));
    assertArrayEquals(new byte[] {0}, read(linked).pixels());
  }

  /** Strips that share their bytes would have these decoded over and over. */
  @Test
  void stripsThatLieOverOneAnother() {
    int rows = 1000;
    int at = 8 + 64;
    byte[] strip = new byte[64 + 8 * rows];
    for (int i = 0; i < rows; i++) {
      ByteBuffer view = ByteBuffer.wrap(strip).order(ByteOrder.LITTLE_ENDIAN);
      view.putInt(64 + 4 * i, 8).putInt(64 + 4 * (rows + i), 64);
    }
    byte[] tiff =
        Samples.tiff(true, rows, 64, strip, 258, 8, 262, 1, 278, 1, 273, at, 279, at + 4 * rows);
    ByteBuffer view = ByteBuffer.wrap(tiff).order(ByteOrder.LITTLE_ENDIAN);
    for (int field = view.getInt(4) + 2; field < tiff.length - 12; field += 12) {
      if (view.getShort(field) == 273 || view.getShort(field) == 279) {
        view.putInt(field + 4, rows);
      }
    }
    assertEquals("the TIFF is cut off or damaged, copy it again", refusal(tiff));
  }

  /**
   * Each transformation takes three bits, and the decoder would apply all of them to each pixel.
   */
  @Test
  void webpOfManyTransformations() {
    byte[] webp = transformations(1 << 16);
    assertEquals("the WebP is damaged: one transformation comes twice", refusal(webp));
  }

  static byte[] transformations(int length) {
    byte[] webp = new byte[length];
    ByteBuffer view = ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN);
    view.putInt(0x46464952).putInt(length - 8).putInt(0x50424557);
    view.putInt(0x4c385056).putInt(length - 20).put((byte) 0x2f).putInt(1999 << 14 | 1999);
    int bit = 0;
    for (int i = 25; i < length; i++) {
      for (int b = 0; b < 8; b++, bit++) {
        webp[i] |= (byte) ((bit % 3 == 1 ? 0 : 1) << b); // 1, then 10: subtract green
      }
    }
    return webp;
  }
}
