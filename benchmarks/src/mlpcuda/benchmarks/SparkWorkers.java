package mlpcuda.benchmarks;

import java.util.Arrays;
import java.util.Locale;
import java.util.logging.ConsoleHandler;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import mlpcuda.spark.MlpClassificationModel;
import mlpcuda.spark.MlpClassifier;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Trains 784-100-10 on MNIST with different numbers of workers for the same number of epochs, and
 * prints the losses of the epochs, the accuracies on the test rows and the bytes that were sent.
 */
public final class SparkWorkers {
  private static final Logger LOG = Logger.getLogger("mlpcuda");

  private SparkWorkers() {}

  /**
   * Runs the trainings.
   *
   * @param args the epochs; the numbers of workers, joined by commas; the seeds; then settings of
   *     parameters such as {@code localSteps=100}
   */
  public static void main(String[] args) {
    LOG.addHandler(new ConsoleHandler()); // the estimator logs the bytes
    int[] workers = SparkComparison.numbers(args[1]);
    SparkSession spark = SparkComparison.local(Arrays.stream(workers).max().orElseThrow());
    try {
      mlpcuda.Dataset mnist = mlpcuda.Dataset.mnist();
      Dataset<Row> train = SparkComparison.rows(spark, mnist.train());
      Dataset<Row> test = SparkComparison.rows(spark, mnist.test());
      for (int seed : SparkComparison.numbers(args[2])) {
        for (int count : workers) {
          var classifier =
              new MlpClassifier()
                  .setLayers(new int[] {784, 100, 10})
                  .setMaxIter(Integer.parseInt(args[0]))
                  .setSeed(seed)
                  .setNumWorkers(count)
                  .setThreads(1);
          for (String setting : Arrays.copyOfRange(args, 3, args.length)) {
            String[] parts = setting.split("=");
            Param<Object> param = classifier.getParam(parts[0]);
            classifier.set(param, value(param, parts[1]));
          }
          long start = System.nanoTime();
          MlpClassificationModel model = classifier.fit(train);
          double seconds = (System.nanoTime() - start) / 1e9;
          double accuracy =
              new MulticlassClassificationEvaluator()
                  .setMetricName("accuracy")
                  .evaluate(model.transform(test));
          System.out.printf(
              Locale.ROOT,
              "seed %d, %d workers: accuracy %.2f %%, %.1f s, losses %s%n",
              seed,
              count,
              100 * accuracy,
              seconds,
              Arrays.stream(model.summary().objectiveHistory())
                  .mapToObj(loss -> String.format(Locale.ROOT, "%.4f", loss))
                  .collect(Collectors.joining(" ")));
        }
      }
    } finally {
      spark.stop();
    }
  }

  private static Object value(Param<?> param, String text) {
    if (param instanceof IntParam) {
      return Integer.valueOf(text);
    }
    return param instanceof DoubleParam ? (Object) Double.valueOf(text) : text;
  }
}
