package mlpcuda.preparation;

import java.util.Arrays;

/**
 * Removes a desk that is seen beside the paper: a strip of "ink" along a side of the picture with a
 * straight inner edge. A character that touches the strip keeps all ink inside that edge.
 */
final class Desk {
  /** A strip covers at least this share of the picture's side. */
  private static final double ALONG = 0.8;

  /** The greatest width of a strip, as a share of the picture's width. */
  private static final double WIDEST = 0.25;

  /** An edge is straight if its median distance from a line is at most this many pixels. */
  private static final int STRAIGHT = 3;

  private Desk() {}

  /**
   * Removes the strips along all four sides.
   *
   * @param floor the difference from the paper up to which a pixel is paper
   */
  static Grey removed(Grey ink, double floor) {
    double[] light = ink.light().clone();
    int cols = ink.cols();
    int rows = ink.rows();
    strip(light, 0, 1, cols, cols, rows, floor);
    strip(light, (rows - 1) * cols, 1, -cols, cols, rows, floor);
    strip(light, 0, cols, 1, rows, cols, floor);
    strip(light, cols - 1, cols, -1, rows, cols, floor);
    return new Grey(rows, cols, light);
  }

  /**
   * Removes the strip along one side, if there is one.
   *
   * @param start index of the side's first pixel
   * @param along what leads from an index to that of the side's next pixel
   * @param inward what leads from an index to that of the next pixel towards the middle
   * @param length pixels of the side
   * @param depth pixels from this side to the opposite one
   */
  private static void strip(
      double[] light, int start, int along, int inward, int length, int depth, double floor) {
    double[] widths = new double[length];
    int inked = 0;
    int most = (int) (WIDEST * depth);
    for (int i = 0; i < length; i++) {
      int width = 0;
      while (width <= most && light[start + i * along + width * inward] > floor) {
        width++;
      }
      widths[i] = width;
      inked += width > 0 ? 1 : 0;
    }
    if (length < 4 || inked < ALONG * length) {
      return;
    }
    // The medians of both halves give the edge, so that a stroke at the strip does not bend it.
    double first = Grey.median(Arrays.copyOf(widths, length / 2));
    double second = Grey.median(Arrays.copyOfRange(widths, length / 2, length));
    double slope = (second - first) / (length / 2.0);
    double middle = (first + second) / 2;
    for (int i = 0; i < length; i++) {
      widths[i] -= middle + slope * (i - length / 2.0);
    }
    if (middle > most || Grey.deviation(widths, 0) > STRAIGHT) {
      return;
    }
    for (int i = 0; i < length; i++) {
      double edge = middle + slope * (i - length / 2.0) + 2 + Math.abs(slope);
      for (int w = 0; w < Math.min(depth, edge); w++) {
        light[start + i * along + w * inward] = 0;
      }
    }
  }
}
