package mlpcuda.spark;

import java.io.Serializable;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.SparseVector;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;

/**
 * Reads the features of rows: the values of some columns, one column after another. A column is a
 * number, a boolean (0 or 1), a vector, an array of numbers, or binary data (unsigned bytes).
 *
 * @param names the names of the columns
 * @param places their places in a row
 */
record FeatureColumns(String[] names, ColumnPath[] places) implements Serializable {
  /**
   * The columns of that schema.
   *
   * @throws IllegalArgumentException if there is no column of a name, or it cannot be a feature
   */
  static FeatureColumns of(StructType schema, String... names) {
    ColumnPath[] places = new ColumnPath[names.length];
    for (int i = 0; i < names.length; i++) {
      places[i] = ColumnPath.of(schema, names[i]);
      DataType type = places[i].type(schema);
      if (!isFeature(type)) {
        throw new IllegalArgumentException(
            "%s: a column of features must be a number, a vector, an array of numbers or binary, found %s"
                .formatted(names[i], type.simpleString()));
      }
    }
    return new FeatureColumns(names.clone(), places);
  }

  private static boolean isFeature(DataType type) {
    return type instanceof NumericType
        || type instanceof BooleanType
        || type instanceof BinaryType
        || type.equals(SQLDataTypes.VectorType())
        || type instanceof ArrayType array && array.elementType() instanceof NumericType;
  }

  /**
   * Reads a row.
   *
   * @param width the number of values that a row must have
   * @throws BadRowException if it has another number of values, or one that is missing or not
   *     finite
   */
  float[] read(Row row, int width) {
    float[] values = new float[width];
    int at = 0;
    for (int c = 0; c < places.length; c++) {
      at = read(places[c].value(row), values, at, names[c]);
    }
    if (at != width) {
      throw wrongWidth(width, at);
    }
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new BadRowException(
            "%s: features must be finite in single precision, found %s"
                .formatted(String.join(", ", names), value));
      }
    }
    return values;
  }

  /** Appends a column's values, and returns the place of the next ones. */
  private int read(Object value, float[] to, int at, String name) {
    if (value instanceof SparseVector sparse) {
      room(to, at, sparse.size());
      int[] places = sparse.indices();
      double[] numbers = sparse.values();
      for (int i = 0; i < places.length; i++) {
        to[at + places[i]] = (float) numbers[i];
      }
      return at + sparse.size();
    }
    if (value instanceof Vector dense) {
      double[] numbers = dense.toArray();
      room(to, at, numbers.length);
      for (int i = 0; i < numbers.length; i++) {
        to[at + i] = (float) numbers[i];
      }
      return at + numbers.length;
    }
    if (value instanceof byte[] bytes) {
      room(to, at, bytes.length);
      for (int i = 0; i < bytes.length; i++) {
        to[at + i] = Byte.toUnsignedInt(bytes[i]);
      }
      return at + bytes.length;
    }
    if (value instanceof scala.collection.Seq<?> array) {
      room(to, at, array.size());
      int i = at;
      for (var items = array.iterator(); items.hasNext(); i++) {
        to[i] = number(items.next(), name);
      }
      return i;
    }
    room(to, at, 1);
    to[at] = number(value, name);
    return at + 1;
  }

  private static float number(Object value, String name) {
    if (value instanceof Number number) {
      return number.floatValue();
    }
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    throw new BadRowException(name + ": a value is missing (null)");
  }

  private void room(float[] to, int at, int count) {
    if (at + count > to.length) {
      throw wrongWidth(to.length, at + count);
    }
  }

  private BadRowException wrongWidth(int width, int found) {
    return new BadRowException(
        "%s: a row must have as many features as the first of layers, %d, found %d"
            .formatted(String.join(", ", names), width, found));
  }
}
