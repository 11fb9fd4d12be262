package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.OPENBLAS_VERSION;

import java.util.Arrays;
import java.util.Map;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.InputOrder;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cpu.Products.Tile;
import mlpcuda.random.Philox;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * The operations on all cores: products by OpenBLAS, the rest by loops that the JIT compiler
 * vectorises.
 *
 * <p>A product of one batch is too small for OpenBLAS's own threads, so each operation is split
 * over {@link Workers} and every part calls OpenBLAS with one thread. Parts depend on the sizes and
 * the number of threads alone, and a sum that they share is added up in their order: the same run
 * gives the same bits.
 *
 * <p>The first layer's products leave out the {@link Background} of the images that were gathered:
 * a border that all of them have contributes the same to each, and its few other pixels one by one.
 * Not so in other than single precision, where operands are copied and rounded before each product:
 * that is to show what a GPU does, and saves no time.
 */
public final class CpuOps extends Ops {
  /** Floats of a block that loops work on: a few of them fit a 32 KiB first-level cache. */
  private static final int BLOCK = 1024;

  /** What a part must have to do to be worth waking a thread for. */
  private static final long GRAIN_ELEMENTS = 4096;

  private static final long GRAIN_FLOPS = 50_000;

  /** Bytes that are fetched into the first-level cache at once: half of it. */
  private static final int FETCHED = 16 << 10;

  private static volatile boolean loaded;

  private final Workers workers;
  private final float[][][] scratch; // by part, by slot
  private final int[][][] bits; // by part, by slot: (BLOCK)
  private final Columns[] columns; // by part
  private float[] table; // of the last gatherForward, with its scale and shift
  private float tableScale;
  private float tableShift;
  private final Products products;
  private final Floats[] operands = new Floats[3]; // of products, rounded

  /** All processors that this Java runtime may use. */
  public CpuOps() {
    this(Runtime.getRuntime().availableProcessors());
  }

  /**
   * {@code threads} threads, at least 1.
   *
   * @throws DeviceException if OpenBLAS cannot be loaded
   */
  public CpuOps(int threads) {
    this(threads, Precision.FP32);
  }

  /** {@code threads} threads, at least 1, and products whose operands have that precision. */
  public CpuOps(int threads, Precision precision) {
    this(threads, precision, Products.hasSmallKernels());
  }

  /**
   * The same.
   *
   * @param smallKernels whether products shall suit OpenBLAS's kernels for small matrices, which it
   *     has for AVX-512
   */
  public CpuOps(int threads, Precision precision, boolean smallKernels) {
    super(precision);
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, found " + threads);
    }
    load();
    products = new Products(this::floats, smallKernels);
    workers = new Workers(threads);
    scratch = new float[threads][4][BLOCK];
    bits = new int[threads][2][BLOCK];
    columns = new Columns[threads];
    Arrays.setAll(columns, part -> new Columns());
  }

  /**
   * Loads OpenBLAS, as the constructors do where it is not loaded.
   *
   * @throws DeviceException if it cannot be
   */
  public static void load() {
    if (loaded) {
      return; // to ask JavaCPP again takes milliseconds of the program's start
    }
    // By default JavaCPP allows no more native memory than the Java heap may have.
    System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    try {
      Loader.load(openblas_nolapack.class);
      openblas_nolapack.blas_set_num_threads(1);
      loaded = true;
    } catch (LinkageError e) {
      throw new DeviceException(
          "OpenBLAS could not be loaded for " + Loader.getPlatform() + ": " + e.getMessage(),
          "Use a jar built on this platform, and a cache folder that allows execution:"
              + " -Dorg.bytedeco.javacpp.cachedir=DIR",
          e);
    }
  }

  @Override
  public String description() {
    return "CPU, %d thread%s, %s%s"
        .formatted(
            workers.count(),
            workers.count() == 1 ? "" : "s",
            OPENBLAS_VERSION.trim(),
            precision() == Precision.FP32 ? "" : ", operands rounded to " + precision().label());
  }

  @Override
  public Map<String, String> versions() {
    return Map.of("OpenBLAS", OPENBLAS_VERSION.trim().replace("OpenBLAS ", ""));
  }

  @Override
  protected void closeK() {
    workers.close();
    products.close();
    for (Floats operand : operands) {
      if (operand != null) {
        operand.release();
      }
    }
  }

  // ---- how work is split ----

  /**
   * One part for each thread, as far as the work is worth waking them. Not more: every part of a
   * product packs its operands anew, which costs more than it evens out.
   */
  private int parts(long work, long grain) {
    return (int) Math.max(1, Math.min(workers.count(), work / grain));
  }

  private int parts(long elements) {
    return parts(elements, GRAIN_ELEMENTS);
  }

  private int productParts(long flops) {
    return parts(flops, GRAIN_FLOPS);
  }

  private float[] scratch(int part, int slot, int n) {
    if (scratch[part][slot].length < n) {
      scratch[part][slot] = new float[n];
    }
    return scratch[part][slot];
  }

  @Override
  public InputOrder inputOrder(byte[] pixels, int I) {
    return precision() == Precision.FP32 ? Background.order(pixels, I) : InputOrder.natural(I);
  }

  // ---- memory ----

  @Override
  protected Buffer allocateK(String name, Type type, int length) {
    return switch (type) {
      case FLOAT32 -> floats(name, length);
      case INT32 -> new Ints(this, name, length);
      case UINT8 -> new Bytes(this, name, new byte[length]);
    };
  }

  private Floats floats(String name, int length) {
    if (length > Floats.MAX_LENGTH) {
      throw outOfMemory(name, length, "a buffer may have at most " + Floats.MAX_LENGTH, null);
    }
    try {
      return new Floats(this, name, length);
    } catch (OutOfMemoryError e) {
      throw outOfMemory(name, length, e.getMessage(), e);
    }
  }

  private DeviceException outOfMemory(String name, int length, String why, Throwable cause) {
    return new DeviceException(
        "Out of memory for %s: %d floats, with %d MiB in use: %s"
            .formatted(name, length, liveBytes() >> 20, why),
        "Lower --hidden, --batch-size or --test-batch-size.",
        cause);
  }

  @Override
  protected Buffer constantK(String name, byte[] values) {
    return new Bytes(this, name, values);
  }

  @Override
  protected Buffer imagesK(String name, byte[] pixels, InputOrder order) {
    return new Bytes(this, name, pixels, order);
  }

  @Override
  protected void writeK(Buffer to, float[] values) {
    ((Floats) to).put(0, values, values.length);
  }

  @Override
  protected void writeK(Buffer to, int[] values, int from, int n) {
    var ints = (Ints) to;
    System.arraycopy(values, from, ints.array, ints.offset, n);
  }

  @Override
  protected void readK(Buffer from, float[] values) {
    ((Floats) from).get(0, values, values.length);
  }

  @Override
  protected void readK(Buffer from, int[] values) {
    var ints = (Ints) from;
    System.arraycopy(ints.array, ints.offset, values, 0, values.length);
  }

  // ---- operations ----

  @Override
  protected void gatherForwardK(
      Buffer x,
      Buffer y,
      Buffer images,
      Buffer labels,
      Buffer rows,
      Buffer end,
      int B,
      int I,
      float scale,
      float shift) {
    float[] normalised = normalised(scale, shift);
    var pixels = (Bytes) images;
    Background background = pixels.background;
    int core = background == null ? I : background.core();
    int first = rows == null ? 0 : ((Ints) end).at(0) - B;
    int[] sources = new int[B];
    var gathered = background == null ? null : new Gathered(background, sources, normalised, I);
    // Where there is background already, it need not be written.
    Gathered known = ((Floats) x).known(B, I);
    Gathered former = known != null && known.sameBackground(gathered) ? known : null;
    workers.run(
        parts((long) B * I),
        (part, parts) -> {
          float[] row = scratch(part, 0, I);
          Arrays.fill(row, core, I, normalised[0]);
          int group = Math.max(1, FETCHED / I);
          int read = 0;
          int to = Workers.bound(B, 1, part + 1, parts);
          for (int b = Workers.bound(B, 1, part, parts); b < to; b += group) {
            int groupEnd = Math.min(b + group, to);
            for (int r = b; r < groupEnd; r++) {
              sources[r] = rows == null ? r : ((Ints) rows).at(first + r);
              if (gathered != null) {
                read += gathered.start(r);
              }
              read += Loops.fetch(pixels.array, pixels.offset + sources[r] * I, I);
            }
            for (int r = b; r < groupEnd; r++) {
              gatherRow(
                  (Floats) x, r, row, pixels, sources[r], normalised, core, former, gathered, I);
              ((Ints) y).array[((Ints) y).offset + r] = ((Bytes) labels).at(sources[r]);
            }
          }
          bits[part][0][0] = read; // else the JIT compiler would see that nobody wants it
        });
    if (gathered != null) {
      ((Floats) x).know(gathered);
    }
  }

  /**
   * Sets row {@code r} of x to an image.
   *
   * @param row (I) for use: the background from {@code core} on
   * @param former what the background in x is of already; null: it must be written
   * @param gathered what it shall be of; null: there is none
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
    if (pixels.order == null) {
      Loops.look(row, table, pixels.array, at, core);
    } else {
      Loops.look(row, table, pixels.array, at, pixels.order, core);
    }
    x.put(r * I, row, former == null ? I : core);
    if (former != null) {
      former.hide(x, r);
    }
    if (gathered != null) {
      gathered.show(x, r);
    }
  }

  /** What each byte becomes: a byte has so few values that a table beats a conversion. */
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
   * The first {@code n} elements of x as an operand, number {@code slot} of an operation's
   * products.
   */
  private Floats operand(int slot, Buffer x, int n) {
    if (precision() == Precision.FP32) {
      return (Floats) x;
    }
    Floats former = operands[slot];
    if (former == null || former.length() < n) {
      operands[slot] = floats("rounded operand", n);
      if (former != null) {
        former.release();
      }
    }
    Floats rounded = operands[slot];
    workers.run(
        parts(n),
        (part, parts) -> {
          float[] block = scratch(part, 0, BLOCK);
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int i = Workers.bound(n, BLOCK, part, parts); i < end; i += BLOCK) {
            int size = Math.min(BLOCK, end - i);
            ((Floats) x).get(i, block, size);
            Loops.round(block, size, precision());
            rounded.put(i, block, size);
          }
        });
    return rounded;
  }

  /**
   * The images whose background a product with x (B, I) leaves out; null: it is whole. Images in an
   * order of their own have a background in every precision, but what is added for it is made of
   * operands that are not rounded.
   */
  private Gathered leftOut(Floats x, int B, int I) {
    return precision() == Precision.FP32 ? x.known(B, I) : null;
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    Gathered gathered = leftOut((Floats) x, B, I);
    int width = gathered == null ? I : gathered.core();
    int parts = productParts(2L * B * width * O);
    if (gathered != null) {
      products.prepareOnes(I);
      products.prepareSums(0, parts, O);
    }
    Floats xOperand = operand(0, x, B * I);
    Floats wOperand = operand(1, w, O * I);
    workers.run(
        parts,
        (part, all) -> {
          Tile tile = Tile.of(B, O, part, all);
          if (!tile.isEmpty()) {
            products.output(tile, (Floats) y, xOperand, wOperand, width, I, O);
            activate(part, tile, (Floats) y, (Floats) b, O, activation, gathered, (Floats) w);
          }
        });
  }

  /**
   * y = activation(y + b) on a tile of y (B, O).
   *
   * @param gathered what y lacks the background of; null: it is whole
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
    float[] row = scratch(part, 0, n);
    float[] bias = scratch(part, 1, n);
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

  @Override
  protected void linearBackwardK(
      Buffer dx,
      Buffer dw,
      Buffer db,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below) {
    Gathered gathered = leftOut((Floats) x, B, I);
    int width = gathered == null ? I : gathered.core();
    int parts = productParts(2L * B * O * (width + (dx == null ? 0 : I)));
    boolean byBatch = parts > 1 && B >= (long) Math.max(O, Tile.UNIT) * parts; // no part is empty
    products.prepareOnes(B);
    products.prepareSums(1, byBatch ? parts : 1, O * I + O);
    Floats dyOperand = operand(0, dy, B * O);
    Floats xOperand = operand(1, x, B * I);
    Floats wOperand = dx == null ? null : operand(2, w, O * I);
    workers.run(
        parts,
        (part, all) -> {
          Tile inputs = Tile.rows(B, I, part, all);
          // What is large stays with one processor: the rows of x that it wrote, in a long batch,
          // or else the weights that it will change.
          Tile weights = byBatch ? Tile.rows(O, width, 0, 1) : Tile.rows(O, width, part, all);
          int from = byBatch ? inputs.row() : 0;
          int rows = byBatch ? inputs.rows() : B;
          boolean sums = byBatch && part > 0;
          Floats dwSum = sums ? products.sum(part) : (Floats) dw;
          Floats dbSum = sums ? products.sum(part) : (Floats) db;
          int dbAt = sums ? O * I : 0;
          if (!weights.isEmpty()) {
            products.gradients(weights, dwSum, dyOperand, xOperand, from, rows, I, O);
            products.biasGradients(weights, dbSum, dbAt, (Floats) dy, from, rows, O);
            if (gathered != null) {
              backgroundGradients(
                  part, weights, dwSum, dbSum, dbAt, (Floats) dy, gathered, from, rows, O);
            }
          }
          if (dx != null && !inputs.isEmpty()) {
            products.inputGradient(inputs, (Floats) dx, dyOperand, wOperand, I, O);
            int begin = inputs.row() * I;
            differentiate(part, dx, dx, x, begin, begin + inputs.rows() * I, below);
          }
        });
    if (byBatch) {
      addSums((Floats) dw, 0, O * I, parts);
      addSums((Floats) db, O * I, O, parts);
    }
  }

  /** The columns of dw that {@link Products#gradients} leaves out: those of the background. */
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
    float[] gradients = scratch(part, 0, n);
    Columns sums = columns[part]; // of dw, (I, O): of listed pixels
    sums.begin(width, n);
    for (int r = from; r < from + rows; r++) {
      if (gathered.start(r) < gathered.end(r)) {
        dy.get(r * O + weights.row(), gradients, n);
        gathered.addTo(sums, r, gradients, n);
      }
    }
    float[] bias = scratch(part, 1, n);
    float[] row = scratch(part, 2, width);
    db.get(dbAt + weights.row(), bias, n);
    for (int o = 0; o < n; o++) {
      Arrays.fill(row, 0, width, gathered.value() * bias[o]);
      sums.addRow(row, o);
      dw.put((weights.row() + o) * gathered.I() + core, row, width);
    }
  }

  /** Adds to {@code n} gradients the sums of all parts but the first, {@code at} their element. */
  private void addSums(Floats gradients, int at, int n, int sums) {
    workers.run(
        parts(n),
        (part, parts) -> {
          float[] block = scratch(part, 0, BLOCK);
          float[] sum = scratch(part, 1, BLOCK);
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int i = Workers.bound(n, BLOCK, part, parts); i < end; i += BLOCK) {
            int size = Math.min(BLOCK, end - i);
            gradients.get(i, block, size);
            for (int k = 1; k < sums; k++) {
              products.sum(k).get(at + i, sum, size);
              Loops.add(block, sum, size);
            }
            gradients.put(i, block, size);
          }
        });
  }

  @Override
  protected void activationBackwardK(Buffer dx, Buffer dy, Buffer y, int n, Activation activation) {
    workers.run(
        parts(n),
        (part, parts) ->
            differentiate(
                part,
                dx,
                dy,
                y,
                Workers.bound(n, BLOCK, part, parts),
                Workers.bound(n, BLOCK, part + 1, parts),
                activation));
  }

  /** dx = dy ⊙ activation′(y) over elements {@code from} … {@code to − 1}. */
  private void differentiate(
      int part, Buffer dx, Buffer dy, Buffer y, int from, int to, Activation activation) {
    if (activation == Activation.NONE && dx == dy) {
      return;
    }
    float[] d = scratch(part, 0, BLOCK);
    float[] of = scratch(part, 1, BLOCK);
    int[] dBits = bits[part][0];
    int[] ofBits = bits[part][1];
    for (int i = from; i < to; i += BLOCK) {
      int n = Math.min(BLOCK, to - i);
      if (activation == Activation.RELU) {
        ((Floats) dy).get(i, dBits, n);
        ((Floats) y).get(i, ofBits, n);
        Loops.keepWherePositive(dBits, ofBits, n);
        ((Floats) dx).put(i, dBits, n);
      } else {
        ((Floats) dy).get(i, d, n);
        ((Floats) y).get(i, of, n);
        Loops.differentiate(d, of, n, activation);
        ((Floats) dx).put(i, d, n);
      }
    }
  }

  @Override
  protected void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    float scale = dropoutScale(rate);
    int count = ((Ints) step).at(0);
    workers.run(
        parts(n),
        (part, parts) -> {
          float[] block = scratch(part, 0, BLOCK);
          int[] words = new int[4];
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int from = Workers.bound(n, BLOCK, part, parts); from < end; from += BLOCK) {
            int size = Math.min(BLOCK, end - from);
            ((Floats) x).get(from, block, size);
            for (int i = 0; i < size; i++) {
              if ((i & 3) == 0) { // BLOCK is a multiple of 4, so i and from + i agree here
                Philox.block(words, (from + i) >>> 2, layer, count, Philox.Use.DROPOUT, seed);
              }
              block[i] = Philox.uniform(words[i & 3]) >= rate ? block[i] * scale : 0f;
            }
            ((Floats) y).put(from, block, size);
          }
        });
  }

  @Override
  protected void logSoftmaxForwardK(Buffer y, Buffer x, int B, int C) {
    workers.run(
        parts((long) B * C),
        (part, parts) -> {
          float[] row = scratch(part, 0, C);
          double[] exponentials = new double[C];
          int end = Workers.bound(B, 1, part + 1, parts);
          for (int r = Workers.bound(B, 1, part, parts); r < end; r++) {
            ((Floats) x).get(r * C, row, C);
            float max = row[Loops.largest(row, C)];
            double logSum = max + Math.log(Loops.exponentials(exponentials, row, C, max));
            for (int c = 0; c < C; c++) {
              row[c] = (float) (row[c] - logSum);
            }
            ((Floats) y).put(r * C, row, C);
          }
        });
  }

  @Override
  protected void crossEntropyForwardK(
      Buffer dx,
      Buffer log,
      Buffer losses,
      Buffer x,
      Buffer y,
      Buffer step,
      Buffer scaling,
      int B,
      int C,
      float smoothing) {
    float scale = scaling == null ? 1 : lossScale(scaling)[LossScale.SCALE];
    float[] rows = new float[2 * B];
    workers.run(
        parts(16L * B * C), // an exponential costs many additions
        (part, parts) -> {
          float[] row = scratch(part, 0, C);
          double[] exponentials = new double[C];
          int end = Workers.bound(B, 1, part + 1, parts);
          for (int r = Workers.bound(B, 1, part, parts); r < end; r++) {
            ((Floats) x).get(r * C, row, C);
            int label = ((Ints) y).at(r);
            rows[B + r] = Loops.largest(row, C) == label ? 1 : 0;
            rows[r] = crossEntropy(row, exponentials, C, label, B, smoothing, dx != null);
            if (dx != null) {
              if (scaling != null) {
                Loops.scale(row, scale, C);
              }
              ((Floats) dx).put(r * C, row, C);
            }
          }
        });
    ((Floats) losses).put(0, rows, rows.length);
    double sum = 0;
    int right = 0;
    for (int r = 0; r < B; r++) {
      sum += rows[r];
      right += (int) rows[B + r];
    }
    int row = Math.floorMod(((Ints) step).at(0) - 1, log.length() / 2);
    ((Floats) log).put(2 * row, new float[] {(float) sum, right}, 2);
  }

  private static float[] lossScale(Buffer scaling) {
    float[] state = new float[LossScale.LENGTH];
    ((Floats) scaling).get(0, state, LossScale.LENGTH);
    return state;
  }

  private static boolean skips(Buffer scaling) {
    return scaling != null && lossScale(scaling)[LossScale.SKIPS] != 0;
  }

  /** A row's loss; while training, its gradient takes the logits' place. */
  private static float crossEntropy(
      float[] row, double[] exponentials, int C, int label, int B, float smoothing, boolean train) {
    float max = row[Loops.largest(row, C)];
    double sum = Loops.exponentials(exponentials, row, C, max);
    double loss = (max - (double) row[label]) * (1.0 - smoothing) + Math.log(sum);
    if (smoothing > 0) {
      loss += Loops.distances(row, C, max) * smoothing / C;
    }
    if (train) {
      Loops.softmaxGradient(row, exponentials, C, label, sum, B, smoothing);
    }
    return (float) loss;
  }

  @Override
  protected void adamStepK(
      Buffer w,
      Buffer m,
      Buffer v,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Buffer scaling,
      int n,
      AdamSettings settings) {
    if (skips(scaling)) {
      return;
    }
    float[] lr = new float[1];
    ((Floats) rate).get(0, lr, 1);
    int skipped = scaling == null ? 0 : (int) lossScale(scaling)[LossScale.SKIPPED];
    var adam = new Loops.Adam(settings, lr[0], ((Ints) step).at(0) - skipped);
    workers.run(
        parts(n),
        (part, parts) -> {
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int i = Workers.bound(n, BLOCK, part, parts); i < end; i += BLOCK) {
            int size = Math.min(BLOCK, end - i);
            adamStep(scratch[part], (Floats) w, (Floats) m, (Floats) v, (Floats) dw, i, size, adam);
          }
        });
  }

  /** A step of Adam on the {@code n} floats from {@code i} on, at most BLOCK. */
  private static void adamStep(
      float[][] blocks, Floats w, Floats m, Floats v, Floats dw, int i, int n, Loops.Adam adam) {
    w.get(i, blocks[0], n);
    m.get(i, blocks[1], n);
    v.get(i, blocks[2], n);
    dw.get(i, blocks[3], n);
    adam.step(blocks[0], blocks[1], blocks[2], blocks[3], n);
    w.put(i, blocks[0], n);
    m.put(i, blocks[1], n);
    v.put(i, blocks[2], n);
  }

  @Override
  protected void sgdStepK(
      Buffer w,
      Buffer velocity,
      Buffer dw,
      Buffer rate,
      Buffer scaling,
      int n,
      SgdSettings settings) {
    if (skips(scaling)) {
      return;
    }
    float[] lr = new float[1];
    ((Floats) rate).get(0, lr, 1);
    workers.run(
        parts(n),
        (part, parts) -> {
          float[] wBlock = scratch(part, 0, BLOCK);
          float[] vBlock = scratch(part, 1, BLOCK);
          float[] gBlock = scratch(part, 2, BLOCK);
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int i = Workers.bound(n, BLOCK, part, parts); i < end; i += BLOCK) {
            int size = Math.min(BLOCK, end - i);
            ((Floats) w).get(i, wBlock, size);
            ((Floats) velocity).get(i, vBlock, size);
            ((Floats) dw).get(i, gBlock, size);
            Loops.descend(wBlock, vBlock, gBlock, lr[0], size, settings);
            ((Floats) w).put(i, wBlock, size);
            ((Floats) velocity).put(i, vBlock, size);
          }
        });
  }

  @Override
  protected void clipNormK(Buffer dw, Buffer norm, Buffer scaling, int n, float limit) {
    double[] squares = new double[(n - 1) / BLOCK + 1]; // by block
    workers.run(
        parts(n),
        (part, parts) -> {
          float[] block = scratch(part, 0, BLOCK);
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int i = Workers.bound(n, BLOCK, part, parts); i < end; i += BLOCK) {
            int size = Math.min(BLOCK, end - i);
            ((Floats) dw).get(i, block, size);
            squares[i / BLOCK] = Loops.squares(block, size);
          }
        });
    double sum = 0;
    for (double square : squares) {
      sum += square;
    }
    float scale = scaling == null ? 1 : lossScale(scaling)[LossScale.SCALE];
    float whole = (float) (Math.sqrt(sum) / scale);
    ((Floats) norm).put(0, new float[] {whole}, 1);
    boolean skips = scaling != null && !Float.isFinite(whole);
    if (scaling != null) {
      ((Floats) scaling).put(LossScale.SKIPS, skips ? 1 : 0);
    }
    if (skips) {
      return;
    }
    float coefficient = limit / (whole + 1e-6f);
    float factor = (coefficient >= 1 ? 1 : coefficient) / scale; // NaN stays NaN
    if (factor == 1) {
      return;
    }
    workers.run(
        parts(n),
        (part, parts) -> {
          float[] block = scratch(part, 0, BLOCK);
          int end = Workers.bound(n, BLOCK, part + 1, parts);
          for (int i = Workers.bound(n, BLOCK, part, parts); i < end; i += BLOCK) {
            int size = Math.min(BLOCK, end - i);
            ((Floats) dw).get(i, block, size);
            Loops.scale(block, factor, size);
            ((Floats) dw).put(i, block, size);
          }
        });
  }

  @Override
  protected void advanceK(Buffer position, Buffer rate, Buffer rates, Buffer scaling, int B) {
    var ints = (Ints) position;
    if (scaling != null && ints.at(0) > 0) {
      float[] state = lossScale(scaling);
      LossScale.settle(state);
      ((Floats) scaling).put(0, state, state.length);
    }
    float[] its = new float[1];
    ((Floats) rates).get(ints.at(2), its, 1);
    ((Floats) rate).put(0, its, 1);
    ints.array[ints.offset]++;
    ints.array[ints.offset + 1] += B;
    ints.array[ints.offset + 2]++;
  }

  @Override
  protected void zeroK(Buffer x) {
    float[] zeros = new float[BLOCK];
    for (int i = 0; i < x.length(); i += BLOCK) {
      ((Floats) x).put(i, zeros, Math.min(BLOCK, x.length() - i));
    }
  }

  @Override
  protected void sumK(Buffer out, Buffer x, int n) {
    float[] block = scratch(0, 0, BLOCK);
    double sum = 0;
    for (int i = 0; i < n; i += BLOCK) {
      int size = Math.min(BLOCK, n - i);
      ((Floats) x).get(i, block, size);
      for (int k = 0; k < size; k++) {
        sum += block[k];
      }
    }
    ((Floats) out).put(0, new float[] {(float) sum}, 1);
  }
}
