package mlpcuda.compute.cpu;

import java.util.Arrays;
import java.util.Optional;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Order;
import mlpcuda.compute.Targets;

/**
 * Gathers batches. Bytes of one scaling, such as the pixels of images, are looked up in a table;
 * where x already has the background of the batch that it becomes, only the other inputs are
 * written. Other features are read row by row and then scaled.
 */
final class Gathering {
  /** The bytes that are fetched into the first-level cache at once: half of it. */
  private static final int FETCHED = 16 << 10;

  private final WorkSplitter parts;
  private float[] table = {}; // the input for each byte, by the scaling of the last call
  private InputScaling.Uniform tableScaling; // null before the first call

  Gathering(WorkSplitter parts) {
    this.parts = parts;
  }

  /**
   * The images that a batch is made of.
   *
   * @param pixels the pixels of all images of the set
   * @param numbers the number of each image of the batch
   */
  private record Batch(Bytes pixels, int[] numbers) {
    int size() {
      return numbers.length;
    }
  }

  /** A reader of the rows of a set. */
  interface Rows {
    /** Copies the features of an example to the start of an array. */
    void read(int row, float[] to);
  }

  /**
   * One call of {@link #gather}.
   *
   * @param I the inputs of an image
   * @param core the inputs of an image that are no background
   * @param known what x is known to be afterwards; empty: the images have no background
   * @param former the batch in x whose background is that of the new one; empty: there is none
   */
  private record Call(
      Floats x,
      Batch batch,
      int I,
      int core,
      float[] table,
      Optional<Gathered> known,
      Optional<Gathered> former) {
    /**
     * Fetches the pixels of row {@code r} into the cache, and returns a number that depends on
     * them.
     */
    int fetch(int r) {
      int read = known.isPresent() ? known.get().start(r) : 0;
      return read + ArrayMath.fetch(batch.pixels.array, first(r), I);
    }

    /** The byte at which the image of row {@code r} begins. */
    private int first(int r) {
      return batch.pixels.offset + batch.numbers[r] * I;
    }

    /**
     * Sets row {@code r} of x.
     *
     * @param row (I), a work array: the background's value from {@link #core} on
     */
    void row(int r, float[] row) {
      int[] order = batch.pixels.order().pixels();
      if (order.length == 0) {
        ArrayMath.look(row, table, batch.pixels.array, first(r), core);
      } else {
        ArrayMath.look(row, table, batch.pixels.array, first(r), order, core);
      }
      if (former.isPresent()) {
        x.put(r * I, row, core);
        former.get().hide(x, r);
      } else {
        x.put(r * I, row, I);
      }
      if (known.isPresent()) {
        known.get().show(x, r);
      }
    }
  }

  /**
   * Gathers a batch as {@link Ops#gatherForward} does.
   *
   * @param size the examples of the batch, and the inputs of one
   */
  void gather(
      Floats x,
      Targets targets,
      DeviceExamples examples,
      Optional<Order> order,
      LayerSize size,
      InputScaling scaling) {
    int[] numbers = numbers(order, size.B());
    var labels = (Bytes) examples.labels();
    Optional<Floats> weights = examples.weights().map(Floats.class::cast);
    for (int b = 0; b < numbers.length; b++) {
      tell(
          targets,
          b,
          labels.at(numbers[b]),
          weights.isPresent() ? weights.get().get(numbers[b]) : 1);
    }
    int I = size.I();
    if (examples.features() instanceof Bytes pixels) {
      if (scaling instanceof InputScaling.Uniform uniform) {
        gather(x, new Batch(pixels, numbers), I, uniform);
      } else {
        gather(x, (row, to) -> pixels.get(row * I, to, I), numbers, I, scaling);
      }
    } else {
      var floats = (Floats) examples.features();
      gather(x, (row, to) -> floats.get(row * I, to, I), numbers, I, scaling);
    }
  }

  /** The numbers of a batch's examples. */
  private static int[] numbers(Optional<Order> order, int B) {
    int[] numbers = new int[B];
    if (order.isPresent()) {
      var rows = (Ints) order.get().rows();
      int first = ((Ints) order.get().end()).at(0) - B;
      Arrays.setAll(numbers, b -> rows.at(first + b));
    } else {
      Arrays.setAll(numbers, b -> b);
    }
    return numbers;
  }

  /** Sets the targets of row {@code b} of a batch. */
  static void tell(Targets targets, int b, int label, float weight) {
    var y = (Ints) targets.y();
    y.array[y.offset + b] = label;
    if (targets.weights().isPresent()) {
      ((Floats) targets.weights().get()).put(b, weight);
    }
  }

  /** Gathers the rows of those numbers into x. */
  void gather(Floats x, Rows rows, int[] numbers, int I, InputScaling scaling) {
    int B = numbers.length;
    x.overwrite(B * I, InputOrder.natural(I));
    RowScaling map = RowScaling.of(scaling, I);
    parts.run(
        parts.of((long) B * I),
        (part, count) -> {
          float[] row = parts.floats(part, 0, I);
          int to = Workers.bound(B, 1, part + 1, count);
          for (int b = Workers.bound(B, 1, part, count); b < to; b++) {
            rows.read(numbers[b], row);
            map.apply(row);
            x.put(b * I, row, I);
          }
        });
  }

  /** A scaling of rows in the heap. */
  private interface RowScaling {
    void apply(float[] row);

    static RowScaling of(InputScaling scaling, int I) {
      if (scaling instanceof InputScaling.Uniform uniform) {
        float scale = uniform.scale();
        float shift = uniform.shift();
        return row -> ArrayMath.scale(row, scale, shift, I);
      }
      var columns = (InputScaling.PerColumn) scaling;
      float[] centre = new float[I];
      float[] factor = new float[I];
      ((Floats) columns.centre()).get(0, centre, I);
      ((Floats) columns.factor()).get(0, factor, I);
      return row -> ArrayMath.scale(row, centre, factor, I);
    }
  }

  /** Gathers images, whose pixels have so few values that a table beats a conversion. */
  private void gather(Floats x, Batch batch, int I, InputScaling.Uniform scaling) {
    normalise(scaling);
    Bytes pixels = batch.pixels;
    boolean natural = pixels.order().isNatural();
    x.overwrite(batch.size() * I, natural ? InputOrder.natural(I) : pixels.order());
    float[] table = this.table;
    Optional<Gathered> known =
        pixels.background().map(of -> new Gathered(of, batch.numbers, table, I));
    Optional<Gathered> former = x.known(batch.size(), I).filter(had -> had.sameBackground(known));
    int core = known.map(Gathered::core).orElse(I);
    run(new Call(x, batch, I, core, table, known, former));
    known.ifPresent(x::know);
  }

  private void run(Call call) {
    int I = call.I;
    int B = call.batch.size();
    parts.run(
        parts.of((long) B * I),
        (part, count) -> {
          float[] row = parts.floats(part, 0, I);
          Arrays.fill(row, call.core, I, call.table[0]);
          int group = Math.max(1, FETCHED / I);
          int read = 0;
          int to = Workers.bound(B, 1, part + 1, count);
          for (int b = Workers.bound(B, 1, part, count); b < to; b += group) {
            int groupEnd = Math.min(b + group, to);
            for (int r = b; r < groupEnd; r++) {
              read += call.fetch(r);
            }
            for (int r = b; r < groupEnd; r++) {
              call.row(r, row);
            }
          }
          // without a use of it the JIT compiler would drop the reads
          parts.bits(part, 0)[0] = read;
        });
  }

  /** Fills the table of inputs by byte. */
  private void normalise(InputScaling.Uniform scaling) {
    if (!scaling.equals(tableScaling)) {
      table = new float[256];
      for (int v = 0; v < table.length; v++) {
        table[v] = v * scaling.scale() + scaling.shift();
      }
      tableScaling = scaling;
    }
  }
}
