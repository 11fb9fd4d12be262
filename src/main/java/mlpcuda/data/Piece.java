package mlpcuda.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.data.Grey.Box;

/**
 * A connected part of the ink.
 *
 * @param pixels places in the image
 * @param mass the sum of its light
 * @param contact how many of its pixels are on the image's border
 * @param imageCols the image's width
 * @param steepness by what share of its light the piece's edge falls within two pixels
 */
record Piece(int[] pixels, double mass, int contact, Box box, int imageCols, double steepness) {
  private static final int[][] WAYS = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};

  /** An edge this steep is sharp, though the picture be out of focus. */
  private static final double SHARP = 0.2;

  /** Along the border an edge this flat is none of ink: it is what is left of shading. */
  private static final double SOFT = 0.1;

  /** All pieces where the ink is more than {@code floor}; pixels that touch at corners connect. */
  static List<Piece> of(Grey ink, double floor) {
    int rows = ink.rows();
    int cols = ink.cols();
    boolean[] seen = new boolean[rows * cols];
    int[] queue = new int[rows * cols];
    var pieces = new ArrayList<Piece>();
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
      double steepness = steepness(ink, pixels, floor) / (mass / n);
      pieces.add(
          new Piece(pixels, mass, contact, new Box(top, left, bottom, right), cols, steepness));
    }
    return pieces;
  }

  /** How far the light falls within two pixels, on average of the pixels at the edge. */
  private static double steepness(Grey ink, int[] pixels, double floor) {
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

  /** Whether this is what is left of shading at the border. */
  boolean isShading() {
    return contact > 0 && steepness < SOFT;
  }

  int size() {
    return box.longer();
  }

  /** How far apart the boxes of two pieces are. */
  double gap(Piece other) {
    int down = Math.max(box.top() - other.box.bottom(), other.box.top() - box.bottom());
    int right = Math.max(box.left() - other.box.right(), other.box.left() - box.right());
    return Math.hypot(Math.max(0, down), Math.max(0, right));
  }

  /**
   * How much the piece looks like a character: its mass, less where it is no stroke but a patch, as
   * what remains of a shadow is, where its edge is soft, as light's is, and where it lies along the
   * border, as a desk beside the paper does. A character that is cut off at the border touches it
   * at a few places alone.
   */
  double worth() {
    double along = (double) contact / (box.rows() + box.cols());
    double clear = contact == 0 ? 1 : along < 0.2 ? 0.4 : along < 0.5 ? 0.05 : 0.002;
    double stroke = Math.max(0.1, Math.min(1, (length() - 1.5) / 4));
    double sharp = Math.max(0.05, Math.min(1, steepness / SHARP));
    return mass * clear * stroke * stroke * sharp * sharp;
  }

  /** How many times as long as thick the piece is if it is a stroke; 1 for a square. */
  double length() {
    double thickness = thickness();
    return pixels.length / (thickness * thickness);
  }

  /** The side of the greatest square in the piece. */
  int thickness() {
    int width = box.cols() + 1;
    int[] sides = new int[(box.rows() + 1) * width]; // of squares whose last pixel is this
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
}
