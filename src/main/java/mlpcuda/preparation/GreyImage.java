package mlpcuda.preparation;

import java.util.Arrays;
import mlpcuda.picture.Picture;

/**
 * A grey image whose levels may have any range and sign.
 *
 * @param light (rows, cols), in rows
 */
record GreyImage(int rows, int cols, double[] light) {
  /** A part of an image; bottom and right are the first row and column outside. */
  record Box(int top, int left, int bottom, int right) {
    int rows() {
      return bottom - top;
    }

    int cols() {
      return right - left;
    }

    int longer() {
      return Math.max(rows(), cols());
    }
  }

  /** Resizes a whole picture: averages over areas to reduce it, linear interpolation to enlarge. */
  static GreyImage scaled(Picture picture, int rows, int cols) {
    return scaled(
        new Box(0, 0, picture.rows(), picture.cols()),
        rows,
        cols,
        (y, x) -> picture.pixels()[y * picture.cols() + x] & 0xff);
  }

  Box box() {
    return new Box(0, 0, rows, cols);
  }

  double at(int y, int x) {
    return light[y * cols + x];
  }

  /** The image turned over its main diagonal: columns become rows. */
  GreyImage transposed() {
    double[] turned = new double[light.length];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        turned[x * rows + y] = light[y * cols + x];
      }
    }
    return new GreyImage(cols, rows, turned);
  }

  /** Resizes a part of the image. */
  GreyImage scaled(Box box, int rows, int cols) {
    return scaled(box, rows, cols, this::at);
  }

  /** Returns the levels of the outermost pixels; each corner is contained twice. */
  double[] border() {
    double[] border = new double[2 * (rows + cols)];
    int n = 0;
    for (int y = 0; y < rows; y++) {
      border[n++] = at(y, 0);
      border[n++] = at(y, cols - 1);
    }
    for (int x = 0; x < cols; x++) {
      border[n++] = at(0, x);
      border[n++] = at(rows - 1, x);
    }
    return border;
  }

  /** Returns the median difference between neighbouring pixels of a row. */
  double roughness() {
    double[] steps = new double[light.length];
    for (int i = 1; i < steps.length; i++) {
      steps[i] = Math.abs(light[i] - light[i - 1]);
    }
    return median(steps);
  }

  /** Averages each pixel with its neighbours, with weights 1, 2, 1 in both directions. */
  GreyImage smoothed() {
    double[] smooth = new double[light.length];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        double sum = 0;
        for (int j = -1; j <= 1; j++) {
          int row = Math.max(0, Math.min(rows - 1, y + j)) * cols;
          double line =
              light[row + Math.max(0, x - 1)]
                  + 2 * light[row + x]
                  + light[row + Math.min(cols - 1, x + 1)];
          sum += (j == 0 ? 2 : 1) * line;
        }
        smooth[y * cols + x] = sum / 16;
      }
    }
    return new GreyImage(rows, cols, smooth);
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** Returns the median distance of the values from {@code from}. */
  static double deviation(double[] values, double from) {
    return median(Arrays.stream(values).map(v -> Math.abs(v - from)).toArray());
  }

  private interface Source {
    double at(int y, int x);
  }

  private static GreyImage scaled(Box box, int rows, int cols, Source source) {
    Taps across = Taps.of(box.cols(), cols);
    Taps along = Taps.of(box.rows(), rows);
    double[] light = new double[rows * cols];
    double[] line = new double[cols];
    int last = -1; // the row of the source that the line holds
    for (int y = 0; y < rows; y++) {
      double[] weights = along.weights[y];
      for (int j = 0; j < weights.length; j++) {
        int from = along.from[y] + j;
        if (from != last) {
          across.scale(from + box.top(), box.left(), source, line);
          last = from;
        }
        for (int x = 0; x < cols; x++) {
          light[y * cols + x] += weights[j] * line[x];
        }
      }
    }
    return new GreyImage(rows, cols, light);
  }

  /**
   * The weights with which the pixels of a line contribute to the pixels of a resized line.
   *
   * @param from for each resized pixel, the first pixel that contributes
   * @param weights for each resized pixel, the weights from that pixel on; their sum is 1
   */
  private record Taps(int[] from, double[][] weights) {
    /** Averages over areas where {@code to} is less than {@code n}, else linear interpolation. */
    static Taps of(int n, int to) {
      var taps = new Taps(new int[to], new double[to][]);
      double step = (double) n / to;
      for (int i = 0; i < to; i++) {
        if (to < n) {
          double start = i * step;
          double end = Math.min(n, start + step);
          taps.from[i] = (int) start;
          double[] shares = new double[Math.min(n, (int) Math.ceil(end)) - taps.from[i]];
          for (int j = 0; j < shares.length; j++) {
            double pixel = taps.from[i] + j;
            shares[j] = (Math.min(end, pixel + 1) - Math.max(start, pixel)) / (end - start);
          }
          taps.weights[i] = shares;
        } else {
          double centre = Math.max(0, Math.min(n - 1, (i + 0.5) * step - 0.5));
          taps.from[i] = (int) centre;
          double next = centre - taps.from[i];
          taps.weights[i] = next == 0 ? new double[] {1} : new double[] {1 - next, next};
        }
      }
      return taps;
    }

    private void scale(int row, int left, Source source, double[] line) {
      for (int x = 0; x < line.length; x++) {
        double sum = 0;
        for (int j = 0; j < weights[x].length; j++) {
          sum += weights[x][j] * source.at(row, left + from[x] + j);
        }
        line[x] = sum;
      }
    }
  }
}
