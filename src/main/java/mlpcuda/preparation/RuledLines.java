package mlpcuda.preparation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Removes the lines of ruled and squared paper.
 *
 * <p>A line is thin and straight, nearly level or upright, and crosses the whole picture; the Hough
 * transform finds it. Where a line is removed, the ink is restored from the ink above and below it,
 * so that a stroke that crosses the line stays whole.
 *
 * <p>Sources: Duda, Hart, "Use of the Hough transformation to detect lines and curves in pictures",
 * 1972; the removal of staff lines in Dalitz et al., "A comparative study of staff removal
 * algorithms", 2008.
 */
final class RuledLines {
  /** The greatest thickness of a line, as a share of the picture's longer side. */
  private static final double THICKNESS = 0.025;

  /** The greatest slope of a line against the picture's edge. */
  private static final double SLOPE = 0.14;

  /** A single line covers at least this share of the picture's width; less may be a long stroke. */
  private static final double ALONE = 0.93;

  /** Each of several lines covers at least this share of the picture's width. */
  private static final double AMONG_OTHERS = 0.5;

  /** From this number on, lines confirm each other, and {@link #AMONG_OTHERS} is enough. */
  private static final int OTHERS = 3;

  /** Ink of at least this many times the line's level is a stroke over the line. */
  private static final double OVER_LINE = 1.6;

  /** Only every STEP-th column votes for lines, which halves the time. */
  private static final int STEP = 2;

  /** The search stops after this number of lines, which bounds its time. */
  private static final int MOST = 100;

  private RuledLines() {}

  /**
   * A nearly level line.
   *
   * @param top the line's row at the left border
   * @param fall how many rows lower it ends at the right border
   * @param cover the share of the picture's columns in which it was seen
   */
  private record Line(int top, int fall, double cover) {
    int at(int x, int cols) {
      return top + (int) Math.round((double) fall * x / cols);
    }
  }

  /**
   * Removes level and upright lines.
   *
   * @param floor the difference from the paper up to which a pixel is paper
   */
  static GreyImage removed(GreyImage ink, double floor) {
    return level(level(ink, floor).transposed(), floor).transposed();
  }

  /** Removes the lines that are nearly level. */
  private static GreyImage level(GreyImage ink, double floor) {
    int most = Math.max(2, (int) Math.ceil(THICKNESS * ink.box().longer()));
    boolean[] thin = thin(ink, most, floor);
    double[] light = ink.light().clone();
    for (Line line : lines(thin, ink.rows(), ink.cols(), most)) {
      remove(line, ink, most, floor, light);
    }
    return new GreyImage(ink.rows(), ink.cols(), light);
  }

  /** Marks the pixels where the ink is no higher than a line is thick. */
  private static boolean[] thin(GreyImage ink, int most, double floor) {
    boolean[] thin = new boolean[ink.light().length];
    double[] opened = ink.light().clone();
    Morphology.open(opened, ink.rows(), ink.cols(), most + 1, 1);
    for (int i = 0; i < thin.length; i++) {
      thin[i] = ink.light()[i] - opened[i] > floor;
    }
    return thin;
  }

  /** Finds lines, the most completely drawn first; each pixel counts for one line only. */
  private static List<Line> lines(boolean[] thin, int rows, int cols, int most) {
    int steep = (int) Math.ceil(SLOPE * cols);
    int[][] votes = new int[2 * steep + 1][rows + 2 * steep + 2];
    // A pixel votes in the rows above and below as well, because lines are not quite straight.
    boolean[] near = new boolean[thin.length];
    int[] voters = new int[thin.length];
    int n = 0;
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x += STEP) {
        for (int row = Math.max(0, y - 1); row <= Math.min(rows - 1, y + 1); row++) {
          near[y * cols + x] |= thin[row * cols + x];
        }
        if (near[y * cols + x]) {
          voters[n++] = y * cols + x;
        }
      }
    }
    vote(votes, steep, voters, n, cols, 1);
    var lines = new ArrayList<Line>();
    while (lines.size() < MOST) {
      Line best = best(votes, steep, (cols + STEP - 1) / STEP);
      if (best.cover() < AMONG_OTHERS) {
        break;
      }
      lines.add(best);
      n = 0;
      for (int x = 0; x < cols; x += STEP) {
        for (int y = best.at(x, cols) - most; y <= best.at(x, cols) + most; y++) {
          if (y >= 0 && y < rows && near[y * cols + x]) {
            near[y * cols + x] = false;
            voters[n++] = y * cols + x;
          }
        }
      }
      vote(votes, steep, voters, n, cols, -1);
    }
    if (lines.size() < OTHERS) {
      lines.removeIf(line -> line.cover() < ALONE);
    }
    return lines;
  }

  private static void vote(int[][] votes, int steep, int[] voters, int n, int cols, int vote) {
    int[] ys = new int[n];
    int[] xs = new int[n];
    for (int i = 0; i < n; i++) {
      ys[i] = voters[i] / cols;
      xs[i] = voters[i] % cols;
    }
    int[] falls = new int[cols];
    for (int s = -steep; s <= steep; s++) {
      for (int x = 0; x < cols; x++) {
        falls[x] = (int) Math.round((double) s * x / cols) - steep;
      }
      int[] tops = votes[s + steep];
      for (int i = 0; i < n; i++) {
        tops[ys[i] - falls[xs[i]]] += vote;
      }
    }
  }

  private static Line best(int[][] votes, int steep, int columns) {
    int most = 0;
    int top = 0;
    int fall = 0;
    for (int s = -steep; s <= steep; s++) {
      int[] tops = votes[s + steep];
      for (int i = 0; i < tops.length; i++) {
        if (tops[i] > most || tops[i] == most && Math.abs(s) < Math.abs(fall)) {
          most = tops[i];
          top = i - steep;
          fall = s;
        }
      }
    }
    return new Line(top, fall, (double) most / columns);
  }

  private static void remove(Line line, GreyImage ink, int most, double floor, double[] light) {
    int rows = ink.rows();
    int cols = ink.cols();
    int[] up = new int[cols];
    int[] down = new int[cols];
    for (int x = 0; x < cols; x++) {
      int y = line.at(x, cols);
      while (up[x] <= most && inked(ink, y - up[x] - 1, x, floor)) {
        up[x]++;
      }
      while (down[x] <= most && inked(ink, y + down[x] + 1, x, floor)) {
        down[x]++;
      }
    }
    int above = Arrays.stream(up).sorted().toArray()[cols / 2] + 1;
    int below = Arrays.stream(down).sorted().toArray()[cols / 2] + 1;
    int aside = above + below;
    double[] levels = new double[cols];
    for (int x = 0; x < cols; x++) {
      for (int row = line.at(x, cols) - above; row <= line.at(x, cols) + below; row++) {
        levels[x] = Math.max(levels[x], value(ink.light(), rows, cols, row, x));
      }
    }
    double written = OVER_LINE * GreyImage.median(levels);
    for (int x = 0; x < cols; x++) {
      int y = line.at(x, cols);
      // A stroke that crosses the line may lean to either side.
      double crossing = 0;
      for (int dx = -aside; dx <= aside; dx++) {
        double over = value(light, rows, cols, y - above - 1, x + dx);
        double under = value(light, rows, cols, y + below + 1, x - dx);
        crossing = Math.max(crossing, Math.min(over, under));
      }
      for (int row = Math.max(0, y - above); row <= Math.min(rows - 1, y + below); row++) {
        if (ink.at(row, x) < written) {
          light[row * cols + x] = Math.min(light[row * cols + x], crossing);
        }
      }
    }
  }

  private static boolean inked(GreyImage ink, int y, int x, double floor) {
    return y >= 0 && y < ink.rows() && ink.at(y, x) > floor;
  }

  private static double value(double[] light, int rows, int cols, int y, int x) {
    return y < 0 || y >= rows || x < 0 || x >= cols ? 0 : light[y * cols + x];
  }
}
