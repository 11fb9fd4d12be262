package mlpcuda.input;

import java.nio.ByteBuffer;
import mlpcuda.data.LabelColumn;
import mlpcuda.error.BadFileException;
import mlpcuda.input.NumberType.Kind;

/**
 * Turns an array into labels: numbers that are whole, texts or truth values in one dimension or in
 * a single column, or rows in which a 1 among zeros marks the class.
 */
final class ArrayLabels {
  private final NumberArray array;
  private final LabelCollector labels;

  private ArrayLabels(NumberArray array) {
    this.array = array;
    this.labels = new LabelCollector(array.name());
  }

  /**
   * Reads the labels. The names of numbers are their decimal texts, those of truth values {@code
   * False} and {@code True}, and those of rows the positions of their 1, from 0 on.
   *
   * @throws BadFileException if the array has another shape, or a number that is not whole
   */
  static LabelColumn of(NumberArray array, ReadingProgress progress) {
    long[] shape = array.shape();
    boolean single = shape.length == 1 || shape.length == 2 && shape[1] == 1;
    if (!single && (shape.length != 2 || array.type().isText())) {
      throw array.bad(
          "labels must be one for each example, or rows with a 1 for the class, found the shape "
              + (shape.length == 0 ? "of a single value" : array.shapeText()));
    }
    var reader = new ArrayLabels(array);
    array.read(single ? reader::addSingle : reader::addMarked, progress);
    return reader.labels.build();
  }

  private void addSingle(ByteBuffer bytes, int first, int n) {
    for (int i = 0; i < n; i++) {
      labels.add(name(bytes, i, first + i));
    }
  }

  private String name(ByteBuffer bytes, int i, int row) {
    NumberType type = array.type();
    int at = i * type.bytes();
    if (type.isText()) {
      return type.text(bytes, at);
    }
    if (type.kind() == Kind.BOOLEAN) {
      return type.integer(bytes, at) == 0 ? "False" : "True";
    }
    if (type.isInteger()) {
      long label = type.integer(bytes, at);
      return type.kind() == Kind.UNSIGNED ? Long.toUnsignedString(label) : Long.toString(label);
    }
    double label = type.number(bytes, at);
    if (!LabelCollector.isWhole(label)) {
      throw array.bad(
          "labels must be whole numbers or texts; the one at [%d] is %s".formatted(row, label));
    }
    return LabelCollector.name(label);
  }

  private void addMarked(ByteBuffer bytes, int first, int n) {
    NumberType type = array.type();
    int width = array.width();
    for (int row = 0; row < n; row++) {
      int marked = -1;
      for (int i = 0; i < width; i++) {
        double value = type.number(bytes, (row * width + i) * type.bytes());
        if (value == 1 && marked < 0) {
          marked = i;
        } else if (value != 0) {
          throw notMarked(first + row);
        }
      }
      if (marked < 0) {
        throw notMarked(first + row);
      }
      labels.add(Integer.toString(marked));
    }
  }

  private BadFileException notMarked(int row) {
    return array.bad(
        "a row of labels must have one 1, for the class, and else zeros; row [%d] has not"
            .formatted(row));
  }
}
