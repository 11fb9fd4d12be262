package mlpcuda.spark;

import java.util.function.UnaryOperator;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Lets Spark check and extend a schema whose features are no vector: Spark's own classes look for
 * one vector.
 */
final class FeatureSchema {
  private FeatureSchema() {}

  /**
   * Applies a rule of Spark to a schema as if its features were a vector in one column.
   *
   * @param name the name of Spark's parameter {@code featuresCol}
   * @param columns the columns that the features are read from
   * @param rule checks and extends a schema
   * @throws IllegalArgumentException if a column is missing or has a type that is no feature
   */
  static StructType with(
      StructType schema, String name, String[] columns, UnaryOperator<StructType> rule) {
    FeatureColumns.of(schema, columns); // checks them
    var seen = new StructType();
    boolean found = false;
    for (StructField field : schema.fields()) {
      boolean features = field.name().equals(name);
      found |= features;
      seen = seen.add(features ? vector(name) : field);
    }
    StructType extended = rule.apply(found ? seen : seen.add(vector(name)));
    var result = new StructType();
    for (StructField field : extended.fields()) {
      if (!field.name().equals(name)) {
        result = result.add(field);
      } else if (found) {
        result = result.add(schema.apply(name));
      }
    }
    return result;
  }

  private static StructField vector(String name) {
    return DataTypes.createStructField(name, SQLDataTypes.VectorType(), true, Metadata.empty());
  }
}
