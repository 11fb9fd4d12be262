package mlpcuda.report;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * A PNG image of 8-bit grey or RGB (<a href="https://www.w3.org/TR/png-3/">W3C, third edition</a>),
 * encoded here because AWT and ImageIO need libraries that servers often lack.
 */
public final class Png {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  // Colour types.
  private static final byte GREY = 0;
  private static final byte RGB = 2;

  private Png() {}

  /**
   * Encodes a colour image whose pixel in column x of row y is {@code rgb[y][x]}, as 0xRRGGBB;
   * returns the bytes of the file.
   */
  public static byte[] encode(int[][] rgb) {
    int height = rgb.length;
    int width = rgb[0].length;
    ByteBuffer lines = ByteBuffer.allocate(height * (1 + 3 * width));
    for (int[] row : rgb) {
      lines.put((byte) 0); // filter 0: the line is stored as it is
      for (int pixel : row) {
        lines.put((byte) (pixel >> 16)).put((byte) (pixel >> 8)).put((byte) pixel);
      }
    }
    return file(width, height, RGB, lines.array());
  }

  /**
   * Encodes a grey image; returns the bytes of the file.
   *
   * @param grey (rows, cols), one unsigned byte a pixel, 0 black
   */
  public static byte[] encode(byte[] grey, int rows, int cols) {
    ByteBuffer lines = ByteBuffer.allocate(rows * (1 + cols));
    for (int y = 0; y < rows; y++) {
      lines.put((byte) 0).put(grey, y * cols, cols);
    }
    return file(cols, rows, GREY, lines.array());
  }

  /** Makes the file from its lines, each of which begins with the byte of its filter. */
  private static byte[] file(int width, int height, byte colours, byte[] lines) {
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header
        .put((byte) 8)
        .put(colours); // 8 bits a channel; the zeros after it mean deflate and no interlace
    var out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    chunk(out, "IHDR", header.array());
    chunk(out, "IDAT", deflated(lines));
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
