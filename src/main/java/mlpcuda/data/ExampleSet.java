package mlpcuda.data;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import mlpcuda.features.Features;

/**
 * Labelled examples of one layout.
 *
 * @param layout what the inputs of an example are
 * @param features (N, I)
 * @param labels (N), one unsigned byte an example
 * @param weights (N), by which an example's loss is multiplied while a network learns; empty: all
 *     count the same
 */
public record ExampleSet(
    Layout layout, Features features, byte[] labels, Optional<float[]> weights) {
  /**
   * Labelled grey images in arrays, which are not copied and must not change afterwards.
   *
   * @param rows the height of an image in pixels
   * @param cols the width of an image in pixels
   * @param pixels (N, rows, cols), one unsigned byte a pixel, 0 black
   * @param labels (N), one unsigned byte an image
   */
  public static ExampleSet images(int rows, int cols, byte[] pixels, byte[] labels) {
    Layout.Images layout = Layout.Images.grey(rows, cols);
    return new ExampleSet(layout, Features.of(pixels, layout.inputs()), labels, Optional.empty());
  }

  /** The number of examples, N. */
  public int size() {
    return labels.length;
  }

  /** The largest label of the set. */
  public int largestLabel() {
    int largest = 0;
    for (byte label : labels) {
      largest = Math.max(largest, Byte.toUnsignedInt(label));
    }
    return largest;
  }

  /** The label of an example. */
  public int label(int example) {
    return Byte.toUnsignedInt(labels[example]);
  }

  /** The number of a network's inputs that an example has, I. */
  public int inputs() {
    return layout.inputs();
  }

  /** Whether the examples are images whose pixels are bytes. */
  public boolean isBytes() {
    return features.type() == Features.Type.UINT8;
  }

  /** A copy whose examples have those weights, (N). */
  public ExampleSet withWeights(float[] weights) {
    return new ExampleSet(layout, features, labels, Optional.of(weights));
  }

  /** The examples of those numbers: see {@link Features#rows}. */
  public ExampleSet chosen(int[] examples) {
    byte[] some = new byte[examples.length];
    for (int i = 0; i < examples.length; i++) {
      some[i] = labels[examples[i]];
    }
    return new ExampleSet(
        layout, features.rows(examples), some, weights.map(all -> chosen(all, examples)));
  }

  private static float[] chosen(float[] all, int[] examples) {
    float[] chosen = new float[examples.length];
    for (int i = 0; i < examples.length; i++) {
      chosen[i] = all[examples[i]];
    }
    return chosen;
  }

  /** The first {@code n} examples, where {@code n} is at most {@link #size}. */
  public ExampleSet first(int n) {
    return new ExampleSet(
        layout,
        features.first(n),
        Arrays.copyOf(labels, n),
        weights.map(all -> Arrays.copyOf(all, n)));
  }

  /** The examples one round after another, {@code n} in all; a copy. */
  public ExampleSet repeated(int n) {
    return chosen(IntStream.range(0, n).map(i -> i % size()).toArray());
  }

  /** The CRC-32C of features, labels and weights, which tells two sets apart. */
  public long checksum() {
    var crc = new CRC32C();
    features.update(crc);
    crc.update(labels);
    if (weights.isPresent()) {
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * size());
      bytes.asFloatBuffer().put(weights.get());
      crc.update(bytes);
    }
    return crc.getValue();
  }

  /**
   * Returns copies of grey images with rows and columns exchanged; the labels are shared.
   *
   * @throws IllegalStateException if the examples are no grey images whose pixels are bytes
   */
  public ExampleSet transposed() {
    if (!(layout instanceof Layout.Images images) || images.channels() != 1 || !isBytes()) {
      throw new IllegalStateException("examples that are no grey images cannot be transposed");
    }
    byte[] turned = new byte[Math.multiplyExact(size(), inputs())];
    byte[] image = new byte[inputs()];
    int to = 0;
    for (int example = 0; example < size(); example++) {
      features.read(example, image, 0);
      for (int col = 0; col < images.cols(); col++) {
        for (int row = 0; row < images.rows(); row++) {
          turned[to++] = image[row * images.cols() + col];
        }
      }
    }
    Layout.Images layout = Layout.Images.grey(images.cols(), images.rows());
    return new ExampleSet(layout, Features.of(turned, layout.inputs()), labels, weights);
  }
}
