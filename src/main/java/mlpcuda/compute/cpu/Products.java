package mlpcuda.compute.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemv;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/** The products of a layer by OpenBLAS, tile by tile, on the thread that calls. */
final class Products implements AutoCloseable {
  private static final int UNIT = 8; // rows or columns: what OpenBLAS's kernels take at once

  private FloatPointer ones; // as many as the largest batch so far

  /** A rectangle of a matrix. */
  record Tile(int row, int rows, int column, int columns) {
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

  /** dw = dyᵀ · x on a tile of dw (O, I). */
  static void weightGradient(Tile tile, Floats dw, Floats dy, Floats x, int B, int I, int O) {
    FloatPointer to = dw.at(tile.row * I + tile.column);
    FloatPointer dyColumns = dy.at(tile.row);
    FloatPointer xColumns = x.at(tile.column);
    product(to, I, tile, B, dyColumns, O, CblasTrans, xColumns, I, CblasNoTrans);
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

  /** Makes {@link #biasGradient} ready for batches of {@code B}; before the parts begin. */
  void prepare(int B) {
    if (ones == null || ones.capacity() < B) {
      close();
      float[] values = new float[B];
      Arrays.fill(values, 1f);
      ones = new FloatPointer(values);
    }
  }

  /** db = dyᵀ · 1, the columns of a tile of dy (B, O) that has whole columns. */
  void biasGradient(Tile tile, Floats db, Floats dy, int B, int O) {
    FloatPointer dyColumns = dy.at(tile.column);
    FloatPointer to = db.at(tile.column);
    int n = tile.columns;
    cblas_sgemv(CblasRowMajor, CblasTrans, B, n, 1f, dyColumns, O, ones, 1, 0f, to, 1);
  }

  @Override
  public void close() {
    if (ones != null) {
      ones.close();
      ones = null;
    }
  }
}
