package mlpcuda.compute.cpu;

import java.util.Arrays;
import java.util.Optional;

/**
 * What is known of a batch that was gathered: its row r is image {@code images[r]} of a set with
 * this background, each pixel replaced by its value in the table.
 *
 * @param I inputs, the length of a row
 */
record Gathered(Background background, int[] images, float[] table, int I) {
  /** The inputs before this one are no background. */
  int core() {
    return background.core();
  }

  /** The value of the background, but for the pixels that are listed. */
  float value() {
    return table[0];
  }

  /** The index in the list of a row's first pixel. */
  int start(int row) {
    return background.start(images[row]);
  }

  /** The index in the list after a row's last pixel. */
  int end(int row) {
    return background.start(images[row] + 1);
  }

  /** The number of the input that pixel {@code k} of the list is, less {@link #core}. */
  int column(int k) {
    return background.column(k);
  }

  /** Whether the other batch, if there is one, has the same background. */
  boolean sameBackground(Optional<Gathered> other) {
    return other.isPresent() && background == other.get().background && table == other.get().table;
  }

  /** Sets the listed pixels of a row of the batch to their values. */
  void show(Floats x, int row) {
    for (int k = start(row); k < end(row); k++) {
      x.put(row * I + core() + column(k), table[background.value(k)]);
    }
  }

  /** Sets the listed pixels of a row of the batch to the background's value. */
  void hide(Floats x, int row) {
    for (int k = start(row); k < end(row); k++) {
      x.put(row * I + core() + column(k), value());
    }
  }

  /** The difference of pixel {@code k} of the list from the background. */
  float excess(int k) {
    return table[background.value(k)] - table[0];
  }

  /**
   * Adds to a row's outputs what its listed pixels contribute by their difference from the
   * background.
   *
   * @param outputs the {@code n} outputs from number {@code first} on
   * @param w (O, I)
   * @param known the columns of w that were read for these outputs already
   */
  void addTo(float[] outputs, int row, Floats w, int first, int n, ColumnCache known) {
    int end = end(row);
    for (int k = start(row); k < end; k++) {
      int column = column(k);
      if (!known.has(column)) {
        w.column(known.make(column, n), first * I + core() + column, I, n);
      }
      ArrayMath.add(outputs, known.get(column), excess(k), n);
    }
  }

  /**
   * Adds to the gradients of weights what a row's listed pixels contribute by their difference from
   * the background.
   *
   * @param sums the columns of dw
   * @param gradients (n): the gradients of the row's outputs
   */
  void addTo(ColumnCache sums, int row, float[] gradients, int n) {
    int end = end(row);
    for (int k = start(row); k < end; k++) {
      int column = column(k);
      if (!sums.has(column)) {
        Arrays.fill(sums.make(column, n), 0, n, 0f);
      }
      ArrayMath.add(sums.get(column), gradients, excess(k), n);
    }
  }
}
