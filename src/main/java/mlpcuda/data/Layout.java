package mlpcuda.data;

import java.util.List;

/** What the inputs of an example are. */
public sealed interface Layout {
  /** The number of inputs of an example, I. */
  int inputs();

  /**
   * Images of one size.
   *
   * @param rows the height in pixels
   * @param cols the width in pixels
   * @param channels the values of a pixel, which lie side by side: 1 for grey, 3 for red, green and
   *     blue
   */
  record Images(int rows, int cols, int channels) implements Layout {
    /** Grey images. */
    public static Images grey(int rows, int cols) {
      return new Images(rows, cols, 1);
    }

    @Override
    public int inputs() {
      return Math.multiplyExact(Math.multiplyExact(rows, cols), channels);
    }

    /** The size, such as {@code 28x28}. */
    @Override
    public String toString() {
      return channels == 1 ? rows + "x" + cols : rows + "x" + cols + "x" + channels;
    }
  }

  /**
   * Columns of a table.
   *
   * @param columns the columns, in the order of their inputs
   */
  record Columns(List<Column> columns) implements Layout {
    @Override
    public int inputs() {
      return columns.stream().mapToInt(Column::inputs).reduce(0, Math::addExact);
    }
  }
}
