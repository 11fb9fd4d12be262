package example;

import mlpcuda.spark.MlpClassifier;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A program for spark-submit: it learns the species of flowers from a table in a CSV file. */
public final class Flowers {
  private Flowers() {}

  /**
   * Trains on some workers, saves the pipeline, and predicts what it learnt with the saved one.
   *
   * @param args the CSV file, the folder of the pipeline and the number of workers
   */
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().appName("flowers").getOrCreate();
    Dataset<Row> flowers =
        spark.read().option("header", true).option("inferSchema", true).csv(args[0]);
    MlpClassifier classifier =
        new MlpClassifier()
            .setLayers(new int[] {4, 16, 3})
            .setMaxIter(40)
            .setBlockSize(8)
            .setStepSize(0.01)
            .setSeed(1)
            .setFeaturesCols(
                new String[] {"sepal_length", "sepal_width", "petal_length", "petal_width"})
            .setNumWorkers(Integer.parseInt(args[2]));
    StringIndexer species = new StringIndexer().setInputCol("species").setOutputCol("label");
    try {
      new Pipeline()
          .setStages(new PipelineStage[] {species, classifier})
          .fit(flowers)
          .write()
          .overwrite()
          .save(args[1]);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    double accuracy =
        new MulticlassClassificationEvaluator()
            .setMetricName("accuracy")
            .evaluate(PipelineModel.load(args[1]).transform(flowers));
    System.out.println("accuracy " + accuracy);
    spark.stop();
  }
}
