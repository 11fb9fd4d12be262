package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** Tests a model that a program keeps while it stops Spark and starts it again. */
class TwoSessionsTest {
  @Test
  void aModelOutlivesItsSession() {
    SparkSession first = Spark.local(1);
    MlpClassificationModel model;
    List<Row> expected;
    try {
      model = MlpClassifierTest.classifier().setMaxIter(2).fit(Spark.points(first, 60, 1));
      expected = model.transform(Spark.points(first, 60, 1)).collectAsList();
    } finally {
      first.stop();
    }
    SparkSession second = Spark.local(1);
    try {
      assertEquals(expected, model.transform(Spark.points(second, 60, 1)).collectAsList());
      assertEquals(
          expected.size(), model.evaluate(Spark.points(second, 60, 1)).predictions().count());
    } finally {
      second.stop();
    }
  }
}
