package mlpcuda.data;

import java.util.Arrays;

/**
 * Brings a picture of one character to the form of MNIST's images: white ink on black, scaled to 20
 * of 28 pixels with its aspect ratio kept, its centre of mass in the middle. An image that has the
 * form already stays as it is.
 *
 * <p>Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
 * recognition", 1998, III.A; the page of the MNIST database.
 */
public final class MnistForm {
  private static final int LEVELS = 256;

  /** The share of an image's side that the ink's box fills. */
  private static final double BOX = 20.0 / 28;

  /** Ink must differ from the paper by so many levels, or it is the paper's own unevenness. */
  private static final int LEAST_CONTRAST = 16;

  /**
   * Paper's deviations that are taken for paper: normal noise exceeds 4 standard deviations once in
   * 30,000, which is 6 of the median deviations measured here.
   */
  private static final int DEVIATIONS = 6;

  /** The ink is looked for in pictures of at most so many times the image's side. */
  private static final int COARSE = 10;

  /** A quarter of an MNIST image's ink is at least as bright as this: of the first 1000, all. */
  private static final double LEAST_INK = 190;

  /** And mostly as bright as this. */
  private static final double FULL_INK = 250;

  /**
   * The share of the contrast that is taken for what JPEG leaves around ink. Not so in a picture as
   * small as the network's: there the faint rims of strokes are ink.
   */
  private static final double RINGING = 1.0 / 8;

  private MnistForm() {}

  /**
   * The picture in that form, as an input of a network of images of that size.
   *
   * @return (rows, cols), one unsigned byte a pixel, 0 black
   * @throws BadFileException if there is no ink
   */
  public static byte[] of(Picture picture, int rows, int cols) {
    // Averages of many pixels have little noise: large pictures, photographs say, are reduced to
    // find the ink in them, and then cut out whole.
    int most = COARSE * Math.max(rows, cols);
    double k = Math.max(1, Math.max(picture.rows(), picture.cols()) / (double) most);
    Grey coarse =
        scaled(
            picture,
            new Box(0, 0, picture.rows(), picture.cols()),
            levels(),
            Math.max(1, (int) Math.round(picture.rows() / k)),
            Math.max(1, (int) Math.round(picture.cols() / k)));
    double[] ink =
        ink(
            picture.name(),
            coarse,
            Math.max(picture.rows(), picture.cols()) > Math.max(rows, cols) ? RINGING : 0);
    Box found = box(coarse, ink);
    double down = (double) picture.rows() / coarse.rows();
    double right = (double) picture.cols() / coarse.cols();
    Box box =
        new Box(
            (int) Math.floor(found.top() * down),
            (int) Math.floor(found.left() * right),
            (int) Math.min(picture.rows(), Math.ceil(found.bottom() * down)),
            (int) Math.min(picture.cols(), Math.ceil(found.right() * right)));
    double scale = Math.min(rows * BOX / box.rows(), cols * BOX / box.cols());
    Grey character =
        scaled(
            picture,
            box,
            ink,
            (int) Math.min(rows, Math.max(1, Math.round(box.rows() * scale))),
            (int) Math.min(cols, Math.max(1, Math.round(box.cols() * scale))));
    return centred(character, gain(character.light()), rows, cols);
  }

  /** Light, (rows, cols), of no particular unit. */
  private record Grey(int rows, int cols, double[] light) {}

  /** Part of a picture, from top and left up to, without, bottom and right. */
  private record Box(int top, int left, int bottom, int right) {
    int rows() {
      return bottom - top;
    }

    int cols() {
      return right - left;
    }
  }

  private static double[] levels() {
    double[] levels = new double[LEVELS];
    Arrays.setAll(levels, v -> v);
    return levels;
  }

  /**
   * What is ink.
   *
   * @param ringing share of the contrast that is not
   * @return (256), the ink of a pixel of each level, 0 for the paper
   */
  private static double[] ink(String name, Grey grey, double ringing) {
    double[] border = border(grey);
    double paper = median(border);
    double unevenness = median(Arrays.stream(border).map(v -> Math.abs(v - paper)).toArray());
    // Squares: the little that noise adds to each of many pixels must not decide.
    double darker = 0;
    double lighter = 0;
    double darkest = 0;
    double lightest = 0;
    for (double v : grey.light()) {
      double d = v - paper;
      if (d < 0) {
        darker += d * d;
        darkest = Math.max(darkest, -d);
      } else {
        lighter += d * d;
        lightest = Math.max(lightest, d);
      }
    }
    double sign = darker > lighter ? -1 : 1;
    double contrast = darker > lighter ? darkest : lightest;
    if (contrast < LEAST_CONTRAST) {
      throw new BadFileException(
          "%s: blank: ink must differ from the paper by at least %d of 255 levels, found %.0f"
              .formatted(name, LEAST_CONTRAST, contrast));
    }
    double floor = Math.min(Math.max(DEVIATIONS * unevenness, ringing * contrast), contrast / 2);
    double[] ink = new double[LEVELS];
    Arrays.setAll(ink, v -> Math.max(0, sign * (v - paper) - floor));
    return ink;
  }

  /** The outermost pixels. */
  private static double[] border(Grey grey) {
    double[] border = new double[2 * (grey.rows() + grey.cols())];
    int n = 0;
    for (int y = 0; y < grey.rows(); y++) {
      border[n++] = grey.light()[y * grey.cols()];
      border[n++] = grey.light()[(y + 1) * grey.cols() - 1];
    }
    for (int x = 0; x < grey.cols(); x++) {
      border[n++] = grey.light()[x];
      border[n++] = grey.light()[(grey.rows() - 1) * grey.cols() + x];
    }
    return border;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** Around all ink. */
  private static Box box(Grey grey, double[] ink) {
    int top = grey.rows();
    int left = grey.cols();
    int bottom = 0;
    int right = 0;
    for (int y = 0; y < grey.rows(); y++) {
      for (int x = 0; x < grey.cols(); x++) {
        if (ink[(int) Math.round(grey.light()[y * grey.cols() + x])] > 0) {
          top = Math.min(top, y);
          bottom = y + 1;
          left = Math.min(left, x);
          right = Math.max(right, x + 1);
        }
      }
    }
    return new Box(top, left, bottom, right);
  }

  /**
   * What the scaled image is multiplied by: a thin pen's strokes are narrower than a pixel of it,
   * and faint, where MNIST's are white inside.
   */
  private static double gain(double[] light) {
    double[] lit = Arrays.stream(light).filter(v -> v > 0).sorted().toArray();
    double quartile = lit[lit.length * 3 / 4];
    return quartile >= LEAST_INK ? 1 : FULL_INK / quartile;
  }

  /** The character on black, its centre of mass as near to the middle as whole pixels allow. */
  private static byte[] centred(Grey character, double gain, int rows, int cols) {
    byte[] image = new byte[rows * cols];
    int height = character.rows();
    int width = character.cols();
    double mass = 0;
    double down = 0;
    double right = 0;
    double[] light = new double[height * width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        double v = Math.min(255, gain * character.light()[y * width + x]);
        light[y * width + x] = v;
        mass += v;
        down += v * (y + 0.5);
        right += v * (x + 0.5);
      }
    }
    int top = within(rows / 2.0 + 0.5 - down / mass, rows - height);
    int left = within(cols / 2.0 + 0.5 - right / mass, cols - width);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image[(top + y) * cols + left + x] = (byte) Math.round(light[y * width + x]);
      }
    }
    return image;
  }

  private static int within(double start, int most) {
    return (int) Math.max(0, Math.min(most, Math.round(start)));
  }

  /**
   * Where the pixels of a scaled line are from.
   *
   * @param from for each, the first pixel of the line
   * @param weights for each, the shares of that one and its followers; together 1
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
  }

  /**
   * Part of a picture in another size.
   *
   * @param value (256), what each level is worth
   */
  private static Grey scaled(Picture picture, Box box, double[] value, int rows, int cols) {
    Taps across = Taps.of(box.cols(), cols);
    double[] narrow = new double[box.rows() * cols]; // (box.rows, cols)
    for (int y = 0; y < box.rows(); y++) {
      int line = (box.top() + y) * picture.cols() + box.left();
      for (int x = 0; x < cols; x++) {
        double sum = 0;
        double[] weights = across.weights[x];
        for (int j = 0; j < weights.length; j++) {
          sum += weights[j] * value[picture.pixels()[line + across.from[x] + j] & 0xff];
        }
        narrow[y * cols + x] = sum;
      }
    }
    Taps along = Taps.of(box.rows(), rows);
    double[] light = new double[rows * cols];
    for (int y = 0; y < rows; y++) {
      double[] weights = along.weights[y];
      for (int j = 0; j < weights.length; j++) {
        int line = (along.from[y] + j) * cols;
        for (int x = 0; x < cols; x++) {
          light[y * cols + x] += weights[j] * narrow[line + x];
        }
      }
    }
    return new Grey(rows, cols, light);
  }
}
