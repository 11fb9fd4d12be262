package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import mlpcuda.Device;
import mlpcuda.Model;
import mlpcuda.Network;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the estimator and its model with Spark in this JVM. */
class MlpClassifierTest {
  private static SparkSession spark;
  private static Dataset<Row> points;

  @TempDir Path folder;

  @BeforeAll
  static void start() {
    spark = Spark.local(2);
    points = Spark.points(spark, 300, 3);
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  static MlpClassifier classifier() {
    return new MlpClassifier()
        .setLayers(new int[] {2, 8, 3})
        .setMaxIter(30)
        .setBlockSize(16)
        .setStepSize(0.01)
        .setSeed(1)
        .with("threads", 1)
        .with("device", "cpu");
  }

  static double accuracy(Dataset<Row> predictions) {
    return new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(predictions);
  }

  @Test
  void learnsAndPredicts() {
    MlpClassificationModel model = classifier().fit(points);
    Dataset<Row> predictions = model.transform(points);
    assertEquals(
        List.of("label", "features", "rawPrediction", "probability", "prediction"),
        List.of(predictions.columns()));
    assertTrue(accuracy(predictions) > 0.95, "accuracy " + accuracy(predictions));
    assertEquals(30, model.summary().objectiveHistory().length);
    double[] losses = model.summary().objectiveHistory();
    assertTrue(losses[29] < losses[0] / 2);
    Row row = predictions.first();
    assertEquals(row.getDouble(4), model.predict(row.<Vector>getAs("features")));
    assertArrayEquals(
        row.<Vector>getAs("probability").toArray(),
        model.predictProbability(row.<Vector>getAs("features")).toArray(),
        1e-6);
  }

  @Test
  void theSameSeedGivesTheSameBytes() {
    byte[] first = bytes(classifier().fit(points));
    assertArrayEquals(first, bytes(classifier().fit(points)));
  }

  private byte[] bytes(MlpClassificationModel model) {
    return ModelBytes.of(model.network()).bytes();
  }

  /**
   * Spark's own model with our weights gives our probabilities, so that the weights are Spark's.
   */
  @Test
  void weightsAreThoseOfSparksModel() {
    MlpClassificationModel model = classifier().with("activation", "sigmoid").fit(points);
    var sparks = new MultilayerPerceptronClassificationModel("sparks", model.weights());
    sparks.set("layers", new int[] {2, 8, 3});
    List<Row> ours = model.transform(points).collectAsList();
    List<Row> theirs = sparks.transform(points).collectAsList();
    for (int i = 0; i < ours.size(); i++) {
      assertArrayEquals(
          theirs.get(i).<Vector>getAs("probability").toArray(),
          ours.get(i).<Vector>getAs("probability").toArray(),
          1e-4);
    }
  }

  @Test
  void aPipelineIsSavedAndLoaded() throws Exception {
    PipelineModel fitted = new Pipeline().setStages(new PipelineStage[] {classifier()}).fit(points);
    String path = folder.resolve("pipeline").toString();
    fitted.save(path);
    PipelineModel loaded = PipelineModel.load(path);
    assertEquals(
        fitted.transform(points).collectAsList(), loaded.transform(points).collectAsList());
  }

  @Test
  void theProgramReadsTheModelsFileAndBack() throws Exception {
    MlpClassificationModel model = classifier().fit(points);
    String path = folder.resolve("model").toString();
    model.save(path);
    Path file = folder.resolve("model").resolve(MlpClassificationModel.FILE);
    Row row = points.first();
    Vector features = row.getAs("features");
    float[] values = {(float) features.apply(0), (float) features.apply(1)};
    try (Device device = Device.cpu(1);
        Model loaded = Network.load(file).on(device)) {
      assertEquals(model.predict(features), loaded.predict(values).index());
    }
    MlpClassificationModel back = MlpClassificationModel.load(file.toString());
    assertEquals(
        model.transform(points).select("probability").collectAsList(),
        back.transform(points).select("probability").collectAsList());
  }
}
