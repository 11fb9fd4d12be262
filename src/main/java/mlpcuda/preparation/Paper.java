package mlpcuda.preparation;

import java.util.Arrays;

/**
 * Measures how far each pixel is from the paper around it.
 *
 * <p>The light on a photographed sheet is uneven, and a shadow's edge may be sharp. The paper's
 * light under the ink is therefore estimated by a morphological closing with a window wider than
 * any stroke, which leaves gradients and straight edges in place. Ink is measured as a share of
 * that light, because a shadow dims ink and paper alike.
 *
 * <p>Source: Soille, "Morphological Image Analysis", 2nd edition, 2003, 4.5 (top-hat transforms and
 * uneven illumination).
 */
final class Paper {
  /**
   * The side of the square that {@link #darkness} compares a pixel with, as a share of the
   * picture's longer side.
   */
  private static final double NEIGHBOURHOOD = 0.3;

  /**
   * The side, in pixels, to which {@link #darkness} reduces a picture, because it sorts a square of
   * pixels for each pixel.
   */
  private static final int TINY = 40;

  /**
   * Levels that are added to the paper's light before ink is divided by it, where ink is darker
   * than the paper. The addition keeps the noise of a nearly black corner from being magnified to
   * ink.
   */
  private static final double DARK_GUARD = 16;

  /**
   * The counterpart of {@link #DARK_GUARD} for ink that is lighter than the paper, such as chalk on
   * a blackboard, whose light is small.
   */
  private static final double LIGHT_GUARD = 48;

  private Paper() {}

  /** Whether the ink is darker than the paper, which is even and seen at the picture's border. */
  static boolean isDarker(GreyImage grey) {
    double paper = GreyImage.median(grey.border());
    // Differences are squared, so that noise, which adds a little to many pixels, does not decide.
    double balance = 0;
    for (double v : grey.light()) {
      balance += (v - paper) * Math.abs(v - paper);
    }
    return balance < 0;
  }

  /**
   * Returns the ratio of the pixels that are darker than their neighbourhood to the lighter ones,
   * by squared differences. Below 1 the ink is probably lighter than the paper.
   */
  static double darkness(GreyImage grey) {
    double k = Math.max(1, grey.box().longer() / (double) TINY);
    int rows = (int) Math.max(1, Math.round(grey.rows() / k));
    int cols = (int) Math.max(1, Math.round(grey.cols() / k));
    GreyImage tiny = grey.scaled(grey.box(), rows, cols);
    int reach = (int) Math.round(NEIGHBOURHOOD * Math.max(rows, cols) / 2);
    double[] around = new double[(2 * reach + 1) * (2 * reach + 1)];
    double darker = 1e-9;
    double lighter = 1e-9;
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < cols; x++) {
        int n = 0;
        for (int row = Math.max(0, y - reach); row < Math.min(rows, y + reach + 1); row++) {
          for (int col = Math.max(0, x - reach); col < Math.min(cols, x + reach + 1); col++) {
            around[n++] = tiny.at(row, col);
          }
        }
        double d = tiny.at(y, x) - GreyImage.median(Arrays.copyOf(around, n));
        // The weight falls to 0 at the border, where a desk beside the paper would be.
        double weight =
            Math.sin(Math.PI * (y + 0.5) / rows) * Math.sin(Math.PI * (x + 0.5) / cols) * d * d;
        if (d < 0) {
          darker += weight;
        } else {
          lighter += weight;
        }
      }
    }
    return darker / lighter;
  }

  /**
   * Measures ink on an even paper, whose level is the median of the picture's border.
   *
   * @param darker whether the ink is darker than the paper
   * @return how far each pixel is from the paper in the ink's direction, in levels
   */
  static GreyImage even(GreyImage grey, boolean darker) {
    double paper = GreyImage.median(grey.border());
    double sign = darker ? -1 : 1;
    double[] ink = Arrays.stream(grey.light()).map(v -> sign * (v - paper)).toArray();
    return new GreyImage(grey.rows(), grey.cols(), ink);
  }

  /**
   * Measures ink on a paper that may be unevenly lit.
   *
   * @param darker whether the ink is darker than the paper
   * @param share the closing's window as a share of the picture's longer side; it must exceed the
   *     thickness of a stroke
   * @return how far each pixel is from the paper in the ink's direction, in levels as they would be
   *     under the picture's median light; around 0 on most of the paper
   */
  static GreyImage uneven(GreyImage grey, boolean darker, double share) {
    double[] dark = darker ? grey.light() : Arrays.stream(grey.light()).map(v -> 255 - v).toArray();
    int window = Math.max(3, (int) Math.round(share * Math.max(grey.rows(), grey.cols())));
    double[] paper = closed(dark, grey.rows(), grey.cols(), window);
    double guard = darker ? DARK_GUARD : LIGHT_GUARD;
    double[] light = Arrays.stream(paper).map(v -> (darker ? v : 255 - v) + guard).toArray();
    double usual = GreyImage.median(light);
    double[] ink = new double[dark.length];
    for (int i = 0; i < ink.length; i++) {
      ink[i] = (paper[i] - dark[i]) * usual / light[i];
    }
    double bias =
        GreyImage.median(
            ink); // a closing follows the lightest noise, not the mean light of the paper
    return new GreyImage(grey.rows(), grey.cols(), Arrays.stream(ink).map(v -> v - bias).toArray());
  }

  /**
   * Closes the picture with a square. Beyond its border the picture is continued by its mirror
   * image, so that a stroke that leaves the picture is still found and a dark corner is not taken
   * for ink.
   */
  private static double[] closed(double[] light, int rows, int cols, int window) {
    int height = rows + 2 * window;
    int width = cols + 2 * window;
    double[] wide = new double[height * width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        wide[y * width + x] = light[mirrored(y - window, rows) * cols + mirrored(x - window, cols)];
      }
    }
    Morphology.close(wide, height, width, window, window);
    double[] closed = new double[light.length];
    for (int y = 0; y < rows; y++) {
      System.arraycopy(wide, (y + window) * width + window, closed, y * cols, cols);
    }
    return closed;
  }

  private static int mirrored(int i, int n) {
    int m = Math.floorMod(i, 2 * n);
    return m < n ? m : 2 * n - 1 - m;
  }
}
