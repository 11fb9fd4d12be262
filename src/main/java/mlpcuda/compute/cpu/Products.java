package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemv;

import java.util.Arrays;
import java.util.function.BiFunction;
import org.bytedeco.javacpp.FloatPointer;

/** The products of a layer by OpenBLAS, tile by tile, on the thread that calls. */
final class Products implements AutoCloseable {
  private final BiFunction<String, Integer, Floats> allocator;
  private Floats ones; // as many as the largest batch so far
  private Floats[] sums = {}; // of gradients, by part; none of the first one

  /** {@code allocator}: makes floats, by name and length. */
  Products(BiFunction<String, Integer, Floats> allocator) {
    this.allocator = allocator;
  }

  /** A rectangle of a matrix. */
  record Tile(int row, int rows, int column, int columns) {
    /** Rows or columns that OpenBLAS's kernels take at once: parts are multiples of them. */
    static final int UNIT = 8;

    /**
     * This part of an (m, n) matrix that is split along its longer side: each part packs the rows
     * and columns it needs anew, and this way packs least.
     */
    static Tile of(int m, int n, int part, int parts) {
      return m >= n ? rows(m, n, part, parts) : columns(m, n, part, parts);
    }

    /** This part of an (m, n) matrix that is split into groups of rows. */
    static Tile rows(int m, int n, int part, int parts) {
      int row = Workers.bound(m, UNIT, part, parts);
      return new Tile(row, Workers.bound(m, UNIT, part + 1, parts) - row, 0, n);
    }

    /** This part of an (m, n) matrix that is split into groups of columns. */
    static Tile columns(int m, int n, int part, int parts) {
      int column = Workers.bound(n, UNIT, part, parts);
      return new Tile(0, m, column, Workers.bound(n, UNIT, part + 1, parts) - column);
    }

    boolean isEmpty() {
      return rows == 0 || columns == 0;
    }
  }

  /** y = x · wᵀ on a tile of y (B, O). */
  static void output(Tile tile, Floats y, Floats x, Floats w, int I, int O) {
    FloatPointer to = y.at(tile.row * O + tile.column);
    FloatPointer xRows = x.at(tile.row * I);
    FloatPointer wRows = w.at(tile.column * I);
    product(to, O, tile, I, xRows, I, CblasNoTrans, wRows, I, CblasTrans);
  }

  /** dx = dy · w on a tile of dx (B, I) that has whole rows. */
  static void inputGradient(Tile tile, Floats dx, Floats dy, Floats w, int I, int O) {
    FloatPointer to = dx.at(tile.row * I);
    FloatPointer dyRows = dy.at(tile.row * O);
    product(to, I, tile, O, dyRows, O, CblasNoTrans, w.at(0), I, CblasNoTrans);
  }

  /** c = a · b, with c of the tile's size and the inner dimension k. */
  private static void product(
      FloatPointer c,
      int ldc,
      Tile tile,
      int k,
      FloatPointer a,
      int lda,
      int opA,
      FloatPointer b,
      int ldb,
      int opB) {
    int m = tile.rows;
    int n = tile.columns;
    cblas_sgemm(CblasRowMajor, opA, opB, m, n, k, 1f, a, lda, b, ldb, 0f, c, ldc);
  }

  /**
   * Makes {@link #gradients} ready for batches of {@code B}, and {@link #sum} for {@code parts}
   * parts of {@code n} floats; before the parts begin.
   */
  void prepare(int B, int parts, int n) {
    if (ones == null || ones.length() < B) {
      float[] values = new float[B];
      Arrays.fill(values, 1f);
      ones = larger(ones, "ones", B);
      ones.put(0, values, B);
    }
    if (sums.length < parts) {
      sums = Arrays.copyOf(sums, parts);
    }
    for (int part = 1; part < parts; part++) {
      if (sums[part] == null || sums[part].length() < n) {
        sums[part] = larger(sums[part], "sums of a part", n);
      }
    }
  }

  /** Both live for a moment: a failure leaves the former one as it was. */
  private Floats larger(Floats former, String name, int length) {
    Floats made = allocator.apply(name, length);
    release(former);
    return made;
  }

  /** The sums of that part, from 1: of whatever fits. */
  Floats sum(int part) {
    return sums[part];
  }

  /**
   * dw = dyᵀ · x and db = dyᵀ · 1, for {@code rows} examples of the batch from {@code from} on: on
   * a tile of dw (O, I) that has whole rows, and the elements of db (O) of the same outputs.
   *
   * @param dbAt where db begins in its buffer
   */
  void gradients(
      Tile tile,
      Floats dw,
      Floats db,
      int dbAt,
      Floats dy,
      Floats x,
      int from,
      int rows,
      int I,
      int O) {
    if (tile.isEmpty()) {
      return;
    }
    FloatPointer dyColumns = dy.at(from * O + tile.row);
    FloatPointer to = dw.at(tile.row * I);
    product(to, I, tile, rows, dyColumns, O, CblasTrans, x.at(from * I), I, CblasNoTrans);
    FloatPointer biases = db.at(dbAt + tile.row);
    int n = tile.rows;
    cblas_sgemv(CblasRowMajor, CblasTrans, rows, n, 1f, dyColumns, O, ones.at(0), 1, 0f, biases, 1);
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
