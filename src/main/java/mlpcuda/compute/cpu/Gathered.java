package mlpcuda.compute.cpu;

import java.util.Arrays;
import java.util.Optional;

/**
 * What is known of a batch in memory: from {@link #core} on its inputs have the background's value,
 * but for those that are listed.
 *
 * @param listed the inputs that are listed
 * @param value the value of the background
 * @param I inputs, the length of a row
 */
record Gathered(Listed listed, float value, int I) {
  /** The inputs before this one are no background. */
  int core() {
    return listed.core();
  }

  /** The number of the batch's rows. */
  int rows() {
    return listed.rows();
  }

  /** The index in the list of a row's first input. */
  int start(int row) {
    return listed.start(row);
  }

  /** The index in the list after a row's last input. */
  int end(int row) {
    return listed.end(row);
  }

  /** Whether the other batch, if there is one, is of images with the same background. */
  boolean sameBackground(Optional<Gathered> other) {
    return other.isPresent()
        && listed instanceof Listed.OfImages one
        && other.get().listed instanceof Listed.OfImages two
        && one.background() == two.background()
        && one.table() == two.table();
  }

  /** Sets the listed pixels of a row of the batch to their values. */
  void show(Floats x, int row) {
    for (int k = start(row); k < end(row); k++) {
      x.put(row * I + core() + listed.column(k), listed.value(k));
    }
  }

  /** Sets the listed pixels of a row of the batch to the background's value. */
  void hide(Floats x, int row) {
    for (int k = start(row); k < end(row); k++) {
      x.put(row * I + core() + listed.column(k), value);
    }
  }

  /** The difference of pixel {@code k} of the list from the background. */
  float excess(int k) {
    return listed.value(k) - value;
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
      int column = listed.column(k);
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
      int column = listed.column(k);
      if (!sums.has(column)) {
        Arrays.fill(sums.make(column, n), 0, n, 0f);
      }
      ArrayMath.add(sums.get(column), gradients, excess(k), n);
    }
  }
}
