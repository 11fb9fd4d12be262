package mlpcuda;

import java.util.Objects;
import java.util.Optional;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.features.Features;

/** Labelled examples of one layout: images of one size, or rows of numbers. */
public final class Examples {
  private final ExampleSet set;

  Examples(ExampleSet set) {
    this.set = set;
  }

  /**
   * Images in memory. The arrays are not copied, and must not change afterwards.
   *
   * @param rows the height of an image in pixels
   * @param cols the width of an image in pixels
   * @param pixels (N, rows, cols), one unsigned byte a pixel, 0 black
   * @param labels (N), one unsigned byte an image
   * @throws IllegalArgumentException if the arrays do not fit each other, or there is no image
   */
  public static Examples images(int rows, int cols, byte[] pixels, byte[] labels) {
    checkImage(rows, cols);
    if (labels.length == 0 || pixels.length != (long) labels.length * rows * cols) {
      throw new IllegalArgumentException(
          "%d labels of images of %dx%d need %d pixels and at least 1 label, found %d pixels"
              .formatted(
                  labels.length, rows, cols, (long) labels.length * rows * cols, pixels.length));
    }
    return new Examples(ExampleSet.images(rows, cols, pixels, labels));
  }

  /**
   * Rows of numbers in memory. The numbers are copied, the labels are not and must not change
   * afterwards.
   *
   * @param columns the number of columns, I
   * @param values (N, I), finite
   * @param labels (N), one unsigned byte a row
   * @throws IllegalArgumentException if the arrays do not fit each other, there is no row, or a
   *     number is not finite
   */
  public static Examples rows(int columns, float[] values, byte[] labels) {
    if (columns < 1 || labels.length == 0 || values.length != (long) labels.length * columns) {
      throw new IllegalArgumentException(
          "%d labels of rows of %d numbers need as many numbers and at least 1 of each, found %d"
              .formatted(labels.length, columns, values.length));
    }
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException(
            "numbers must be finite, found %s in row %d".formatted(values[i], i / columns));
      }
    }
    return new Examples(
        new ExampleSet(
            Layout.Columns.numbered(columns),
            Features.of(values, columns),
            labels,
            Optional.empty()));
  }

  /** The number of examples, N. */
  public int size() {
    return set.size();
  }

  /** The number of values of an example, I. */
  public int inputs() {
    return set.inputs();
  }

  /** The label of an example, from 0 on. */
  public int label(int example) {
    return set.label(example);
  }

  /** A copy of the values of an example, (I): numbers, or pixels from 0 to 255. */
  public float[] values(int example) {
    float[] values = new float[set.inputs()];
    set.features().read(example, values, 0);
    return values;
  }

  /**
   * A copy of the pixels of an image, one unsigned byte a pixel.
   *
   * @throws IllegalStateException if the examples are no images whose pixels are bytes
   */
  public byte[] pixels(int example) {
    byte[] pixels = new byte[set.inputs()];
    set.features().read(example, pixels, 0);
    return pixels;
  }

  /**
   * Some of the examples, in the order that is given.
   *
   * @param examples the numbers of the examples, each from 0 on and below {@link #size}
   * @throws IndexOutOfBoundsException if there is no example of a number
   */
  public Examples chosen(int... examples) {
    for (int example : examples) {
      Objects.checkIndex(example, size());
    }
    return new Examples(set.chosen(examples));
  }

  /** Refuses images without pixels. */
  static void checkImage(int rows, int cols) {
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException(
          "an image must have at least 1 row and 1 column, found %dx%d".formatted(rows, cols));
    }
  }

  ExampleSet set() {
    return set;
  }
}
