package mlpcuda.preparation;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.picture.Picture;

/**
 * How a picture becomes an image of a network's size. Pictures must be prepared in the way the
 * training images were: otherwise the network gets images unlike any that it learned from, and its
 * answers are wrong without any error.
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
   * The picture keeps its grey levels and is resized whole. A picture with another aspect ratio
   * than the network's is not stretched, but centred on a ground as light as its border.
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
   * The number of training images that are tested for MNIST's form. Of MNIST 998 of 1000 images
   * have the form, of other data sets hardly any: few images decide, and more would delay each
   * start.
   */
  private static final int SAMPLE = 40;

  /** A picture whose grey levels differ by less than this is blank. */
  private static final double LEAST_CONTRAST = 16;

  private final String label;

  Preparation(String label) {
    this.label = label;
  }

  /** Returns the preparation's name in files and on the command line. */
  public String label() {
    return label;
  }

  /**
   * Returns the preparation with the given label.
   *
   * @throws IllegalArgumentException if no preparation has that label
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
   * Returns the likely preparation for a model file that does not name one: MNIST's form for images
   * of MNIST's size, otherwise as they are.
   */
  public static Preparation usual(int rows, int cols) {
    return rows == 28 && cols == 28 ? MNIST_FORM : AS_IS;
  }

  /**
   * Finds the preparation that makes pictures look like the given training images: MNIST's form, if
   * bringing the training images to that form changes less than half of them. Colour pictures are
   * taken as they are.
   *
   * @param train the training images, whose pixels are bytes
   */
  public static Preparation of(ExampleSet train) {
    var size = (Layout.Images) train.layout();
    if (size.channels() != 1) {
      return AS_IS;
    }
    int sample = Math.min(SAMPLE, train.size());
    int same = 0;
    for (int i = 0; i < sample; i++) {
      int image =
          (int)
              ((long) i
                  * train.size()
                  / sample); // images from all over the set, which may be sorted by class
      byte[] pixels = new byte[train.inputs()];
      train.features().read(image, pixels, 0);
      var picture = new Picture("training image " + image, size.rows(), size.cols(), pixels);
      try {
        byte[] formed = MnistForm.of(picture, size.rows(), size.cols()).pixels();
        same += Arrays.equals(pixels, formed) ? 1 : 0;
      } catch (BadFileException e) {
        // A blank image has no form.
      }
    }
    return 2 * same > sample ? MNIST_FORM : AS_IS;
  }

  /**
   * Turns a picture into an image of the given size.
   *
   * @throws BadFileException if the picture cannot be prepared, for example a blank one
   */
  abstract Prepared of(Picture picture, int rows, int cols);

  /**
   * Resizes a picture as {@link #AS_IS} does, even a blank one.
   *
   * @return (rows, cols)
   */
  public static byte[] resize(Picture picture, int rows, int cols) {
    return resized(picture, rows, cols).pixels();
  }

  private static Prepared resized(Picture picture, int rows, int cols) {
    double scale = Math.min((double) rows / picture.rows(), (double) cols / picture.cols());
    int height = (int) Math.max(1, Math.min(rows, Math.round(scale * picture.rows())));
    int width = (int) Math.max(1, Math.min(cols, Math.round(scale * picture.cols())));
    GreyImage grey = GreyImage.scaled(picture, height, width);
    byte[] image = new byte[rows * cols];
    Arrays.fill(image, (byte) Math.round(GreyImage.median(grey.border())));
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
