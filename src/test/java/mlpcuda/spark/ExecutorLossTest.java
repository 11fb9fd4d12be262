package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mlpcuda.Network;
import mlpcuda.Replica;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests with executors in JVMs of their own what happens when one of them is killed at work, and
 * what they keep between two rounds.
 */
@Tag("long")
class ExecutorLossTest {
  private static SparkSession spark;

  private static Dataset<Row> points;

  @TempDir static Path folder;

  @BeforeAll
  static void start() {
    spark = Spark.cluster(2, Map.of());
    spark.sparkContext().setCheckpointDir(folder.toUri().toString());
    points = Spark.points(spark, 300, 3);
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** Kills the JVM of an executor, as a machine that fails would. */
  private static void kill(String executor) {
    ProcessHandle process =
        ProcessHandle.current()
            .descendants()
            .filter(child -> isExecutor(child, executor))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no process of executor " + executor));
    assertTrue(process.destroyForcibly());
  }

  private static boolean isExecutor(ProcessHandle process, String executor) {
    List<String> arguments = Arrays.asList(process.info().arguments().orElse(new String[0]));
    int id = arguments.indexOf("--executor-id");
    return id >= 0 && arguments.get(id + 1).equals(executor);
  }

  /** Does work during which an executor is killed: that of the task which is the n-th to end. */
  private static <T> T disturbed(int n, Supplier<T> work) {
    var ended = new AtomicInteger();
    var killed = new AtomicReference<String>();
    var listener =
        new SparkListener() {
          @Override
          public void onTaskEnd(SparkListenerTaskEnd end) {
            if (ended.incrementAndGet() == n) {
              killed.set(end.taskInfo().executorId());
              kill(killed.get());
            }
          }
        };
    spark.sparkContext().addSparkListener(listener);
    T result = work.get();
    spark.sparkContext().removeSparkListener(listener);
    assertTrue(killed.get() != null, "no executor was killed");
    return result;
  }

  /** The checkpoint of the training that runs; null: there is none yet. */
  private static Path checkpoint() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.endsWith("member-0")).findFirst().orElse(null);
    }
  }

  /** The number of epochs until a checkpoint. */
  private static int epochs(Path checkpoint) throws IOException {
    if (checkpoint == null) {
      return 0;
    }
    try (var in = new DataInputStream(Files.newInputStream(checkpoint))) {
      return in.readInt();
    } catch (NoSuchFileException e) {
      return 0; // the executor replaces the file at this moment
    }
  }

  @Test
  void aTrainingGoesOnFromItsCheckpoint() throws Exception {
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(400);
    MlpClassificationModel undisturbed = classifier.fit(points);
    var last = new AtomicReference<String>();
    var listener =
        new SparkListener() {
          @Override
          public void onTaskStart(SparkListenerTaskStart start) {
            last.set(start.taskInfo().executorId());
          }
        };
    spark.sparkContext().addSparkListener(listener);
    var disturbed = CompletableFuture.supplyAsync(() -> classifier.fit(points));
    while (epochs(checkpoint()) < 5) {
      assertTrue(!disturbed.isDone(), "the training ended before its executor could be killed");
      Thread.sleep(5);
    }
    kill(last.get());
    // What the next task reads tells that it went on: one that begins anew finds its own loss.
    Path checkpoint = checkpoint();
    Files.delete(checkpoint.resolveSibling(".member-0.crc")); // Hadoop's, of the former bytes
    try (var file = new RandomAccessFile(checkpoint.toFile(), "rw")) {
      file.seek(Integer.BYTES);
      file.writeDouble(99);
    }
    MlpClassificationModel model = disturbed.join();
    spark.sparkContext().removeSparkListener(listener);
    assertArrayEquals(
        ModelBytes.of(undisturbed.network()).bytes(), ModelBytes.of(model.network()).bytes());
    assertEquals(400, model.summary().objectiveHistory().length);
    assertEquals(99.0, model.summary().objectiveHistory()[0]);
    assertEquals(null, checkpoint(), "the checkpoints of a training that is done are deleted");
  }

  /** Rounds keep no checkpoint: what was lost is done again from the state before the round. */
  @Test
  void aWorkersRoundIsRepeatedElsewhere() {
    MlpClassifier classifier =
        MlpClassifierTest.classifier()
            .setMaxIter(10)
            .setNumWorkers(2)
            .setLocalSteps(4)
            .setOuterMomentum(0.5);
    MlpClassificationModel undisturbed = classifier.fit(points);
    MlpClassificationModel disturbed = disturbed(20, () -> classifier.fit(points));
    assertArrayEquals(
        ModelBytes.of(undisturbed.network()).bytes(), ModelBytes.of(disturbed.network()).bytes());
  }

  /** The driver tells executors of the end of a training by destroying its setup alone. */
  @Test
  void executorsKeepReplicasUntilTheSetupIsDestroyed() throws Exception {
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(0);
    Network begin = classifier.fit(points).network();
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var device = new DeviceChoice("cpu", "fp32", 1);
    var settings = new FitSettings(classifier.setMaxIter(1));
    var setup = new RoundTask.Setup(settings, ModelBytes.of(begin), 2);
    Broadcast<byte[]> sent = context.broadcast(JavaBytes.of(setup));
    Broadcast<byte[]> state = context.broadcast(JavaBytes.of(Replica.State.of(begin)));
    JavaRDD<byte[]> parts = Rows.deal(points, classifier, new Rows.Deal(2, false)).cache();
    parts.mapPartitionsToPair(new RoundTask("kept", device, sent, state, 1, false)).collect();
    assertTrue(mostReplicas(parts) > 0, "the replicas are kept for the next round");
    sent.destroy();
    long since = System.nanoTime();
    while (mostReplicas(parts) > 0) {
      assertTrue(System.nanoTime() - since < TimeUnit.MINUTES.toNanos(2), "replicas are kept");
    }
  }

  private static int mostReplicas(JavaRDD<byte[]> parts) {
    return parts
        .mapPartitions(
            blocks -> {
              ExecutorReplicas.closeUseless();
              return List.of(ExecutorReplicas.idle()).iterator();
            })
        .reduce(Math::max);
  }

  @Test
  void aPredictionIsRepeatedElsewhere() {
    MlpClassificationModel model = MlpClassifierTest.classifier().fit(points);
    Dataset<Row> many =
        points
            .repartition(40)
            .withColumn(
                "copy", functions.explode(functions.sequence(functions.lit(1), functions.lit(50))));
    List<Row> undisturbed = counts(model.transform(many));
    List<Row> disturbed = disturbed(10, () -> counts(model.transform(many)));
    assertEquals(undisturbed, disturbed);
  }

  private static List<Row> counts(Dataset<Row> predictions) {
    return predictions
        .groupBy("prediction", "label")
        .agg(functions.count("*"), functions.sum(functions.hash(functions.col("probability"))))
        .orderBy("prediction", "label")
        .collectAsList();
  }
}
