package mlpcuda.spark;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import mlpcuda.Network;
import mlpcuda.OuterStep;
import mlpcuda.Replica;
import mlpcuda.RoundMean;
import mlpcuda.benchmarks.SparkComparison;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.SparkSession;

/**
 * Measures what a round of several workers costs the driver, whatever the workers do in it: the
 * time of a job of empty tasks, by the number of tasks, and the time in which the driver adds the
 * result of a worker and takes the outer step, by the number of parameters.
 */
public final class RoundCosts {
  private static final int REPEATS = 5;

  private RoundCosts() {}

  private static final class Empty implements FlatMapFunction<Iterator<Integer>, Integer> {
    private static final long serialVersionUID = 1;

    @Override
    public Iterator<Integer> call(Iterator<Integer> values) {
      return Collections.emptyIterator();
    }
  }

  /**
   * Runs the measurements; each is the least of five.
   *
   * @param args the numbers of tasks, joined by commas; then the layers of each network
   */
  public static void main(String[] args) {
    SparkSession session = SparkComparison.local(2);
    try {
      JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      for (int tasks : SparkComparison.numbers(args[0])) {
        JavaRDD<Integer> values = spark.parallelize(List.of(0), tasks);
        double seconds = least(() -> values.mapPartitions(new Empty()).collect());
        System.out.printf(Locale.ROOT, "%,7d tasks: %8.1f ms a job%n", tasks, 1000 * seconds);
      }
    } finally {
      session.stop();
    }
    for (int i = 1; i < args.length; i++) {
      driver(SparkComparison.numbers(args[i]));
    }
  }

  private static void driver(int[] layers) {
    Network network = Network.relu(layers);
    int P = (int) network.parameters();
    // Three arrays: an array that occurs again is written once.
    var state = new Replica.State(new float[P], new float[P], new float[P], 1, new float[0]);
    var round = new Replica.Round(state, new float[25], 1);
    var outer = new OuterStep(1, 0.5);
    var mean = new RoundMean();
    mean.add(round);
    byte[] result = JavaBytes.of(round);
    double add = least(() -> mean.add(JavaBytes.read(result, Replica.Round.class)));
    double step = least(() -> JavaBytes.of(outer.next(state, mean.mean())));
    System.out.printf(
        Locale.ROOT,
        "%s: %.2f ms to read and add a result, %.2f ms for the outer step and its state's bytes%n",
        network,
        1000 * add,
        1000 * step);
  }

  private static double least(Runnable work) {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < REPEATS; i++) {
      long start = System.nanoTime();
      work.run();
      least = Math.min(least, (System.nanoTime() - start) / 1e9);
    }
    return least;
  }
}
