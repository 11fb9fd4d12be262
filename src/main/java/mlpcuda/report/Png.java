package mlpcuda.report;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * A PNG image of 8-bit RGB (<a href="https://www.w3.org/TR/png-3/">W3C, third edition</a>), built
 * here because AWT and ImageIO need libraries that servers often lack.
 */
final class Png {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final byte RGB = 2; // colour type

  private Png() {}

  /** Bytes of the file whose pixel in column x of row y is {@code rgb[y][x]}, as 0xRRGGBB. */
  static byte[] encode(int[][] rgb) {
    int height = rgb.length;
    int width = rgb[0].length;
    ByteBuffer rows = ByteBuffer.allocate(height * (1 + 3 * width));
    for (int[] row : rgb) {
      rows.put((byte) 0); // no filter
      for (int pixel : row) {
        rows.put((byte) (pixel >> 16)).put((byte) (pixel >> 8)).put((byte) pixel);
      }
    }
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header.put((byte) 8).put(RGB); // bits of a channel; then deflate, filters by row, no interlace
    var out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    chunk(out, "IHDR", header.array());
    chunk(out, "IDAT", deflated(rows.array()));
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    var crc = new CRC32();
    crc.update(name);
    crc.update(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(name);
    out.writeBytes(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  private static byte[] deflated(byte[] data) {
    var deflater = new Deflater();
    try {
      deflater.setInput(data);
      deflater.finish();
      var out = new ByteArrayOutputStream();
      byte[] part = new byte[4096];
      while (!deflater.finished()) {
        out.write(part, 0, deflater.deflate(part));
      }
      return out.toByteArray();
    } finally {
      deflater.end();
    }
  }
}
