package mlpcuda.picture;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Small good pictures: a black stroke across white paper, 24 x 20 unless said otherwise. */
final class Samples {
  static final int ROWS = 20;
  static final int COLS = 24;

  private Samples() {}

  /** Returns the grey level of the sample at a pixel. */
  static int light(int y, int x) {
    return y > 3 && y < 15 && Math.abs(x - y) < 3 ? 20 * Math.abs(x - y) : 255;
  }

  /** Returns the sample as encoded by the JDK; {@code type} is a type of {@link BufferedImage}. */
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

  /** Returns an IDX file of three images. */
  static byte[] idx() {
    ByteBuffer bytes = ByteBuffer.allocate(16 + 3 * ROWS * COLS);
    bytes.putInt(0x803).putInt(3).putInt(ROWS).putInt(COLS);
    for (int i = 0; i < 3 * ROWS * COLS; i++) {
      bytes.put((byte) light(i / COLS % ROWS, i % COLS));
    }
    return bytes.array();
  }

  /** A file that libwebp's cwebp and gif2webp made of the stroke, or of its ink on nothing. */
  static byte[] webp(String file) throws IOException {
    try (InputStream in = Samples.class.getResourceAsStream(file + ".webp")) {
      return in.readAllBytes();
    }
  }

  /**
   * Returns a grey TIFF by the JDK with the given compression; a fax compression gets two levels.
   */
  static byte[] tiff(String compression) throws IOException {
    boolean fax = compression.startsWith("CCITT");
    var image =
        new BufferedImage(
            COLS, ROWS, fax ? BufferedImage.TYPE_BYTE_BINARY : BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < ROWS; y++) {
      for (int x = 0; x < COLS; x++) {
        image.getRaster().setSample(x, y, 0, fax ? light(y, x) / 255 : light(y, x));
      }
    }
    ImageWriter writer = ImageIO.getImageWritersByFormatName("tiff").next();
    var bytes = new ByteArrayOutputStream();
    try (var out = new MemoryCacheImageOutputStream(bytes)) {
      writer.setOutput(out);
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionType(compression);
      writer.write(null, new IIOImage(image, null, null), param);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }

  /**
   * Builds a TIFF of one uncompressed strip, byte by byte.
   *
   * @param fields tag and value of further fields, in the order of tags
   * @param strip the bytes of the strip
   */
  static byte[] tiff(boolean little, int rows, int cols, byte[] strip, int... fields) {
    var all = new TreeMap<Integer, Integer>();
    all.putAll(Map.of(256, cols, 257, rows, 259, 1, 273, 8, 277, 1, 278, rows, 279, strip.length));
    for (int i = 0; i < fields.length; i += 2) {
      all.put(fields[i], fields[i + 1]);
    }
    int directory = 8 + strip.length + strip.length % 2;
    ByteBuffer bytes = ByteBuffer.allocate(directory + 6 + 12 * all.size());
    bytes.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    bytes.put((byte) (little ? 'I' : 'M')).put((byte) (little ? 'I' : 'M')).putShort((short) 42);
    bytes.putInt(directory).put(strip).position(directory).putShort((short) all.size());
    all.forEach(
        (tag, value) -> {
          boolean isShort = value < 1 << 16 && !List.of(256, 257, 273, 278, 279).contains(tag);
          bytes.putShort(tag.shortValue()).putShort((short) (isShort ? 3 : 4)).putInt(1);
          if (isShort) {
            bytes.putShort(value.shortValue()).putShort((short) 0);
          } else {
            bytes.putInt(value);
          }
        });
    return bytes.putInt(0).array();
  }
}
