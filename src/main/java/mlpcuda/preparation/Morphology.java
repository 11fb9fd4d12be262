package mlpcuda.preparation;

/**
 * Dilates and erodes images with a rectangle. The rectangle's side doubles from pass to pass, so
 * that a wide window costs few passes.
 *
 * <p>Source: Soille, "Morphological Image Analysis", 2nd edition, 2003, 3.9.
 */
final class Morphology {
  private Morphology() {}

  /** Fills dark spots that are smaller than the rectangle. */
  static void close(double[] light, int rows, int cols, int height, int width) {
    spread(light, rows, cols, height, width, true, true);
    spread(light, rows, cols, height, width, false, false);
  }

  /** Removes light spots that are smaller than the rectangle. */
  static void open(double[] light, int rows, int cols, int height, int width) {
    spread(light, rows, cols, height, width, true, false);
    spread(light, rows, cols, height, width, false, true);
  }

  /** Gives each pixel the greatest value within {@code reach} rows and columns. */
  static void dilate(double[] light, int rows, int cols, int reach) {
    spread(light, rows, cols, reach + 1, reach + 1, true, true);
    spread(light, rows, cols, reach + 1, reach + 1, false, true);
  }

  /**
   * Gives each pixel the greatest or the least value of the rectangle that begins with it or ends
   * with it.
   */
  private static void spread(
      double[] light, int rows, int cols, int height, int width, boolean begins, boolean greatest) {
    for (int done = 1, more; done < height; done += more) {
      more = Math.min(done, height - done);
      for (int n = 0; n < rows - more; n++) {
        int row = (begins ? n : rows - 1 - n) * cols;
        combine(light, row, row + cols, begins ? more * cols : -more * cols, greatest);
      }
    }
    for (int done = 1, more; done < width; done += more) {
      more = Math.min(done, width - done);
      for (int row = 0; row < rows * cols && more < cols; row += cols) {
        if (begins) {
          combine(light, row, row + cols - more, more, greatest);
        } else {
          combineFromEnd(light, row + more, row + cols, -more, greatest);
        }
      }
    }
  }

  private static void combine(double[] light, int from, int to, int away, boolean greatest) {
    if (greatest) {
      for (int i = from; i < to; i++) {
        light[i] = Math.max(light[i], light[i + away]);
      }
    } else {
      for (int i = from; i < to; i++) {
        light[i] = Math.min(light[i], light[i + away]);
      }
    }
  }

  private static void combineFromEnd(double[] light, int from, int to, int away, boolean greatest) {
    for (int i = to - 1; i >= from; i--) {
      light[i] =
          greatest ? Math.max(light[i], light[i + away]) : Math.min(light[i], light[i + away]);
    }
  }
}
