package mlpcuda.preparation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.preparation.GreyImage.Box;

/**
 * A connected part of the ink.
 *
 * @param pixels indices of the piece's pixels in the image
 * @param mass the sum of the piece's ink
 * @param contact the number of its pixels on the image's border
 * @param box the smallest box around the piece
 * @param thickness the side of the greatest square inside the piece, in pixels
 * @param steepness the share of its mean ink by which the ink falls within two pixels at its edge
 */
record InkPiece(int[] pixels, double mass, int contact, Box box, int thickness, double steepness) {
  private static final int[][] WAYS = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};

  /** An edge of at least this steepness is sharp; in a blurred picture strokes still reach it. */
  private static final double SHARP = 0.2;

  /** A piece at the border whose edge is less steep than this is left over from shading. */
  private static final double SOFT = 0.1;

  /** Finds all pieces with ink above {@code floor}; pixels that touch at a corner are connected. */
  static List<InkPiece> of(GreyImage ink, double floor) {
    int rows = ink.rows();
    int cols = ink.cols();
    boolean[] seen = new boolean[rows * cols];
    int[] queue = new int[rows * cols];
    var pieces = new ArrayList<InkPiece>();
    for (int start = 0; start < seen.length; start++) {
      if (seen[start] || ink.light()[start] <= floor) {
        continue;
      }
      int n = 0;
      queue[n++] = start;
      seen[start] = true;
      double mass = 0;
      int contact = 0;
      int top = rows;
      int left = cols;
      int bottom = 0;
      int right = 0;
      for (int i = 0; i < n; i++) {
        int y = queue[i] / cols;
        int x = queue[i] % cols;
        mass += ink.light()[queue[i]];
        contact += y == 0 || x == 0 || y == rows - 1 || x == cols - 1 ? 1 : 0;
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        for (int row = Math.max(0, y - 1); row <= Math.min(rows - 1, y + 1); row++) {
          for (int col = Math.max(0, x - 1); col <= Math.min(cols - 1, x + 1); col++) {
            int next = row * cols + col;
            if (!seen[next] && ink.light()[next] > floor) {
              seen[next] = true;
              queue[n++] = next;
            }
          }
        }
      }
      int[] pixels = Arrays.copyOf(queue, n);
      var box = new Box(top, left, bottom, right);
      double steepness = steepness(ink, pixels, floor) / (mass / n);
      pieces.add(new InkPiece(pixels, mass, contact, box, thickness(pixels, box, cols), steepness));
    }
    return pieces;
  }

  /** How far the ink falls within two pixels, averaged over the pixels at the edge. */
  private static double steepness(GreyImage ink, int[] pixels, double floor) {
    double fall = 0;
    int edge = 0;
    for (int i : pixels) {
      int y = i / ink.cols();
      int x = i % ink.cols();
      double least = Double.MAX_VALUE;
      boolean outside = false;
      for (int[] way : WAYS) {
        for (int step = 1; step <= 2; step++) {
          int row = y + step * way[0];
          int col = x + step * way[1];
          if (row >= 0 && row < ink.rows() && col >= 0 && col < ink.cols()) {
            outside |= step == 1 && ink.at(row, col) <= floor;
            least = Math.min(least, ink.at(row, col));
          }
        }
      }
      if (outside) {
        fall += ink.at(y, x) - Math.max(0, least);
        edge++;
      }
    }
    return fall / Math.max(1, edge);
  }

  /** The side of the greatest square inside the piece, in pixels. */
  private static int thickness(int[] pixels, Box box, int imageCols) {
    int width = box.cols() + 1;
    // For each pixel, the side of the greatest square whose lower right pixel it is.
    int[] sides = new int[(box.rows() + 1) * width];
    for (int i : pixels) {
      sides[(i / imageCols - box.top() + 1) * width + i % imageCols - box.left() + 1] = 1;
    }
    int most = 0;
    for (int i = width + 1; i < sides.length; i++) {
      if (sides[i] > 0) {
        sides[i] += Math.min(sides[i - 1], Math.min(sides[i - width], sides[i - width - 1]));
        most = Math.max(most, sides[i]);
      }
    }
    return most;
  }

  /** Whether the piece is left over from shading at the border. */
  boolean isShading() {
    return contact > 0 && steepness < SOFT;
  }

  int size() {
    return box.longer();
  }

  /** The distance between the boxes of two pieces in pixels. */
  double gap(InkPiece other) {
    int down = Math.max(box.top() - other.box.bottom(), other.box.top() - box.bottom());
    int right = Math.max(box.left() - other.box.right(), other.box.left() - box.right());
    return Math.hypot(Math.max(0, down), Math.max(0, right));
  }

  /**
   * Rates how much the piece looks like a character. The rating is the piece's mass, reduced if the
   * piece is a patch instead of a stroke, as the rest of a shadow is, if its edge is soft, as a
   * shadow's edge may be, or if it lies along the border, as a desk beside the paper does. A
   * character that the border cuts off touches the border in a few places only, and loses less.
   */
  double worth() {
    double along = (double) contact / (box.rows() + box.cols());
    double clear = contact == 0 ? 1 : along < 0.2 ? 0.4 : along < 0.5 ? 0.05 : 0.002;
    double stroke = Math.max(0.1, Math.min(1, (length() - 1.5) / 4));
    double sharp = Math.max(0.05, Math.min(1, steepness / SHARP));
    return mass * clear * stroke * stroke * sharp * sharp;
  }

  /** The length of the stroke in units of its thickness; 1 for a square. */
  double length() {
    return pixels.length / ((double) thickness * thickness);
  }
}
