package mlpcuda.preparation;

import java.util.Arrays;

/**
 * Removes a desk that is seen beside the paper: a strip along a side of the picture that looks like
 * ink and has a straight inner edge. A character that touches the strip keeps all ink inside that
 * edge.
 */
final class DeskRemoval {
  /** A strip covers at least this share of the picture's side. */
  private static final double ALONG = 0.8;

  /** The greatest width of a strip, as a share of the picture's width. */
  private static final double WIDEST = 0.25;

  /** An edge is straight if its median distance from a line is at most this many pixels. */
  private static final int STRAIGHT = 3;

  private DeskRemoval() {}

  /**
   * Removes the strips along all four sides.
   *
   * @param floor the difference from the paper up to which a pixel is paper
   */
  static GreyImage removed(GreyImage ink, double floor) {
    double[] light = ink.light().clone();
    int cols = ink.cols();
    int rows = ink.rows();
    strip(light, new Side(0, 1, cols, cols, rows), floor);
    strip(light, new Side((rows - 1) * cols, 1, -cols, cols, rows), floor);
    strip(light, new Side(0, cols, 1, rows, cols), floor);
    strip(light, new Side(cols - 1, cols, -1, rows, cols), floor);
    return new GreyImage(rows, cols, light);
  }

  /**
   * A side of the picture.
   *
   * @param start the index of the side's first pixel
   * @param along the difference of the indices of two neighbours on the side
   * @param inward the difference of the indices of a pixel and its neighbour towards the middle
   * @param length the number of pixels of the side
   * @param depth the number of pixels from the side to the opposite side
   */
  private record Side(int start, int along, int inward, int length, int depth) {
    int index(int i, int distance) {
      return start + i * along + distance * inward;
    }
  }

  /** Removes the strip along one side, if there is one. */
  private static void strip(double[] light, Side side, double floor) {
    int length = side.length;
    double[] widths = new double[length];
    int inked = 0;
    int most = (int) (WIDEST * side.depth);
    for (int i = 0; i < length; i++) {
      int width = 0;
      while (width <= most && light[side.index(i, width)] > floor) {
        width++;
      }
      widths[i] = width;
      inked += width > 0 ? 1 : 0;
    }
    if (length < 4 || inked < ALONG * length) {
      return;
    }
    // The medians of both halves give the edge, so that a stroke at the strip does not bend it.
    double first = GreyImage.median(Arrays.copyOf(widths, length / 2));
    double second = GreyImage.median(Arrays.copyOfRange(widths, length / 2, length));
    double slope = (second - first) / (length / 2.0);
    double middle = (first + second) / 2;
    for (int i = 0; i < length; i++) {
      widths[i] -= middle + slope * (i - length / 2.0);
    }
    if (middle > most || GreyImage.deviation(widths, 0) > STRAIGHT) {
      return;
    }
    for (int i = 0; i < length; i++) {
      double edge = middle + slope * (i - length / 2.0) + 2 + Math.abs(slope);
      for (int w = 0; w < Math.min(side.depth, edge); w++) {
        light[side.index(i, w)] = 0;
      }
    }
  }
}
