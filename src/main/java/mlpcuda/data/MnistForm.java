package mlpcuda.data;

import java.util.Arrays;
import mlpcuda.data.Grey.Box;

/**
 * Brings a picture of one character to the form of MNIST's images: white ink on black, scaled to 20
 * of 28 pixels with its aspect ratio kept, its centre of mass in the middle. An image that has the
 * form already stays as it is.
 *
 * <p>Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
 * recognition", 1998, III.A; the page of the MNIST database.
 */
public final class MnistForm {
  /** The share of an image's side that the ink's box fills. */
  private static final double BOX = 20.0 / 28;

  /** The ink is looked for in pictures of at most so many times the image's side. */
  private static final int COARSE = 14;

  /** A quarter of an MNIST image's ink is at least as bright as this: of the first 1000, all. */
  private static final double LEAST_INK = 190;

  /** And mostly as bright as this. */
  private static final double FULL_INK = 250;

  private MnistForm() {}

  /**
   * The picture in that form, as an input of a network of images of that size.
   *
   * @throws BadFileException if there is no ink
   */
  public static Prepared of(Picture picture, int rows, int cols) {
    int longer = Math.max(picture.rows(), picture.cols());
    double k = Math.max(1, longer / (double) (COARSE * Math.max(rows, cols)));
    Grey grey =
        Grey.scaled(
            picture,
            Math.max(1, (int) Math.round(picture.rows() / k)),
            Math.max(1, (int) Math.round(picture.cols() / k)));
    Ink ink =
        longer > Math.max(rows, cols)
            ? Ink.photographed(picture.name(), grey)
            : Ink.plain(picture.name(), grey);
    Box box = ink.box();
    double scale = Math.min(rows * BOX / box.rows(), cols * BOX / box.cols());
    Grey character =
        ink.light()
            .scaled(
                box,
                (int) Math.min(rows, Math.max(1, Math.round(box.rows() * scale))),
                (int) Math.min(cols, Math.max(1, Math.round(box.cols() * scale))));
    byte[] pixels = centred(character, gain(character.light()), rows, cols);
    return new Prepared(pixels, ink.warning());
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
}
