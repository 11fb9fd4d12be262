package mlpcuda.data;

import java.util.Arrays;

/**
 * Removes what lies beside the paper: a dark strip along a side of the picture, whose inner edge is
 * straight. A character that touches the strip keeps what is beyond that edge.
 */
final class Desk {
  /** The share of a side along which the strip must go. */
  private static final double ALONG = 0.8;

  /** The strip's greatest width, as a share of the picture's. */
  private static final double WIDEST = 0.25;

  /** So many pixels from a straight line an edge is straight, on the median. */
  private static final int STRAIGHT = 3;

  private Desk() {}

  /**
   * The ink without strips.
   *
   * @param floor what is not more is no ink
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
   * Along one side.
   *
   * @param start the side's first pixel
   * @param along the way to its next one
   * @param inward the way into the picture
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
    // Medians of the halves: a stroke that touches the strip does not bend its edge.
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
