package mlpcuda.compute.cpu;

import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.DistortionDraws;
import mlpcuda.compute.DistortionDraws.Affine;
import mlpcuda.compute.DistortionDraws.Erased;
import mlpcuda.random.Philox;

/**
 * The distortion of one image as plain loops over doubles, as {@link Distortion} defines it: what
 * every device is compared with.
 */
final class ReferenceDistortion {
  private final int rows;
  private final int cols;
  private final int channels;
  private final double[] across; // (rows, cols): displacements in pixels
  private final double[] down;
  private final Affine affine;
  private final Erased erased;

  /** The distortion of an example in an epoch. */
  ReferenceDistortion(Distorting distorting, int epoch, int example) {
    Distortion amounts = distorting.amounts();
    rows = distorting.rows();
    cols = distorting.cols();
    channels = distorting.channels();
    across = new double[rows * cols];
    down = new double[rows * cols];
    if (amounts.alpha() > 0) {
      displace(amounts, distorting.seed(), epoch, example);
    }
    var draws = new DistortionDraws(distorting.seed(), epoch, example);
    affine = draws.affine(amounts, rows, cols);
    erased = draws.erased(amounts, rows, cols);
  }

  private void displace(Distortion amounts, long seed, int epoch, int example) {
    double[] randomAcross = new double[rows * cols];
    double[] randomDown = new double[rows * cols];
    int[] words = new int[4];
    for (int pixel = 0; pixel < rows * cols; pixel++) {
      int word = DistortionDraws.NOISE + pixel;
      Philox.block(words, word / 4, example, epoch, Philox.Use.DISTORTION, seed);
      randomAcross[pixel] = DistortionDraws.across(words[word % 4]);
      randomDown[pixel] = DistortionDraws.down(words[word % 4]);
    }
    float[] window = amounts.window();
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        int pixel = row * cols + col;
        across[pixel] = amounts.alpha() * smoothed(randomAcross, window, row, col);
        down[pixel] = amounts.alpha() * smoothed(randomDown, window, row, col);
      }
    }
  }

  /** The mean of a field around a pixel, weighted by the window; outside the field is 0. */
  private double smoothed(double[] field, float[] window, int row, int col) {
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        int far = Math.abs(r - row);
        int wide = Math.abs(c - col);
        if (far < window.length && wide < window.length) {
          sum += (double) window[far] * window[wide] * field[r * cols + c];
        }
      }
    }
    return sum;
  }

  /** The distorted image; both are (rows, cols, channels). */
  double[] of(double[] image) {
    double[] distorted = new double[image.length];
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        boolean isErased =
            row >= erased.top()
                && row < erased.bottom()
                && col >= erased.left()
                && col < erased.right();
        for (int channel = 0; channel < channels && !isErased; channel++) {
          int pixel = row * cols + col;
          double x = affine.xx() * col + affine.xy() * row + affine.x0() + across[pixel];
          double y = affine.yx() * col + affine.yy() * row + affine.y0() + down[pixel];
          distorted[pixel * channels + channel] = between(image, x, y, channel);
        }
      }
    }
    return distorted;
  }

  /** The value at a place between four pixels, interpolated linearly in both directions. */
  private double between(double[] image, double x, double y, int channel) {
    int col = (int) Math.floor(x);
    int row = (int) Math.floor(y);
    double right = x - col;
    double below = y - row;
    double upper =
        (1 - right) * value(image, row, col, channel) + right * value(image, row, col + 1, channel);
    double lower =
        (1 - right) * value(image, row + 1, col, channel)
            + right * value(image, row + 1, col + 1, channel);
    return (1 - below) * upper + below * lower;
  }

  private double value(double[] image, int row, int col, int channel) {
    boolean inside = row >= 0 && row < rows && col >= 0 && col < cols;
    return inside ? image[(row * cols + col) * channels + channel] : 0;
  }
}
