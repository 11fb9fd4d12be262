package mlpcuda.compute.cpu;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.BiFunction;
import mlpcuda.compute.Activation;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.Products.Examples;
import mlpcuda.compute.cpu.Products.Tile;

/**
 * The layers: products, and activations on the tiles that a thread has just made.
 *
 * <p>The first layer's products leave out the {@link Background} of the images that were gathered:
 * a border that all of them have contributes the same to each, and its few other pixels are added
 * one by one. In other than single precision the products are whole, as operands are copied and
 * rounded before each product: that is to show what a GPU does, and saves no time.
 */
final class Layers implements AutoCloseable {
  private final WorkSplitter parts;
  private final Precision precision;
  private final BiFunction<String, Integer, Floats> allocator;
  private final Products products;
  private final ColumnCache[] columns; // one of each part
  private final Floats[] operands = new Floats[3]; // rounded operands of products, by slot

  /**
   * The layers of a device.
   *
   * @param allocator allocates floats, by name and length
   * @param smallKernels see {@link Products}
   */
  Layers(
      WorkSplitter parts,
      Precision precision,
      BiFunction<String, Integer, Floats> allocator,
      boolean smallKernels) {
    this.parts = parts;
    this.precision = precision;
    this.allocator = allocator;
    products = new Products(allocator, smallKernels);
    columns = new ColumnCache[parts.most()];
    Arrays.setAll(columns, part -> new ColumnCache());
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
          ArrayMath.round(block, size, precision);
          rounded.put(from, block, size);
        });
    return rounded;
  }

  /**
   * The images whose background a product with x leaves out; empty: the product is whole. What is
   * added for the background is made of operands that are not rounded.
   */
  private Optional<Gathered> leftOut(Floats x, LayerSize size) {
    return precision == Precision.FP32 ? x.known(size.B(), size.I()) : Optional.empty();
  }

  /** Computes a layer's outputs as {@link Ops#linearForward} does. */
  void forward(Floats y, Floats x, Floats w, Floats b, LayerSize size, Activation activation) {
    w.arrange(size.weights(), x.order(size.inputs(), size.I()));
    Optional<Gathered> gathered = leftOut(x, size);
    int width = gathered.map(Gathered::core).orElse(size.I());
    int count = parts.ofProduct(2L * size.B() * width * size.O());
    if (gathered.isPresent()) {
      products.prepareOnes(size.I());
      products.prepareSums(0, count, size.O());
    }
    Floats xOperand = operand(0, x, size.inputs());
    Floats wOperand = operand(1, w, size.weights());
    parts.run(
        count,
        (part, all) -> {
          Tile tile = Tile.of(size.B(), size.O(), part, all);
          if (!tile.isEmpty()) {
            products.output(tile, y, xOperand, wOperand, width, size);
            float[] bias = parts.floats(part, 1, tile.columns());
            b.get(tile.column(), bias, tile.columns());
            gathered.ifPresent(images -> addBackground(part, tile, bias, images, w));
            activate(part, new Outputs(y, tile, size.O()), bias, gathered, w, activation);
          }
        });
  }

  /** Adds to the biases of a tile's outputs what the background contributes to all images alike. */
  private void addBackground(int part, Tile tile, float[] bias, Gathered gathered, Floats w) {
    int n = tile.columns();
    float[] row = parts.floats(part, 0, n);
    Floats sums = products.sum(part);
    products.rowSums(tile, sums, w, gathered.core(), gathered.I(), gathered.value());
    sums.get(0, row, n);
    ArrayMath.add(bias, row, n);
    columns[part].begin(gathered.I() - gathered.core(), n);
  }

  /** A tile of a layer's outputs y (B, O). */
  private record Outputs(Floats y, Tile tile, int O) {
    void get(int r, float[] row) {
      y.get(r * O + tile.column(), row, tile.columns());
    }

    void put(int r, float[] row) {
      y.put(r * O + tile.column(), row, tile.columns());
    }
  }

  /**
   * Adds the biases and applies the activation.
   *
   * @param gathered the images whose background y lacks; empty: y is whole
   */
  private void activate(
      int part,
      Outputs outputs,
      float[] bias,
      Optional<Gathered> gathered,
      Floats w,
      Activation activation) {
    Tile tile = outputs.tile;
    int n = tile.columns();
    float[] row = parts.floats(part, 0, n);
    for (int r = tile.row(); r < tile.row() + tile.rows(); r++) {
      outputs.get(r, row);
      ArrayMath.add(row, bias, n);
      if (gathered.isPresent()) {
        gathered.get().addTo(row, r, w, tile.column(), n, columns[part]);
      }
      ArrayMath.activate(row, n, activation);
      outputs.put(r, row);
    }
  }

  /**
   * The gradients of weights and biases that a part of the work computes.
   *
   * @param dw the buffer that has the weights' gradients at its beginning
   * @param db the buffer that has the biases' gradients from its element {@code at} on
   * @param O the outputs of the layer
   */
  private record Sums(Floats dw, Floats db, int at, int O) {}

  /** Computes a layer's gradients as {@link Ops#linearBackward} does. */
  void backward(
      LayerGradients gradients, Floats dy, Floats x, Floats w, LayerSize size, Activation below) {
    var dw = (Floats) gradients.dw();
    Floats db = ((Floats) gradients.db()).natural();
    Optional<Floats> dx = gradients.dx().map(Floats.class::cast);
    int I = size.I();
    int O = size.O();
    InputOrder order = x.order(size.inputs(), I);
    dw.overwrite(size.weights(), order);
    dx.ifPresent(
        to -> {
          to.overwrite(size.inputs(), order);
          w.arrange(size.weights(), order);
        });
    Optional<Gathered> gathered = leftOut(x, size);
    int width = gathered.map(Gathered::core).orElse(I);
    int count = parts.ofProduct(2L * size.B() * O * (width + (dx.isPresent() ? I : 0)));
    // no part is empty
    boolean byBatch = count > 1 && size.B() >= (long) Math.max(O, Tile.UNIT) * count;
    products.prepareOnes(size.B());
    products.prepareSums(1, byBatch ? count : 1, size.weights() + O);
    Floats dyOperand = operand(0, dy, size.outputs());
    Floats xOperand = operand(1, x, size.inputs());
    Optional<Floats> wOperand = dx.map(to -> operand(2, w, size.weights()));
    parts.run(
        count,
        (part, all) -> {
          Tile inputs = Tile.rows(size.B(), I, part, all);
          // Large data stays with one processor: the rows of x that it wrote, in a long batch, or
          // else the weights that it will change.
          Tile weights = byBatch ? Tile.rows(O, width, 0, 1) : Tile.rows(O, width, part, all);
          Examples examples =
              byBatch ? new Examples(inputs.row(), inputs.rows()) : new Examples(0, size.B());
          Sums sums =
              byBatch && part > 0
                  ? new Sums(products.sum(part), products.sum(part), size.weights(), O)
                  : new Sums(dw, db, 0, O);
          if (!weights.isEmpty()) {
            products.gradients(weights, sums.dw, dyOperand, xOperand, examples, size);
            products.biasGradients(weights, sums.db, sums.at, dy, examples, O);
            gathered.ifPresent(
                images -> backgroundGradients(part, weights, sums, dy, images, examples));
          }
          if (wOperand.isPresent() && !inputs.isEmpty()) {
            Floats to = dx.get();
            products.inputGradient(inputs, to, dyOperand, wOperand.get(), size);
            int begin = inputs.row() * I;
            var elements = new Range(begin, begin + inputs.rows() * I);
            differentiate(part, to, to, x, elements, below);
          }
        });
    if (byBatch) {
      addSums(dw, 0, size.weights(), count);
      addSums(db, size.weights(), O, count);
    }
  }

  /**
   * Computes the columns of dw that {@link Products#gradients} leaves out: those of the background.
   */
  private void backgroundGradients(
      int part, Tile weights, Sums to, Floats dy, Gathered gathered, Examples examples) {
    int n = weights.rows();
    int core = gathered.core();
    int width = gathered.I() - core;
    float[] gradients = parts.floats(part, 0, n);
    ColumnCache sums = columns[part]; // columns of dw, for inputs with listed pixels
    sums.begin(width, n);
    for (int r = examples.from(); r < examples.from() + examples.count(); r++) {
      if (gathered.start(r) < gathered.end(r)) {
        dy.get(r * to.O + weights.row(), gradients, n);
        gathered.addTo(sums, r, gradients, n);
      }
    }
    float[] bias = parts.floats(part, 1, n);
    float[] row = parts.floats(part, 2, width);
    to.db.get(to.at + weights.row(), bias, n);
    for (int o = 0; o < n; o++) {
      Arrays.fill(row, 0, width, gathered.value() * bias[o]);
      sums.addRow(row, o);
      to.dw.put((weights.row() + o) * gathered.I() + core, row, width);
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
            ArrayMath.add(block, sum, size);
          }
          gradients.put(from, block, size);
        });
  }

  /** The elements {@code from} … {@code to − 1}. */
  record Range(int from, int to) {}

  /** dx = dy ⊙ activation′(y) over some elements; dx may be dy. */
  void differentiate(
      int part, Floats dx, Floats dy, Floats y, Range elements, Activation activation) {
    if (activation == Activation.NONE && dx == dy) {
      return;
    }
    float[] d = parts.floats(part, 0);
    float[] of = parts.floats(part, 1);
    int[] dBits = parts.bits(part, 0);
    int[] ofBits = parts.bits(part, 1);
    for (int i = elements.from; i < elements.to; i += WorkSplitter.BLOCK) {
      int n = Math.min(WorkSplitter.BLOCK, elements.to - i);
      if (activation == Activation.RELU) {
        dy.get(i, dBits, n);
        y.get(i, ofBits, n);
        ArrayMath.keepWherePositive(dBits, ofBits, n);
        dx.put(i, dBits, n);
      } else {
        dy.get(i, d, n);
        y.get(i, of, n);
        ArrayMath.differentiate(d, of, n, activation);
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
