package mlpcuda.preparation;

import java.util.Arrays;
import mlpcuda.picture.Picture;
import mlpcuda.preparation.GreyImage.Box;

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

  /**
   * A larger picture is reduced before its ink is searched: to at most this many times the side of
   * the network's images, which is enough for the finest pen.
   */
  private static final int SEARCHED = 14;

  /**
   * The longest side, in pixels, of a picture whose ink is searched, unless the network's images
   * are larger: the search for lines takes time in proportion to the cube of the side.
   */
  private static final int MOST_SEARCHED = 400;

  /** In each of MNIST's first 1000 images the upper quartile of the ink is at least this level. */
  private static final double LEAST_INK = 190;

  /** The level that the upper quartile of the ink mostly has in MNIST's images. */
  private static final double FULL_INK = 250;

  private MnistForm() {}

  /**
   * Brings a picture to MNIST's form, in the size of a network's images.
   *
   * @param rows height of the network's images in pixels
   * @param cols width of the network's images in pixels
   * @throws mlpcuda.error.BadFileException if there is no ink
   */
  public static Prepared of(Picture picture, int rows, int cols) {
    int longer = Math.max(picture.rows(), picture.cols());
    int side = Math.max(rows, cols);
    int most = Math.max(side, Math.min(SEARCHED * side, MOST_SEARCHED));
    double k = Math.max(1, longer / (double) most);
    GreyImage grey =
        GreyImage.scaled(
            picture,
            Math.max(1, (int) Math.round(picture.rows() / k)),
            Math.max(1, (int) Math.round(picture.cols() / k)));
    Ink ink =
        longer > side ? Ink.photographed(picture.name(), grey) : Ink.plain(picture.name(), grey);
    Box box = ink.box();
    double scale = Math.min(rows * BOX / box.rows(), cols * BOX / box.cols());
    GreyImage character =
        ink.light()
            .scaled(
                box,
                (int) Math.min(rows, Math.max(1, Math.round(box.rows() * scale))),
                (int) Math.min(cols, Math.max(1, Math.round(box.cols() * scale))));
    byte[] pixels = centred(character, gain(character.light()), rows, cols);
    return new Prepared(pixels, ink.warning());
  }

  /**
   * The factor that makes the ink as light as MNIST's. The strokes of a thin pen are narrower than
   * a pixel of the scaled image and therefore faint, while MNIST's strokes are white inside.
   */
  private static double gain(double[] light) {
    double[] lit = Arrays.stream(light).filter(v -> v > 0).sorted().toArray();
    double quartile = lit[lit.length * 3 / 4];
    return quartile >= LEAST_INK ? 1 : FULL_INK / quartile;
  }

  /**
   * Puts the character on black, with its centre of mass as near to the middle as whole pixels
   * allow.
   */
  private static byte[] centred(GreyImage character, double gain, int rows, int cols) {
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
