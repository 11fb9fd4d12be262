package mlpcuda.compute.cpu;

import java.util.Arrays;

/**
 * What is known of a batch that was gathered: row r of it is image {@code images[r]} of a set with
 * this background, each pixel replaced by its value in the table.
 *
 * @param I inputs, the length of a row
 */
record Gathered(Background background, int[] images, float[] table, int I) {
  /** Columns before this one are no background. */
  int core() {
    return background.core();
  }

  /** What the background is, but for the pixels that are listed. */
  float value() {
    return table[0];
  }

  /** Where the listed pixels of a row begin. */
  int start(int row) {
    return background.start(images[row]);
  }

  /** Where the listed pixels of a row end. */
  int end(int row) {
    return background.start(images[row] + 1);
  }

  /** The number of pixel {@code k} of the list, less {@link #core}. */
  int column(int k) {
    return background.column(k);
  }

  /** Whether the background of that batch, if there is one, is the same. */
  boolean sameBackground(Gathered other) {
    return other != null && background == other.background && table == other.table;
  }

  /** Sets the listed pixels of a row of the batch to what they are. */
  void show(Floats x, int row) {
    for (int k = start(row); k < end(row); k++) {
      x.put(row * I + core() + column(k), table[background.value(k)]);
    }
  }

  /** Sets them to the background. */
  void hide(Floats x, int row) {
    for (int k = start(row); k < end(row); k++) {
      x.put(row * I + core() + column(k), value());
    }
  }

  /** By how much pixel {@code k} of the list differs from the background. */
  float excess(int k) {
    return table[background.value(k)] - table[0];
  }

  /**
   * Adds to a row's outputs what its listed pixels differ from the background by.
   *
   * @param outputs n of them, from number {@code first} on
   * @param w (O, I)
   * @param known columns of w, of these outputs
   */
  void addTo(float[] outputs, int row, Floats w, int first, int n, Columns known) {
    int end = end(row);
    for (int k = start(row); k < end; k++) {
      int column = column(k);
      if (!known.has(column)) {
        w.column(known.make(column, n), first * I + core() + column, I, n);
      }
      Loops.add(outputs, known.get(column), excess(k), n);
    }
  }

  /**
   * Adds to the gradients of weights what a row's listed pixels differ from the background by.
   *
   * @param sums columns of dw
   * @param gradients of the row's outputs, n
   */
  void addTo(Columns sums, int row, float[] gradients, int n) {
    int end = end(row);
    for (int k = start(row); k < end; k++) {
      int column = column(k);
      if (!sums.has(column)) {
        Arrays.fill(sums.make(column, n), 0, n, 0f);
      }
      Loops.add(sums.get(column), gradients, excess(k), n);
    }
  }
}
