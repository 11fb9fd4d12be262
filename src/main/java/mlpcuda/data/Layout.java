package mlpcuda.data;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;

/** What the inputs of an example are. */
public sealed interface Layout extends Serializable {
  /** The number of inputs of an example, I. */
  int inputs();

  /** Whether examples of that layout can stand for examples of this one. */
  default boolean fits(Layout other) {
    return equals(other);
  }

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
    /** The most columns of a table. */
    public static final int MOST = 1_000_000;

    /** Copies the list. */
    public Columns {
      columns = List.copyOf(columns);
    }

    /** Columns of numbers that have no names but their numbers, from 1 on. */
    public static Columns numbered(int count) {
      return new Columns(
          IntStream.rangeClosed(1, count)
              .mapToObj(i -> Column.numbers(Integer.toString(i)))
              .toList());
    }

    /** Whether the columns hold numbers and have no names but their numbers. */
    public boolean areNumbered() {
      return equals(numbered(columns.size()));
    }

    /**
     * Whether examples of that layout can stand for examples of this one: they have the same
     * columns, or as many inputs and, on one side, no names by which their order can be told.
     */
    @Override
    public boolean fits(Layout other) {
      return equals(other)
          || other instanceof Columns found
              && found.inputs() == inputs()
              && (areNumbered() || found.areNumbered());
    }

    @Override
    public int inputs() {
      return columns.stream().mapToInt(Column::inputs).reduce(0, Math::addExact);
    }

    /** The number of columns in words. */
    @Override
    public String toString() {
      return columns.size() == 1 ? "1 column" : columns.size() + " columns";
    }
  }
}
