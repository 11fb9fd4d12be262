package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemv;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;

/** The products of a layer by OpenBLAS, tile by tile, on the thread that calls. */
final class Products implements AutoCloseable {
  private final BiFunction<String, Integer, Floats> allocator;
  private final boolean smallKernels;
  private Floats ones; // as many ones as the longest sum so far has terms
  private Floats[] sums = {}; // for each part: the sums that it makes on its own

  /**
   * Products in the way that is fastest here.
   *
   * @param allocator allocates floats, by name and length
   * @param smallKernels whether OpenBLAS has kernels for small matrices: see {@link Block}
   */
  Products(BiFunction<String, Integer, Floats> allocator, boolean smallKernels) {
    this.allocator = allocator;
    this.smallKernels = smallKernels;
  }

  /**
   * Whether this processor has what OpenBLAS demands before it takes its kernels for AVX-512, as
   * Linux tells it; false on other systems, where products are right all the same.
   */
  static boolean hasSmallKernels() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .limit(1)
          .anyMatch(line -> line.contains(" avx512vl"));
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  /** A rectangle of a matrix. */
  record Tile(int row, int rows, int column, int columns) {
    /** The rows or columns that OpenBLAS's kernels take at once: parts are multiples of them. */
    static final int UNIT = 8;

    /**
     * Part {@code part} of an (m, n) matrix that is split along its longer side: each part packs
     * the rows and columns it needs anew, and this way packs least.
     */
    static Tile of(int m, int n, int part, int parts) {
      return m >= n ? rows(m, n, part, parts) : columns(m, n, part, parts);
    }

    /** Part {@code part} of an (m, n) matrix that is split into groups of rows. */
    static Tile rows(int m, int n, int part, int parts) {
      int row = Workers.bound(m, UNIT, part, parts);
      return new Tile(row, Workers.bound(m, UNIT, part + 1, parts) - row, 0, n);
    }

    /** Part {@code part} of an (m, n) matrix that is split into groups of columns. */
    static Tile columns(int m, int n, int part, int parts) {
      int column = Workers.bound(n, UNIT, part, parts);
      return new Tile(0, m, column, Workers.bound(n, UNIT, part + 1, parts) - column);
    }

    boolean isEmpty() {
      return rows == 0 || columns == 0;
    }
  }

  /**
   * Examples of a batch, one after another.
   *
   * @param from the first one's number
   * @param count the number of examples
   */
  record Examples(int from, int count) {}

  /**
   * A matrix in memory: its first element, the floats from row to row, and OpenBLAS's
   * transposition.
   */
  private record Operand(FloatPointer first, int stride, int transposition) {
    static Operand plain(FloatPointer first, int stride) {
      return new Operand(first, stride, CblasNoTrans);
    }

    static Operand transposed(FloatPointer first, int stride) {
      return new Operand(first, stride, CblasTrans);
    }

    boolean isTransposed() {
      return transposition == CblasTrans;
    }

    /** The first element of row {@code row} of the matrix as it is multiplied. */
    FloatPointer row(int row) {
      return moved(first, isTransposed() ? row : (long) row * stride);
    }

    /** The first element of column {@code column} of the matrix as it is multiplied. */
    FloatPointer column(int column) {
      return moved(first, isTransposed() ? (long) column * stride : column);
    }
  }

  /** y = x · wᵀ on a tile of y (B, O), over the first {@code n} columns of x (B, I) and w. */
  void output(Tile tile, Floats y, Floats x, Floats w, int n, LayerSize size) {
    product(
        Operand.plain(y.to(tile.row * size.O() + tile.column), size.O()),
        tile,
        n,
        Operand.plain(x.at(tile.row * size.I()), size.I()),
        Operand.transposed(w.at(tile.column * size.I()), size.I()));
  }

  /** dx = dy · w on a tile of dx (B, I) that has whole rows. */
  void inputGradient(Tile tile, Floats dx, Floats dy, Floats w, LayerSize size) {
    product(
        Operand.plain(dx.to(tile.row * size.I()), size.I()),
        tile,
        size.O(),
        Operand.plain(dy.at(tile.row * size.O()), size.O()),
        Operand.plain(w.at(0), size.I()));
  }

  /** c = a · b, with c of the tile's size and the inner dimension k. */
  private void product(Operand c, Tile tile, int k, Operand a, Operand b) {
    int m = tile.rows;
    int n = tile.columns;
    Block block = smallKernels ? Block.of(m, n, k, b.isTransposed()) : Block.WHOLE;
    for (int row = 0; row < m; row += Math.min(block.rows, m - row)) {
      int rows = Math.min(block.rows, m - row);
      FloatPointer aRows = a.row(row);
      for (int column = 0; column < n; column += Math.min(block.columns, n - column)) {
        int columns = Math.min(block.columns, n - column);
        cblas_sgemm(
            CblasRowMajor,
            a.transposition,
            b.transposition,
            rows,
            columns,
            k,
            1f,
            aRows,
            a.stride,
            b.column(column),
            b.stride,
            0f,
            moved(c.first, (long) row * c.stride + column),
            c.stride);
      }
    }
  }

  private static FloatPointer moved(FloatPointer pointer, long floats) {
    return floats == 0 ? pointer : new Floats.Address(pointer.address() + Float.BYTES * floats);
  }

  /**
   * The largest piece of a product that OpenBLAS gives to its kernels for small matrices, which
   * read the operands where they are: packing them first costs a short batch a quarter of its time,
   * and the threads would take turns with the memory for it. They exist for AVX-512; what they take
   * is in OpenBLAS's {@code sgemm_small_kernel_permit_skylakex.c}.
   */
  record Block(int rows, int columns) {
    /** The block of a product that is made in one piece. */
    static final Block WHOLE = new Block(Integer.MAX_VALUE, Integer.MAX_VALUE);

    private static final int MOST = 1_000_000; // the most of rows · columns · k
    // the most of rows · columns, where b is transposed
    private static final int MOST_TRANSPOSED = 1200;
    private static final int LEAST_TRANSPOSED = 32; // the least k, where b is transposed

    /**
     * The longest batch that is divided: a processor's share of a longer one is faster in one
     * piece.
     */
    private static final int SHORT = 256;

    private static final int ROWS = 64;

    /** The block for c (m, n) with the inner dimension k; {@link #WHOLE} where that is better. */
    static Block of(int m, int n, int k, boolean transposed) {
      int most = MOST / k;
      if (transposed) {
        int columns = Math.min(n, 16);
        int rows =
            Math.min(ROWS, Math.min(most, MOST_TRANSPOSED) / columns) / Tile.UNIT * Tile.UNIT;
        return m > SHORT || k < LEAST_TRANSPOSED || rows == 0 ? WHOLE : new Block(rows, columns);
      }
      int rows = Math.min(m, k <= ROWS ? ROWS : ROWS / 2);
      int columns = most / rows / Tile.UNIT * Tile.UNIT;
      return k > SHORT || columns < ROWS ? WHOLE : new Block(rows, columns);
    }
  }

  /**
   * Prepares {@link #biasGradients} and {@link #rowSums} for sums over {@code n}; must be called
   * before the parts run, which share the ones.
   */
  void prepareOnes(int n) {
    if (ones == null || ones.length() < n) {
      float[] values = new float[n];
      Arrays.fill(values, 1f);
      ones = larger(ones, "ones", n);
      ones.put(0, values, n);
    }
  }

  /**
   * Prepares the sums of parts {@code from} … {@code to − 1} for n floats, before the parts run.
   */
  void prepareSums(int from, int to, int n) {
    if (sums.length < to) {
      sums = Arrays.copyOf(sums, to);
    }
    for (int part = from; part < to; part++) {
      if (sums[part] == null || sums[part].length() < n) {
        sums[part] = larger(sums[part], "sums of a part", n);
      }
    }
  }

  /** Allocates before it releases, so that a failure leaves the former buffer as it was. */
  private Floats larger(Floats former, String name, int length) {
    Floats made = allocator.apply(name, length);
    release(former);
    return made;
  }

  /** The buffer for the sums of a part. */
  Floats sum(int part) {
    return sums[part];
  }

  /**
   * dw = dyᵀ · x over those examples of the batch: on a tile of dw (O, I) that has whole rows, or
   * the first columns of them.
   */
  void gradients(Tile tile, Floats dw, Floats dy, Floats x, Examples examples, LayerSize size) {
    product(
        Operand.plain(dw.to(tile.row * size.I()), size.I()),
        tile,
        examples.count,
        Operand.transposed(dy.at(examples.from * size.O() + tile.row), size.O()),
        Operand.plain(x.at(examples.from * size.I()), size.I()));
  }

  /**
   * db = dyᵀ · 1 over those examples of the batch: the elements of db (O) that belong to the rows
   * of a tile of dw.
   *
   * @param db the buffer that has db from its element {@code at} on
   */
  void biasGradients(Tile tile, Floats db, int at, Floats dy, Examples examples, int O) {
    FloatPointer dyColumns = dy.at(examples.from * O + tile.row);
    FloatPointer biases = db.to(at + tile.row);
    int n = tile.rows;
    int rows = examples.count;
    cblas_sgemv(CblasRowMajor, CblasTrans, rows, n, 1f, dyColumns, O, ones.at(0), 1, 0f, biases, 1);
  }

  /** sums[o] = factor · Σ w[o, i] over columns {@code from} … I − 1, for the tile's columns o. */
  void rowSums(Tile tile, Floats sums, Floats w, int from, int I, float factor) {
    FloatPointer rows = w.at(tile.column * I + from);
    FloatPointer to = sums.to(0);
    int m = tile.columns;
    int n = I - from;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, m, n, factor, rows, I, ones.at(0), 1, 0f, to, 1);
  }

  @Override
  public void close() {
    release(ones);
    for (Floats sum : sums) {
      release(sum);
    }
  }

  private static void release(Floats floats) {
    if (floats != null) {
      floats.release();
    }
  }
}
