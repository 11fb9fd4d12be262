package mlpcuda.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import javax.imageio.ImageIO;

/** Small good pictures: a black stroke across white paper, 24 x 20 unless said otherwise. */
final class Samples {
  static final int ROWS = 20;
  static final int COLS = 24;

  private Samples() {}

  /** The light at a place. */
  static int light(int y, int x) {
    return y > 3 && y < 15 && Math.abs(x - y) < 3 ? 20 * Math.abs(x - y) : 255;
  }

  /** Coded by the JDK; {@code type} as {@link BufferedImage} has it. */
  static byte[] coded(String format, int type) throws IOException {
    var image = new BufferedImage(COLS, ROWS, type);
    for (int y = 0; y < ROWS; y++) {
      for (int x = 0; x < COLS; x++) {
        if (type == BufferedImage.TYPE_BYTE_GRAY) {
          image.getRaster().setSample(x, y, 0, light(y, x));
        } else {
          image.setRGB(x, y, 0xff000000 | light(y, x) * 0x10101);
        }
      }
    }
    var bytes = new ByteArrayOutputStream();
    if (!ImageIO.write(image, format, bytes)) {
      throw new IOException("the JDK does not write " + format);
    }
    return bytes.toByteArray();
  }

  static byte[] plainPgm() {
    var text = new StringBuilder("P2 # plain\n%d %d\n255\n".formatted(COLS, ROWS));
    for (int i = 0; i < ROWS * COLS; i++) {
      text.append(light(i / COLS, i % COLS)).append(i % 12 == 11 ? '\n' : ' ');
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] rawPgm(int max) {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes(
        "P5\n%d %d\n%d\n".formatted(COLS, ROWS, max).getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < ROWS * COLS; i++) {
      int sample = light(i / COLS, i % COLS) * max / 255;
      if (max > 255) {
        bytes.write(sample >> 8);
      }
      bytes.write(sample);
    }
    return bytes.toByteArray();
  }

  /** Three images. */
  static byte[] idx() {
    ByteBuffer bytes = ByteBuffer.allocate(16 + 3 * ROWS * COLS);
    bytes.putInt(0x803).putInt(3).putInt(ROWS).putInt(COLS);
    for (int i = 0; i < 3 * ROWS * COLS; i++) {
      bytes.put((byte) light(i / COLS % ROWS, i % COLS));
    }
    return bytes.array();
  }
}
