package mlpcuda.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import mlpcuda.Examples;
import mlpcuda.spark.MlpClassifier;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Trains the same network on MNIST with Spark's own multilayer perceptron and with ours, in turn,
 * and prints for each the time of {@code fit}, that of a pass over the training rows, the accuracy
 * on the test rows and the rate of prediction. scripts/spark-comparison.sh runs it.
 */
public final class SparkComparison {
  private final AtomicInteger jobs = new AtomicInteger(); // passes of Spark's optimizer
  private final Dataset<Row> train;
  private final Dataset<Row> test;
  private final int[] layers;
  private final int repeated; // the test rows are predicted so often in one job

  private SparkComparison(SparkSession spark, int[] layers, int repeated) {
    spark
        .sparkContext()
        .addSparkListener(
            new SparkListener() {
              @Override
              public void onJobStart(SparkListenerJobStart start) {
                if (start.stageInfos().last().name().startsWith("treeAggregate")) {
                  jobs.incrementAndGet();
                }
              }
            });
    this.layers = layers;
    this.repeated = repeated;
    mlpcuda.Dataset mnist = mlpcuda.Dataset.mnist();
    train = rows(spark, mnist.train());
    test = rows(spark, mnist.test());
  }

  /** Spark in this JVM with so many threads; the caller stops it. */
  public static SparkSession local(int threads) {
    return SparkSession.builder()
        .master("local[" + threads + "]")
        .config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate();
  }

  /** The images as vectors of numbers from 0 to 1 with their labels, in the cache. */
  static Dataset<Row> rows(SparkSession spark, Examples examples) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      float[] pixels = examples.values(i);
      double[] features = new double[pixels.length];
      Arrays.setAll(features, p -> pixels[p] / 255);
      rows.add(RowFactory.create((double) examples.label(i), Vectors.dense(features)));
    }
    StructType schema =
        new StructType()
            .add("label", DataTypes.DoubleType)
            .add("features", SQLDataTypes.VectorType());
    Dataset<Row> frame = spark.createDataFrame(rows, schema).repartition(2).cache();
    frame.count(); // fills the cache: no fit shall pay for that
    return frame;
  }

  private void round(MultilayerPerceptronClassifier classifier, String name) {
    classifier.setLayers(layers).setSeed(1).setBlockSize(128);
    jobs.set(0);
    long start = System.nanoTime();
    MultilayerPerceptronClassificationModel model = classifier.fit(train);
    double fit = (System.nanoTime() - start) / 1e9;
    // An iteration of L-BFGS takes as many passes as its line search needs, each of them a job.
    int passes = jobs.get() > 0 ? jobs.get() : classifier.getMaxIter();
    System.out.printf(
        Locale.ROOT,
        "%-8s %4d passes  fit %7.2f s  %6.3f s a pass",
        name,
        passes,
        fit,
        fit / passes);
    System.out.flush(); // a large network predicts for minutes
    double accuracy =
        new MulticlassClassificationEvaluator()
            .setMetricName("accuracy")
            .evaluate(model.transform(test));
    Dataset<Row> many =
        test.withColumn(
            "copy",
            functions.explode(functions.sequence(functions.lit(1), functions.lit(repeated))));
    start = System.nanoTime();
    model.transform(many).agg(functions.sum("prediction")).first();
    double predict = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "  accuracy %.2f %%  %,9.1f rows/s predicted%n",
        100 * accuracy,
        repeated * test.count() / predict);
  }

  /**
   * Runs the comparison.
   *
   * @param args the layers, such as {@code 784,100,10}; the iterations of Spark's classifier; the
   *     epochs of ours, one or more numbers joined by commas; the number of rounds; how often a job
   *     predicts the test rows; our learning rate
   */
  public static void main(String[] args) {
    int[] layers = numbers(args[0]);
    SparkSession spark = local(2);
    try {
      var comparison = new SparkComparison(spark, layers, Integer.parseInt(args[4]));
      for (int round = 0; round < Integer.parseInt(args[3]); round++) {
        if (Integer.parseInt(args[1]) > 0) {
          comparison.round(
              new MultilayerPerceptronClassifier()
                  .setMaxIter(Integer.parseInt(args[1]))
                  .setTol(0), // otherwise it may end before its last iteration
              "Spark");
        }
        for (int epochs : numbers(args[2])) {
          comparison.round(
              new MlpClassifier()
                  .setMaxIter(epochs)
                  .setStepSize(Double.parseDouble(args[5]))
                  .setSchedule("one-cycle")
                  .setActivation("sigmoid")
                  .setScaling("none"),
              "mlp-cuda");
        }
      }
    } finally {
      spark.stop();
    }
  }

  /** The whole numbers of a text, which commas join. */
  public static int[] numbers(String text) {
    return Arrays.stream(text.split(",")).mapToInt(Integer::parseInt).toArray();
  }
}
