package mlpcuda.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The place of a column in a row. Its name is understood as Spark understands it: {@code a.b} is
 * the field {@code b} of the structure {@code a}, {@code `a.b`} a column whose name has a dot, and
 * upper and lower case are the same unless {@code spark.sql.caseSensitive} is set.
 *
 * @param indices the place in the row, and then in each structure
 */
record ColumnPath(int... indices) implements Serializable {
  /**
   * Finds a column.
   *
   * @throws IllegalArgumentException if there is no such column
   */
  static ColumnPath of(StructType schema, String name) {
    return find(schema, name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: there is no such column, but there are %s"
                        .formatted(name, String.join(", ", schema.fieldNames()))));
  }

  /** Finds a column that may be missing. */
  static Optional<ColumnPath> find(StructType schema, String name) {
    List<String> parts = CollectionConverters.asJava(UnresolvedAttribute.parseAttributeName(name));
    int[] indices = new int[parts.size()];
    DataType within = schema;
    for (int i = 0; i < indices.length; i++) {
      indices[i] = within instanceof StructType fields ? index(fields, parts.get(i)) : -1;
      if (indices[i] < 0) {
        return Optional.empty();
      }
      within = ((StructType) within).fields()[indices[i]].dataType();
    }
    return Optional.of(new ColumnPath(indices));
  }

  private static int index(StructType fields, String name) {
    List<String> names = Arrays.asList(fields.fieldNames());
    int exact = names.indexOf(name);
    if (exact >= 0 || SQLConf.get().caseSensitiveAnalysis()) {
      return exact;
    }
    for (int i = 0; i < names.size(); i++) {
      if (names.get(i).equalsIgnoreCase(name)) {
        return i;
      }
    }
    return -1;
  }

  /** The type of the column in a schema that has it. */
  DataType type(StructType schema) {
    DataType type = schema;
    for (int index : indices) {
      type = ((StructType) type).fields()[index].dataType();
    }
    return type;
  }

  /** The value of a row, or null, be it that of the column or of a structure around it. */
  Object value(Row row) {
    Object value = row;
    for (int index : indices) {
      if (value == null) {
        return null;
      }
      value = ((Row) value).get(index);
    }
    return value;
  }
}
