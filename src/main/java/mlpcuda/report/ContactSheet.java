package mlpcuda.report;

import java.util.Arrays;
import mlpcuda.data.Layout;
import mlpcuda.features.Features;

/** Draws the first images of a set side by side, as a PNG. */
public final class ContactSheet {
  private static final int COLUMNS = 10;
  private static final int MOST = 100;

  /** The most pixels of all images together, unless one image has more. */
  public static final int MOST_PIXELS = 4 << 20;

  /** The empty pixels between two images. */
  private static final int GAP = 2;

  private static final int GAP_COLOUR = 0x808080;

  private ContactSheet() {}

  /**
   * Encodes a sheet of up to 100 images, fewer if they are large.
   *
   * @param images (N, I) bytes, or floats, whose smallest and largest on the sheet become black and
   *     white
   * @return the bytes of a PNG file: grey, or RGB if the images have three channels
   */
  public static byte[] encode(Features images, Layout.Images size) {
    int each = Math.max(1, MOST_PIXELS / (size.rows() * size.cols()));
    return encode(images, size, COLUMNS, Math.min(MOST, each));
  }

  /**
   * Encodes a sheet of the first images.
   *
   * @param columns the images of a row
   * @param most the number of images, if the set has so many
   */
  public static byte[] encode(Features images, Layout.Images size, int columns, int most) {
    int count = Math.min(most, images.size());
    int across = Math.min(columns, count);
    int down = (count + across - 1) / across;
    int height = down * (size.rows() + GAP) - GAP;
    int width = across * (size.cols() + GAP) - GAP;
    int[][] rgb = new int[height][width];
    for (int[] row : rgb) {
      Arrays.fill(row, GAP_COLOUR);
    }
    int[][] levels = levels(images, count);
    for (int i = 0; i < count; i++) {
      int top = i / across * (size.rows() + GAP);
      int left = i % across * (size.cols() + GAP);
      draw(levels[i], size, rgb, top, left);
    }
    return size.channels() == 3 ? Png.encode(rgb) : Png.encode(grey(rgb), height, width);
  }

  private static void draw(int[] levels, Layout.Images size, int[][] rgb, int top, int left) {
    int channels = size.channels();
    for (int y = 0; y < size.rows(); y++) {
      for (int x = 0; x < size.cols(); x++) {
        int at = (y * size.cols() + x) * channels;
        int red = levels[at];
        int green = channels == 3 ? levels[at + 1] : red;
        int blue = channels == 3 ? levels[at + 2] : red;
        rgb[top + y][left + x] = red << 16 | green << 8 | blue;
      }
    }
  }

  private static byte[] grey(int[][] rgb) {
    int width = rgb[0].length;
    byte[] grey = new byte[rgb.length * width];
    for (int y = 0; y < rgb.length; y++) {
      for (int x = 0; x < width; x++) {
        grey[y * width + x] = (byte) rgb[y][x];
      }
    }
    return grey;
  }

  /** The values of the first images as levels from 0 to 255. */
  private static int[][] levels(Features images, int count) {
    float[][] values = new float[count][images.width()];
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      images.read(i, values[i], 0);
      for (float value : values[i]) {
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
    }
    if (images.type() == Features.Type.UINT8) {
      least = 0;
      most = 255;
    }
    int[][] levels = new int[count][images.width()];
    for (int i = 0; i < count; i++) {
      for (int p = 0; p < images.width(); p++) {
        double share = most == least ? 0 : (values[i][p] - (double) least) / (most - least);
        levels[i][p] = (int) Math.round(255 * share);
      }
    }
    return levels;
  }
}
