package mlpcuda.compute.cpu;

import java.util.Arrays;

/**
 * The columns of a matrix of which few are wanted in each use. A column is made when it is wanted,
 * and its memory is used again.
 */
final class ColumnCache {
  private float[][] values = {};
  private int[] madeIn = {}; // the use in which each column was made last
  private int use;
  private int[] wanted = {}; // the columns made in this use
  private int count;

  /** Forgets all columns; from now on there are {@code width} of {@code n} floats. */
  void begin(int width, int n) {
    if (values.length < width) {
      values = new float[width][];
      madeIn = new int[width];
      wanted = new int[width];
      use = 0;
    }
    if (++use < 0) {
      Arrays.fill(madeIn, 0);
      use = 1;
    }
    count = 0;
  }

  /** Whether a column was made in this use. */
  boolean has(int column) {
    return madeIn[column] == use;
  }

  /** Makes a column of at least {@code n} floats, whose values the caller must set. */
  float[] make(int column, int n) {
    madeIn[column] = use;
    wanted[count++] = column;
    if (values[column] == null || values[column].length < n) {
      values[column] = new float[n];
    }
    return values[column];
  }

  /** A column that was made in this use. */
  float[] get(int column) {
    return values[column];
  }

  /** Adds element {@code i} of each column of this use to that column's element of a row. */
  void addRow(float[] row, int i) {
    for (int k = 0; k < count; k++) {
      row[wanted[k]] += values[wanted[k]][i];
    }
  }
}
