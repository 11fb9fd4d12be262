package mlpcuda;

import java.util.Arrays;
import java.util.Optional;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.features.Features;
import mlpcuda.features.FeaturesBuilder;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;

/**
 * Collects examples one by one, as a program meets them. Few of them stay on the heap; more of them
 * are written to a file for temporary data, which is mapped at the end, so that a set may be larger
 * than the heap.
 */
public final class ExamplesBuilder implements AutoCloseable {
  private final Layout layout;
  private final Features.Type type;
  private final FeaturesBuilder features;
  private final byte[] pixels; // (I), a row on its way to the builder
  private byte[] labels = new byte[1024];
  private float[] weights = new float[0]; // empty as long as all examples count the same
  private int size;

  private ExamplesBuilder(Layout layout, Features.Type type) {
    this.layout = layout;
    this.type = type;
    this.features = new FeaturesBuilder(type, layout.inputs());
    this.pixels = new byte[layout.inputs()];
  }

  /**
   * Collects rows of numbers.
   *
   * @param columns the number of columns, I, at least 1
   */
  public static ExamplesBuilder rows(int columns) {
    if (columns < 1) {
      throw new IllegalArgumentException("a row must have at least 1 column, found " + columns);
    }
    return new ExamplesBuilder(Layout.Columns.numbered(columns), Features.Type.FLOAT32);
  }

  /**
   * Collects grey images, one unsigned byte a pixel.
   *
   * @param rows the height of an image in pixels, at least 1
   * @param cols the width of an image in pixels, at least 1
   */
  public static ExamplesBuilder images(int rows, int cols) {
    Examples.checkImage(rows, cols);
    return new ExamplesBuilder(Layout.Images.grey(rows, cols), Features.Type.UINT8);
  }

  /**
   * Collects examples for a network, as its training examples were: numbers, or grey or colour
   * images with one unsigned byte a value.
   *
   * @throws IllegalStateException if the network has no weights
   */
  public static ExamplesBuilder of(Network network) {
    ExampleForm form = network.form();
    return new ExamplesBuilder(
        form.layout(), form instanceof ImageForm ? Features.Type.UINT8 : Features.Type.FLOAT32);
  }

  /** Adds an example that counts as one: see {@link #add(float[], int, float)}. */
  public ExamplesBuilder add(float[] values, int label) {
    return add(values, label, 1);
  }

  /**
   * Adds an example.
   *
   * @param values (I), finite; of an image whole numbers from 0, black, to 255, white
   * @param label the class, from 0 to 255
   * @param weight the number, finite and at least 0, by which the example's loss is multiplied
   * @throws IllegalArgumentException if a number is out of range, or there are not I values
   */
  public ExamplesBuilder add(float[] values, int label, float weight) {
    check(values);
    if (label < 0 || label > 255) {
      throw new IllegalArgumentException("a label must be from 0 to 255, found " + label);
    }
    if (!(weight >= 0) || !Float.isFinite(weight)) {
      throw new IllegalArgumentException("a weight must be finite and at least 0, found " + weight);
    }
    if (type == Features.Type.UINT8) {
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (byte) (int) values[i];
      }
      features.add(pixels, 1);
    } else {
      features.add(values, 1);
    }
    if (size == labels.length) {
      labels = Arrays.copyOf(labels, Math.multiplyExact(2, size));
    }
    if (weight != 1 || weights.length > 0) {
      addWeight(weight);
    }
    labels[size++] = (byte) label;
    return this;
  }

  private void addWeight(float weight) {
    if (size >= weights.length) {
      int known = weights.length == 0 ? 0 : size;
      weights = Arrays.copyOf(weights, labels.length);
      Arrays.fill(weights, known, weights.length, 1); // the examples before the first that differs
    }
    weights[size] = weight;
  }

  private void check(float[] values) {
    if (values.length != layout.inputs()) {
      throw new IllegalArgumentException(
          "an example must have %d values as the first, found %d"
              .formatted(layout.inputs(), values.length));
    }
    boolean bytes = type == Features.Type.UINT8;
    for (int i = 0; i < values.length; i++) {
      float value = values[i];
      if (bytes ? !(value >= 0 && value <= 255 && value == (int) value) : !Float.isFinite(value)) {
        throw new IllegalArgumentException(
            bytes
                ? "pixels must be whole numbers from 0 to 255, found %s at index %d"
                    .formatted(value, i)
                : "numbers must be finite, found %s at index %d".formatted(value, i));
      }
    }
  }

  /** The number of examples so far. */
  public int size() {
    return size;
  }

  /**
   * All examples that were added; the builder takes no more.
   *
   * @throws IllegalStateException if there are none
   */
  public Examples build() {
    if (size == 0) {
      throw new IllegalStateException("a set must have at least 1 example, found none");
    }
    Optional<float[]> all =
        weights.length == 0 ? Optional.empty() : Optional.of(Arrays.copyOf(weights, size));
    return new Examples(new ExampleSet(layout, features.build(), Arrays.copyOf(labels, size), all));
  }

  /** Lets go of the file; examples that were built stay valid. */
  @Override
  public void close() {
    features.close();
  }
}
