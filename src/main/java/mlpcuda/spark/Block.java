package mlpcuda.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.Dataset;
import mlpcuda.Examples;
import mlpcuda.ExamplesBuilder;
import mlpcuda.spark.PartitionRows.LabelledRow;

/**
 * Some rows in compact form, on their way from the task that reads them to a task that trains.
 *
 * @param order the place of the block: blocks in ascending order are the rows in their order
 * @param width the number of features of a row, I
 * @param isBytes whether each feature is a whole number from 0 to 255
 * @param features (n, I), as unsigned bytes if they are such numbers, else as floats, the lowest
 *     byte first: Java serialises an array of bytes at once, and one of floats number by number
 * @param labels (n), one unsigned byte a row
 * @param weights (n), the rows' weights; null: all are 1
 * @param held (n), whether a row judges the epochs; null: none does
 */
record Block(
    long order,
    int width,
    boolean isBytes,
    byte[] features,
    byte[] labels,
    float[] weights,
    boolean[] held)
    implements Serializable {
  /** The training rows that stand for a test set. */
  private static final int TESTED = 1000;

  int rows() {
    return labels.length;
  }

  private void read(int row, float[] to) {
    if (!isBytes) {
      floats(features).get(row * width, to, 0, width);
      return;
    }
    for (int i = 0; i < width; i++) {
      to[i] = Byte.toUnsignedInt(features[row * width + i]);
    }
  }

  private static FloatBuffer floats(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  /** Collects rows into blocks. */
  static final class Builder {
    /** The bytes of features of a block, at most, unless one row has more. */
    private static final int MOST = 4 << 20;

    private static final int LEAST = 1 << 16;

    private final int width;
    private final int most; // bytes of features
    private final List<LabelledRow> rows = new ArrayList<>();

    /**
     * A builder beside others.
     *
     * @param builders the number of builders that a task has, which share its memory
     */
    Builder(int width, int builders) {
      this.width = width;
      this.most = Math.max(LEAST, MOST / builders);
    }

    void add(LabelledRow row) {
      rows.add(row);
    }

    boolean isEmpty() {
      return rows.isEmpty();
    }

    boolean isFull() {
      return (long) (rows.size() + 1) * width * Float.BYTES > most;
    }

    /** A block of the rows since the last one. */
    Block take(long order) {
      int n = rows.size();
      boolean bytes = rows.stream().allMatch(row -> isBytes(row.features()));
      byte[] features = new byte[n * width * (bytes ? 1 : Float.BYTES)];
      FloatBuffer floats = floats(features);
      byte[] labels = new byte[n];
      float[] weights = rows.stream().allMatch(row -> row.weight() == 1) ? null : new float[n];
      boolean[] held = rows.stream().anyMatch(LabelledRow::isHeld) ? new boolean[n] : null;
      for (int r = 0; r < n; r++) {
        LabelledRow row = rows.get(r);
        if (bytes) {
          for (int i = 0; i < width; i++) {
            features[r * width + i] = (byte) (int) row.features()[i];
          }
        } else {
          floats.put(row.features());
        }
        labels[r] = (byte) row.label();
        if (weights != null) {
          weights[r] = row.weight();
        }
        if (held != null) {
          held[r] = row.isHeld();
        }
      }
      rows.clear();
      return new Block(order, width, bytes, features, labels, weights, held);
    }

    private static boolean isBytes(float[] row) {
      for (float value : row) {
        if (value != (int) value || value < 0 || value > 255) {
          return false;
        }
      }
      return true;
    }
  }

  /**
   * The rows of blocks as a data set, in the order of the blocks, whichever came first. It has no
   * test set of its own: rows that are there already stand for one, because a training evaluates at
   * its end, and nobody looks at that.
   *
   * @param blocks {@link JavaBytes} of blocks
   * @param shape (2): height and width of images; empty: the rows are numbers
   * @param classes the number of classes
   * @throws BadRowException if there is nothing to learn from, or a pixel is out of range
   */
  static Dataset dataset(Iterator<byte[]> blocks, int inputs, int[] shape, int classes) {
    try (ExamplesBuilder train = builder(inputs, shape);
        ExamplesBuilder judges = builder(inputs, shape)) {
      var trainOrder = new Order();
      var judgesOrder = new Order();
      float[] row = new float[inputs];
      while (blocks.hasNext()) {
        Block block = JavaBytes.read(blocks.next(), Block.class);
        int trained = train.size();
        int judged = judges.size();
        for (int r = 0; r < block.rows(); r++) {
          block.read(r, row);
          boolean judging = block.held != null && block.held[r];
          float weight = block.weights == null ? 1 : block.weights[r];
          (judging ? judges : train).add(row, Byte.toUnsignedInt(block.labels[r]), weight);
        }
        trainOrder.add(block.order, train.size() - trained);
        judgesOrder.add(block.order, judges.size() - judged);
      }
      if (train.size() == 0) {
        throw new BadRowException("the data frame has no rows to learn from");
      }
      Examples examples = trainOrder.apply(train.build());
      Optional<Examples> validation =
          judges.size() == 0 ? Optional.empty() : Optional.of(judgesOrder.apply(judges.build()));
      int[] tested = IntStream.range(0, Math.min(examples.size(), TESTED)).toArray();
      Dataset dataset = Dataset.of(examples, examples.chosen(tested)).withClasses(classes);
      return validation.map(dataset::withValidation).orElse(dataset);
    } catch (IllegalArgumentException e) {
      throw BadRowException.of(e);
    }
  }

  private static ExamplesBuilder builder(int inputs, int[] shape) {
    return shape.length == 0
        ? ExamplesBuilder.rows(inputs)
        : ExamplesBuilder.images(shape[0], shape[1]);
  }

  /** The order of rows that arrived in another one, because a shuffle sends blocks as it likes. */
  private static final class Order {
    /** Rows of a block that lie one after another from index {@code first} on. */
    private record Run(long order, int first, int count) {}

    private final List<Run> runs = new ArrayList<>();
    private int size;

    void add(long order, int count) {
      runs.add(new Run(order, size, count));
      size += count;
    }

    Examples apply(Examples arrived) {
      runs.sort(Comparator.comparingLong(Run::order));
      int[] rows =
          runs.stream()
              .flatMapToInt(run -> IntStream.range(run.first, run.first + run.count))
              .toArray();
      boolean ordered = IntStream.range(0, size).allMatch(i -> rows[i] == i);
      return ordered ? arrived : arrived.chosen(rows);
    }
  }
}
