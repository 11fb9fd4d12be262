package mlpcuda.compute.cpu;

import java.util.Arrays;
import java.util.function.BiFunction;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.Products.Tile;

/**
 * The layers, from bytes to gradients: gathering, products, and activations on the tiles that a
 * thread has just made.
 *
 * <p>The first layer's products leave out the {@link Background} of the images that were gathered:
 * a border that all of them have contributes the same to each, and its few other pixels are added
 * one by one. In other than single precision the products are whole, as operands are copied and
 * rounded before each product: that is to show what a GPU does, and saves no time.
 */
final class Layers implements AutoCloseable {
  /** The bytes that are fetched into the first-level cache at once: half of it. */
  private static final int FETCHED = 16 << 10;

  private final Parts parts;
  private final Precision precision;
  private final BiFunction<String, Integer, Floats> allocator;
  private final Products products;
  private final Columns[] columns; // one of each part
  private final Floats[] operands = new Floats[3]; // rounded operands of products, by slot
  private float[] table; // the input for each byte, by the scale and shift of the last gather
  private float tableScale;
  private float tableShift;

  /**
   * The layers of a device.
   *
   * @param allocator allocates floats, by name and length
   * @param smallKernels see {@link Products}
   */
  Layers(
      Parts parts,
      Precision precision,
      BiFunction<String, Integer, Floats> allocator,
      boolean smallKernels) {
    this.parts = parts;
    this.precision = precision;
    this.allocator = allocator;
    products = new Products(allocator, smallKernels);
    columns = new Columns[parts.most()];
    Arrays.setAll(columns, part -> new Columns());
  }

  /** {@link Ops#gatherForward}. */
  void gather(
      Floats x,
      Ints y,
      Bytes pixels,
      Bytes labels,
      Ints rows,
      Ints end,
      int B,
      int I,
      float scale,
      float shift) {
    float[] normalised = normalised(scale, shift);
    Background background = pixels.background();
    InputOrder order = pixels.order().isNatural() ? InputOrder.natural(I) : pixels.order();
    x.overwrite(B * I, order);
    int core = background == null ? I : background.core();
    int first = rows == null ? 0 : end.at(0) - B;
    int[] sources = new int[B];
    var gathered = background == null ? null : new Gathered(background, sources, normalised, I);
    // Where x has this background already, it need not be written.
    Gathered known = x.known(B, I);
    Gathered former = known != null && known.sameBackground(gathered) ? known : null;
    parts.run(
        parts.of((long) B * I),
        (part, count) -> {
          float[] row = parts.floats(part, 0, I);
          Arrays.fill(row, core, I, normalised[0]);
          int group = Math.max(1, FETCHED / I);
          int read = 0;
          int to = Workers.bound(B, 1, part + 1, count);
          for (int b = Workers.bound(B, 1, part, count); b < to; b += group) {
            int groupEnd = Math.min(b + group, to);
            for (int r = b; r < groupEnd; r++) {
              sources[r] = rows == null ? r : rows.at(first + r);
              if (gathered != null) {
                read += gathered.start(r);
              }
              read += Loops.fetch(pixels.array, pixels.offset + sources[r] * I, I);
            }
            for (int r = b; r < groupEnd; r++) {
              gatherRow(x, r, row, pixels, sources[r], normalised, core, former, gathered, I);
              y.array[y.offset + r] = labels.at(sources[r]);
            }
          }
          // without a use of it the JIT compiler would drop the reads
          parts.bits(part, 0)[0] = read;
        });
    if (gathered != null) {
      x.know(gathered);
    }
  }

  /**
   * Sets row {@code r} of x to an image.
   *
   * @param row (I), a work array: the background's value from {@code core} on
   * @param former the batch whose background x has already; null: it must be written
   * @param gathered the batch that x becomes; null: it has no background
   */
  private static void gatherRow(
      Floats x,
      int r,
      float[] row,
      Bytes pixels,
      int image,
      float[] table,
      int core,
      Gathered former,
      Gathered gathered,
      int I) {
    int at = pixels.offset + image * I;
    int[] order = pixels.order().pixels();
    if (order.length == 0) {
      Loops.look(row, table, pixels.array, at, core);
    } else {
      Loops.look(row, table, pixels.array, at, order, core);
    }
    x.put(r * I, row, former == null ? I : core);
    if (former != null) {
      former.hide(x, r);
    }
    if (gathered != null) {
      gathered.show(x, r);
    }
  }

  /** The table of inputs by byte: a byte has so few values that a table beats a conversion. */
  private float[] normalised(float scale, float shift) {
    if (table == null || scale != tableScale || shift != tableShift) {
      table = new float[256];
      for (int v = 0; v < table.length; v++) {
        table[v] = v * scale + shift;
      }
      tableScale = scale;
      tableShift = shift;
    }
    return table;
  }

  /**
   * The first {@code n} elements of x as an operand of a product: rounded, in memory of that slot,
   * or x itself in single precision.
   */
  private Floats operand(int slot, Floats x, int n) {
    if (precision == Precision.FP32) {
      return x;
    }
    Floats former = operands[slot];
    if (former == null || former.length() < n) {
      operands[slot] = allocator.apply("rounded operand", n);
      if (former != null) {
        former.release();
      }
    }
    Floats rounded = operands[slot];
    parts.blocks(
        n,
        (part, from, size) -> {
          float[] block = parts.floats(part, 0);
          x.get(from, block, size);
          Loops.round(block, size, precision);
          rounded.put(from, block, size);
        });
    return rounded;
  }

  /**
   * The images whose background a product with x (B, I) leaves out; null: the product is whole.
   * What is added for the background is made of operands that are not rounded.
   */
  private Gathered leftOut(Floats x, int B, int I) {
    return precision == Precision.FP32 ? x.known(B, I) : null;
  }

  /** {@link Ops#linearForward}. */
  void forward(Floats y, Floats x, Floats w, Floats b, int B, int I, int O, Activation activation) {
    w.arrange(O * I, x.order(B * I, I));
    Gathered gathered = leftOut(x, B, I);
    int width = gathered == null ? I : gathered.core();
    int count = parts.ofProduct(2L * B * width * O);
    if (gathered != null) {
      products.prepareOnes(I);
      products.prepareSums(0, count, O);
    }
    Floats xOperand = operand(0, x, B * I);
    Floats wOperand = operand(1, w, O * I);
    parts.run(
        count,
        (part, all) -> {
          Tile tile = Tile.of(B, O, part, all);
          if (!tile.isEmpty()) {
            products.output(tile, y, xOperand, wOperand, width, I, O);
            activate(part, tile, y, b, O, activation, gathered, w);
          }
        });
  }

  /**
   * y = activation(y + b) on a tile of y (B, O).
   *
   * @param gathered the images whose background y lacks; null: y is whole
   */
  private void activate(
      int part,
      Tile tile,
      Floats y,
      Floats b,
      int O,
      Activation activation,
      Gathered gathered,
      Floats w) {
    int n = tile.columns();
    float[] row = parts.floats(part, 0, n);
    float[] bias = parts.floats(part, 1, n);
    b.get(tile.column(), bias, n);
    if (gathered != null) {
      Floats sums = products.sum(part);
      products.rowSums(tile, sums, w, gathered.core(), gathered.I(), gathered.value());
      sums.get(0, row, n);
      Loops.add(bias, row, n);
      columns[part].begin(gathered.I() - gathered.core(), n);
    }
    for (int r = tile.row(); r < tile.row() + tile.rows(); r++) {
      y.get(r * O + tile.column(), row, n);
      Loops.add(row, bias, n);
      if (gathered != null) {
        gathered.addTo(row, r, w, tile.column(), n, columns[part]);
      }
      Loops.activate(row, n, activation);
      y.put(r * O + tile.column(), row, n);
    }
  }

  /** {@link Ops#linearBackward}; {@code dx} may be null. */
  void backward(
      Floats dx,
      Floats dw,
      Floats db,
      Floats dy,
      Floats x,
      Floats w,
      int B,
      int I,
      int O,
      Activation below) {
    InputOrder order = x.order(B * I, I);
    dw.overwrite(O * I, order);
    if (dx != null) {
      dx.overwrite(B * I, order);
      w.arrange(O * I, order);
    }
    Gathered gathered = leftOut(x, B, I);
    int width = gathered == null ? I : gathered.core();
    int count = parts.ofProduct(2L * B * O * (width + (dx == null ? 0 : I)));
    boolean byBatch = count > 1 && B >= (long) Math.max(O, Tile.UNIT) * count; // no part is empty
    products.prepareOnes(B);
    products.prepareSums(1, byBatch ? count : 1, O * I + O);
    Floats dyOperand = operand(0, dy, B * O);
    Floats xOperand = operand(1, x, B * I);
    Floats wOperand = dx == null ? null : operand(2, w, O * I);
    parts.run(
        count,
        (part, all) -> {
          Tile inputs = Tile.rows(B, I, part, all);
          // Large data stays with one processor: the rows of x that it wrote, in a long batch, or
          // else the weights that it will change.
          Tile weights = byBatch ? Tile.rows(O, width, 0, 1) : Tile.rows(O, width, part, all);
          int from = byBatch ? inputs.row() : 0;
          int rows = byBatch ? inputs.rows() : B;
          boolean sums = byBatch && part > 0;
          Floats dwSum = sums ? products.sum(part) : dw;
          Floats dbSum = sums ? products.sum(part) : db;
          int dbAt = sums ? O * I : 0;
          if (!weights.isEmpty()) {
            products.gradients(weights, dwSum, dyOperand, xOperand, from, rows, I, O);
            products.biasGradients(weights, dbSum, dbAt, dy, from, rows, O);
            if (gathered != null) {
              backgroundGradients(part, weights, dwSum, dbSum, dbAt, dy, gathered, from, rows, O);
            }
          }
          if (dx != null && !inputs.isEmpty()) {
            products.inputGradient(inputs, dx, dyOperand, wOperand, I, O);
            int begin = inputs.row() * I;
            differentiate(part, dx, dx, x, begin, begin + inputs.rows() * I, below);
          }
        });
    if (byBatch) {
      addSums(dw, 0, O * I, count);
      addSums(db, O * I, O, count);
    }
  }

  /**
   * Makes the columns of dw that {@link Products#gradients} leaves out: those of the background.
   */
  private void backgroundGradients(
      int part,
      Tile weights,
      Floats dw,
      Floats db,
      int dbAt,
      Floats dy,
      Gathered gathered,
      int from,
      int rows,
      int O) {
    int n = weights.rows();
    int core = gathered.core();
    int width = gathered.I() - core;
    float[] gradients = parts.floats(part, 0, n);
    Columns sums = columns[part]; // columns of dw, for inputs with listed pixels
    sums.begin(width, n);
    for (int r = from; r < from + rows; r++) {
      if (gathered.start(r) < gathered.end(r)) {
        dy.get(r * O + weights.row(), gradients, n);
        gathered.addTo(sums, r, gradients, n);
      }
    }
    float[] bias = parts.floats(part, 1, n);
    float[] row = parts.floats(part, 2, width);
    db.get(dbAt + weights.row(), bias, n);
    for (int o = 0; o < n; o++) {
      Arrays.fill(row, 0, width, gathered.value() * bias[o]);
      sums.addRow(row, o);
      dw.put((weights.row() + o) * gathered.I() + core, row, width);
    }
  }

  /**
   * Adds to {@code n} gradients the sums of all parts but the first, from their element {@code at}
   * on.
   */
  private void addSums(Floats gradients, int at, int n, int sums) {
    parts.blocks(
        n,
        (part, from, size) -> {
          float[] block = parts.floats(part, 0);
          float[] sum = parts.floats(part, 1);
          gradients.get(from, block, size);
          for (int k = 1; k < sums; k++) {
            products.sum(k).get(at + from, sum, size);
            Loops.add(block, sum, size);
          }
          gradients.put(from, block, size);
        });
  }

  /** dx = dy ⊙ activation′(y) over elements {@code from} … {@code to − 1}; dx may be dy. */
  void differentiate(
      int part, Floats dx, Floats dy, Floats y, int from, int to, Activation activation) {
    if (activation == Activation.NONE && dx == dy) {
      return;
    }
    float[] d = parts.floats(part, 0);
    float[] of = parts.floats(part, 1);
    int[] dBits = parts.bits(part, 0);
    int[] ofBits = parts.bits(part, 1);
    for (int i = from; i < to; i += Parts.BLOCK) {
      int n = Math.min(Parts.BLOCK, to - i);
      if (activation == Activation.RELU) {
        dy.get(i, dBits, n);
        y.get(i, ofBits, n);
        Loops.keepWherePositive(dBits, ofBits, n);
        dx.put(i, dBits, n);
      } else {
        dy.get(i, d, n);
        y.get(i, of, n);
        Loops.differentiate(d, of, n, activation);
        dx.put(i, d, n);
      }
    }
  }

  @Override
  public void close() {
    products.close();
    for (Floats operand : operands) {
      if (operand != null) {
        operand.release();
      }
    }
  }
}
