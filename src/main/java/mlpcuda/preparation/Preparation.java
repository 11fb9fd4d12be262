package mlpcuda.preparation;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.ImageSet;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.Picture;

/**
 * How a picture becomes an image of a network's size. It must be what the training images had gone
 * through, or the network is shown what it never saw and answers wrongly without a word.
 */
public enum Preparation {
  /** The picture is brought to {@linkplain MnistForm MNIST's form}. */
  MNIST_FORM("mnist-form") {
    @Override
    Prepared of(Picture picture, int rows, int cols) {
      return MnistForm.of(picture, rows, cols);
    }
  },

  /**
   * The picture keeps its grey levels and is resized whole. Where its aspect ratio is not the
   * network's, it is not stretched: it stands in the middle of a ground as light as its border.
   */
  AS_IS("as-is") {
    @Override
    Prepared of(Picture picture, int rows, int cols) {
      return resized(picture, rows, cols);
    }
  };

  /** The labels of all preparations. */
  public static final List<String> LABELS =
      Arrays.stream(values()).map(Preparation::label).toList();

  /**
   * The number of training images that are tested for MNIST's form. 998 of 1000 images of MNIST
   * have it and hardly one of another data set, so a few decide, and more would delay each start.
   */
  private static final int SAMPLE = 40;

  /** A picture whose grey levels differ by less than this is blank. */
  private static final double LEAST_CONTRAST = 16;

  private final String label;

  Preparation(String label) {
    this.label = label;
  }

  /** Its name in files and on the command line. */
  public String label() {
    return label;
  }

  /**
   * The preparation of that label.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Preparation labelled(String label) {
    for (Preparation preparation : values()) {
      if (preparation.label.equals(label)) {
        return preparation;
      }
    }
    throw new IllegalArgumentException(
        "must be one of %s, found %s".formatted(String.join(", ", LABELS), label));
  }

  /**
   * The likely preparation where a model file does not name it: images of MNIST's size have MNIST's
   * form.
   */
  public static Preparation usual(int rows, int cols) {
    return rows == 28 && cols == 28 ? MNIST_FORM : AS_IS;
  }

  /**
   * Measures which preparation makes pictures look like these training images: MNIST's form, if
   * bringing the images to it changes less than half of them.
   */
  public static Preparation of(ImageSet train) {
    int size = train.pixelsPerImage();
    int sample = Math.min(SAMPLE, train.size());
    int same = 0;
    for (int i = 0; i < sample; i++) {
      int image = (int) ((long) i * train.size() / sample); // all over the set, which may be sorted
      byte[] pixels = Arrays.copyOfRange(train.pixels(), image * size, (image + 1) * size);
      var picture = new Picture("training image " + image, train.rows(), train.cols(), pixels);
      try {
        byte[] formed = MnistForm.of(picture, train.rows(), train.cols()).pixels();
        same += Arrays.equals(pixels, formed) ? 1 : 0;
      } catch (BadFileException e) {
        // The image is blank and has no form.
      }
    }
    return 2 * same > sample ? MNIST_FORM : AS_IS;
  }

  /**
   * Makes a picture an image of that size.
   *
   * @throws BadFileException if the picture cannot be prepared, for example a blank one
   */
  abstract Prepared of(Picture picture, int rows, int cols);

  private static Prepared resized(Picture picture, int rows, int cols) {
    double scale = Math.min((double) rows / picture.rows(), (double) cols / picture.cols());
    int height = (int) Math.max(1, Math.min(rows, Math.round(scale * picture.rows())));
    int width = (int) Math.max(1, Math.min(cols, Math.round(scale * picture.cols())));
    Grey grey = Grey.scaled(picture, height, width);
    byte[] image = new byte[rows * cols];
    Arrays.fill(image, (byte) Math.round(Grey.median(grey.border())));
    int top = (rows - height) / 2;
    int left = (cols - width) / 2;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image[(top + y) * cols + left + x] = (byte) Math.round(grey.light()[y * width + x]);
      }
    }
    double darkest = Arrays.stream(grey.light()).min().getAsDouble();
    double lightest = Arrays.stream(grey.light()).max().getAsDouble();
    return new Prepared(
        image,
        lightest - darkest < LEAST_CONTRAST
            ? Optional.of("The picture is blank: all of it is about equally light.")
            : Optional.empty());
  }
}
