package mlpcuda.spark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import mlpcuda.InputStatistics;
import mlpcuda.Network;
import mlpcuda.OuterStep;
import mlpcuda.Replica;
import mlpcuda.RoundMean;
import mlpcuda.Training;
import org.apache.spark.Partitioner;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * Trains one network in several tasks, the workers, by local SGD: see {@link Replica}. Each has a
 * part of the rows, which lies on its executor's disk. A round is a job of Spark: the driver
 * broadcasts the common state, each worker takes {@code localSteps} steps from it, and the driver
 * makes the next state of the mean of theirs. Workers have no state of their own: what a lost
 * executor did in the round is done again elsewhere, and nothing else is lost.
 *
 * <p>For a seed and a number of workers the network is the same to the byte, whichever task ends
 * first: the workers' results are added in the order of the workers.
 */
final class Rounds {
  /** The most results that the driver adds up by itself; more are averaged in groups before. */
  private static final int MOST_ON_DRIVER = 8;

  /**
   * The bytes of results of which the driver gets no more at once, unless one result has more.
   * Spark fails a job whose results exceed {@code spark.driver.maxResultSize}, 1 GB by default.
   */
  static final long BYTES_ON_DRIVER = 256 << 20;

  private static final System.Logger LOG = System.getLogger("mlpcuda");

  private final FitSettings settings;
  private final MlpClassifier classifier;
  private final DeviceChoice device;
  private final Training training;
  private final long bytesOnDriver;
  private final int workers;

  /**
   * The rounds of a training.
   *
   * @param device the device of a task
   * @param bytesOnDriver the bytes of results that the driver may get at once, such as {@link
   *     #BYTES_ON_DRIVER}; results that have more are averaged by executors first
   * @throws mlpcuda.error.SettingException if workers cannot train with a setting
   */
  Rounds(FitSettings settings, DeviceChoice device, long bytesOnDriver) {
    this.settings = settings;
    this.classifier = settings.of();
    this.device = device;
    this.bytesOnDriver = bytesOnDriver;
    this.training = settings.training(0, new ArrayList<>());
    this.workers = classifier.getNumWorkers();
    Replica.check(training);
  }

  /**
   * A trained network.
   *
   * @param losses the mean loss of each epoch
   */
  record Trained(Network network, double[] losses, Traffic traffic) {}

  /**
   * The bytes of states that a training sent in its rounds, before Spark compresses them.
   *
   * @param rounds the number of rounds
   * @param toExecutor the bytes that each executor with a worker was sent in all rounds
   * @param fromWorkers the bytes that all workers returned in all rounds
   * @param toDriver the bytes that the driver received: those of all workers, or of their groups
   */
  record Traffic(int rounds, long toExecutor, long fromWorkers, long toDriver) {
    Traffic plus(byte[] before, List<byte[]> results, int workers) {
      long received = results.stream().mapToLong(result -> result.length).sum();
      return new Traffic(
          rounds + 1,
          toExecutor + before.length,
          fromWorkers + received * workers / results.size(), // all results are of one size
          toDriver + received);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%,d rounds sent %,d bytes to each executor and %,d bytes from the workers, of which the"
              + " driver got %,d",
          rounds,
          toExecutor,
          fromWorkers,
          toDriver);
    }
  }

  /** Trains on the rows of a data frame. */
  Trained train(Dataset<?> dataset) {
    JavaSparkContext context =
        JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
    JavaRDD<byte[]> parts =
        Rows.deal(dataset, classifier, new Rows.Deal(workers, false))
            .persist(StorageLevel.DISK_ONLY()); // the replicas have the rows in memory
    try {
      return train(context, parts);
    } finally {
      parts.unpersist(false);
    }
  }

  private Trained train(JavaSparkContext context, JavaRDD<byte[]> parts) {
    List<InputStatistics> found = new ArrayList<>();
    for (byte[] bytes : parts.mapPartitions(new Survey(settings)).collect()) {
      found.add(JavaBytes.read(bytes, InputStatistics.class));
    }
    int batches = batches(found);
    Network begin = found.stream().reduce(InputStatistics::plus).orElseThrow().network(training);
    var setup = new RoundTask.Setup(settings, ModelBytes.of(begin), batches);
    Broadcast<byte[]> sent = context.broadcast(JavaBytes.of(setup));
    try {
      return train(context, parts, sent, batches, begin);
    } finally {
      sent.destroy();
    }
  }

  /** The whole batches of the smallest part, which are the steps of an epoch. */
  private int batches(List<InputStatistics> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("the data frame has no rows to learn from");
    }
    long smallest =
        parts.size() < workers
            ? 0
            : parts.stream().mapToLong(InputStatistics::size).min().getAsLong();
    int B = classifier.getBlockSize();
    if (smallest < B) {
      throw new IllegalArgumentException(
          "each of the %d parts of the rows must have at least blockSize rows, %d, found one of %d:"
                  .formatted(workers, B, smallest)
              + " set a smaller blockSize or fewer numWorkers");
    }
    return (int) (smallest / B);
  }

  private Trained train(
      JavaSparkContext context,
      JavaRDD<byte[]> parts,
      Broadcast<byte[]> setup,
      int batches,
      Network begin) {
    String fit = UUID.randomUUID().toString();
    int total = Math.multiplyExact(batches, classifier.getMaxIter());
    int given = classifier.getLocalSteps();
    int most = given == 0 ? batches : given;
    var outer = new OuterStep(classifier.getOuterRate(), classifier.getOuterMomentum());
    var losses = new EpochLosses(batches);
    var traffic = new Traffic(0, 0, 0, 0);
    Replica.State state = Replica.State.of(begin);
    while (state.steps() < total && !losses.endsBy(classifier.getTol())) {
      int steps = Math.min(most, total - state.steps());
      byte[] before = JavaBytes.of(state);
      Broadcast<byte[]> sent = context.broadcast(before);
      try {
        boolean isLast = state.steps() + steps == total;
        var task = new RoundTask(fit, device, setup, sent, steps, isLast);
        List<byte[]> results = round(parts, task, 3L * Float.BYTES * begin.parameters());
        var sum = new RoundMean();
        results.forEach(result -> add(sum, result));
        Replica.Round mean = sum.mean();
        traffic = traffic.plus(before, results, workers);
        losses.add(mean.losses());
        state = outer.next(state, mean);
      } finally {
        sent.destroy();
      }
    }
    LOG.log(System.Logger.Level.INFO, "{0} workers: {1}", workers, traffic);
    return new Trained(state.network(begin), losses.toArray(), traffic);
  }

  /**
   * The results of the workers in their order. If there are more than the driver adds up by itself,
   * executors average them in groups, and their means in groups, until there are no more.
   *
   * @param bytes the size of a result
   */
  private List<byte[]> round(JavaRDD<byte[]> parts, RoundTask task, long bytes) {
    JavaPairRDD<Integer, byte[]> results = parts.mapPartitionsToPair(task);
    int most = mostOnDriver(bytes);
    int count = workers;
    while (count > most) {
      // There are about as many groups as a group has members.
      int size = Math.max(2, (int) Math.ceil(Math.sqrt(count)));
      count = (count + size - 1) / size;
      results =
          results
              .repartitionAndSortWithinPartitions(new Groups(count, size))
              .mapPartitionsToPair(Rounds::meanOfGroup);
    }
    List<byte[]> collected = results.values().collect();
    if (count < workers) {
      results.rdd().cleanShuffleDependencies(false); // a round leaves its results on the disks
    }
    return collected;
  }

  /** The most results of that many bytes that the driver adds up by itself. */
  private int mostOnDriver(long bytes) {
    return (int) Math.max(1, Math.min(MOST_ON_DRIVER, bytesOnDriver / bytes));
  }

  /** The mean of the results in a partition, with the group's number as the key. */
  private static Iterator<Tuple2<Integer, byte[]>> meanOfGroup(
      Iterator<Tuple2<Integer, byte[]>> results) {
    var mean = new RoundMean();
    results.forEachRemaining(result -> add(mean, result._2));
    return List.of(new Tuple2<>(TaskContext.getPartitionId(), JavaBytes.of(mean.mean())))
        .iterator();
  }

  private static void add(RoundMean mean, byte[] result) {
    mean.add(JavaBytes.read(result, Replica.Round.class));
  }

  /** Measures the rows of a worker; a part without rows has no statistics. */
  private record Survey(FitSettings settings) implements FlatMapFunction<Iterator<byte[]>, byte[]> {
    @Override
    public Iterator<byte[]> call(Iterator<byte[]> blocks) {
      if (!blocks.hasNext()) {
        return Collections.emptyIterator();
      }
      Training training = settings.training(0, new ArrayList<>());
      var statistics = InputStatistics.of(training, settings.dataset(blocks));
      return List.of(JavaBytes.of(statistics)).iterator();
    }
  }

  /** Groups of {@code size} results whose numbers follow one another; the last may have fewer. */
  private static final class Groups extends Partitioner {
    private static final long serialVersionUID = 1;

    private final int count;
    private final int size;

    Groups(int count, int size) {
      this.count = count;
      this.size = size;
    }

    @Override
    public int numPartitions() {
      return count;
    }

    @Override
    public int getPartition(Object number) {
      return (Integer) number / size;
    }
  }

  /** The mean losses of the epochs, which rounds may begin and end in the midst of. */
  private static final class EpochLosses {
    private final int batches;
    private final List<Double> epochs = new ArrayList<>();
    private double sum; // over the steps of the epoch that is under way
    private int steps;
    private boolean isNew; // whether the last round ended an epoch

    EpochLosses(int batches) {
      this.batches = batches;
    }

    void add(float[] losses) {
      isNew = false;
      for (float loss : losses) {
        sum += loss;
        if (++steps == batches) {
          epochs.add(sum / batches);
          sum = 0;
          steps = 0;
          isNew = true;
        }
      }
    }

    /** Whether the training ends because the loss fell by too little. */
    boolean endsBy(double tolerance) {
      return isNew && FitSettings.hasConverged(epochs, tolerance);
    }

    double[] toArray() {
      return epochs.stream().mapToDouble(Double::doubleValue).toArray();
    }
  }
}
