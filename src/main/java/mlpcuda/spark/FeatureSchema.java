package mlpcuda.spark;

import java.util.Optional;
import java.util.function.BiFunction;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * Lets Spark check and extend a schema whose features are no vector: Spark's own classes look for
 * one vector.
 */
final class FeatureSchema {
  private FeatureSchema() {}

  /**
   * Applies a rule of Spark to a schema with features.
   *
   * @param name the value of Spark's parameter {@code featuresCol}
   * @param columns the columns that the features are read from
   * @param rule checks and extends a schema in which {@code name} is a column of the type that the
   *     rule is given
   * @throws IllegalArgumentException if a column is missing or has a type that is no feature
   */
  static StructType with(
      StructType schema,
      String name,
      String[] columns,
      BiFunction<StructType, DataType, StructType> rule) {
    FeatureColumns.of(schema, columns); // checks them
    Optional<ColumnPath> found = ColumnPath.find(schema, name);
    if (found.isPresent()) {
      return rule.apply(schema, found.get().type(schema));
    }
    // Several columns stand for the one that Spark asks for.
    DataType vector = SQLDataTypes.VectorType();
    var result = new StructType();
    for (var field : rule.apply(schema.add(name, vector), vector).fields()) {
      result = field.name().equals(name) ? result : result.add(field);
    }
    return result;
  }
}
