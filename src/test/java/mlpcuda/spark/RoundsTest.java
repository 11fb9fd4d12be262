package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mlpcuda.error.DivergedException;
import mlpcuda.error.SettingException;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the training of one network by several workers, with Spark in this JVM, whose serializer
 * for data is not Java's.
 */
class RoundsTest {
  private static SparkSession spark;
  private static Dataset<Row> points;

  @BeforeAll
  static void start() {
    System.setProperty("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    spark = Spark.local(2);
    points = Spark.points(spark, 300, 3);
  }

  @AfterAll
  static void stop() {
    spark.stop();
    System.clearProperty("spark.serializer");
  }

  /** A classifier whose workers' networks are averaged after each epoch, without a momentum. */
  private static MlpClassifier classifier(int workers) {
    return MlpClassifierTest.classifier()
        .setNumWorkers(workers)
        .setLocalSteps(0)
        .setOuterMomentum(0.0);
  }

  private static byte[] bytes(MlpClassificationModel model) {
    return ModelBytes.of(model.network()).bytes();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void workersLearnTogether(int workers) {
    MlpClassificationModel model = classifier(workers).setStepSize(0.02).fit(points);
    double accuracy = MlpClassifierTest.accuracy(model.transform(points));
    assertTrue(accuracy > 0.95, "accuracy " + accuracy);
    double[] losses = model.summary().objectiveHistory();
    assertEquals(30, losses.length);
    assertTrue(losses[29] < losses[0] / 2);
  }

  /** Twelve workers are averaged in groups of four; rounds end in the midst of epochs. */
  @ParameterizedTest
  @ValueSource(ints = {3, 12})
  void theSameSeedAndNumberOfWorkersGiveTheSameBytes(int workers) {
    MlpClassifier classifier =
        classifier(workers)
            .setBlockSize(8)
            .setMaxIter(3)
            .setLocalSteps(2)
            .setOuterRate(0.7)
            .setOuterMomentum(0.9)
            .setDropout(0.1);
    byte[] first = bytes(classifier.fit(points));
    assertArrayEquals(first, bytes(classifier.fit(points)));
    assertFalse(Arrays.equals(first, bytes(classifier.setSeed(2).fit(points))));
  }

  /**
   * Workers whose batches are all alike take the steps of one worker, each the same. The results of
   * 9 workers are averaged in groups of 3, those of 100 in groups of 10 and then of 4.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 9, 100})
  void workersThatAgreeAreOneWorker(int workers) {
    MlpClassifier one = classifier(1).setMaxIter(3).setBlockSize(4).setScaling("none");
    byte[] expected = bytes(one.fit(equal(8)));
    assertArrayEquals(
        expected, bytes(one.setNumWorkers(workers).setLocalSteps(3).fit(equal(8 * workers))));
  }

  private static Dataset<Row> equal(int count) {
    Row row = RowFactory.create(1.0, Vectors.dense(0.5, -2));
    return spark.createDataFrame(Collections.nCopies(count, row), Spark.VECTORS).coalesce(1);
  }

  /**
   * A partition that is computed again may have its rows in another order: no result depends on it.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void theOrderOfAPartitionsRowsDoesNotMatter(int workers) {
    MlpClassifier classifier = classifier(workers).setMaxIter(2);
    Dataset<Row> one = points.coalesce(1);
    assertArrayEquals(
        bytes(classifier.fit(one.sortWithinPartitions("features"))),
        bytes(classifier.fit(one.sortWithinPartitions(functions.col("features").desc()))));
  }

  @Test
  void theScalingIsThatOfAllRows() {
    Dataset<Row> uneven = points.limit(101);
    List<double[]> expected = classifier(1).setMaxIter(0).fit(uneven).network().unscaledWeights();
    List<double[]> found = classifier(4).setMaxIter(0).fit(uneven).network().unscaledWeights();
    for (int t = 0; t < expected.size(); t++) {
      assertArrayEquals(expected.get(t), found.get(t), 1e-6);
    }
  }

  @Test
  void countsTheBytesThatItSends() {
    Rounds.Trained trained = rounds(classifier(2).setMaxIter(3), Rounds.BYTES_ON_DRIVER);
    // A round is an epoch of 150 / 16 steps; the first state has no moments yet.
    int state = 4 * (2 * 8 + 8 + 8 * 3 + 3);
    Rounds.Traffic traffic = trained.traffic();
    assertEquals(3, traffic.rounds());
    assertBytes(state + 2 * 3 * state, 3, traffic.toExecutor());
    assertBytes(3 * 2 * (3 * state + 4 * 9), 6, traffic.toDriver());
    assertEquals(traffic.toDriver(), traffic.fromWorkers());
    assertEquals(
        "3 rounds sent 1,234 bytes to each executor and 5,678 bytes from the workers, of which the"
            + " driver got 90",
        new Rounds.Traffic(3, 1234, 5678, 90).toString());
  }

  private static Rounds.Trained rounds(MlpClassifier classifier, long bytesOnDriver) {
    var device = new DeviceChoice("cpu", "fp32", 1);
    return new Rounds(new FitSettings(classifier), device, bytesOnDriver).train(points);
  }

  /** The means of means are those of all, whose weights no one may have twice or not at all. */
  @Test
  void groupsGiveTheMeanOfAllWorkers() {
    MlpClassifier classifier = classifier(7).setMaxIter(2);
    Rounds.Trained together = rounds(classifier, Rounds.BYTES_ON_DRIVER);
    Rounds.Trained grouped = rounds(classifier, 1); // 7 results in groups of 3, then of 2, of 2
    List<float[]> expected = together.network().weights();
    List<float[]> found = grouped.network().weights();
    for (int t = 0; t < expected.size(); t++) {
      assertArrayEquals(expected.get(t), found.get(t), 1e-5f);
    }
    assertEquals(together.traffic().fromWorkers(), together.traffic().toDriver());
    assertEquals(7 * grouped.traffic().toDriver(), grouped.traffic().fromWorkers());
    Rounds.Traffic twelve = rounds(classifier(12).setMaxIter(2), Rounds.BYTES_ON_DRIVER).traffic();
    assertEquals(4 * twelve.toDriver(), twelve.fromWorkers());
  }

  /** Asserts a number of bytes of so many messages, each of which has a head. */
  private static void assertBytes(long numbers, int messages, long found) {
    assertTrue(numbers < found && found < numbers + 600 * messages, found + " bytes");
  }

  @Test
  void endsWhenTheLossFallsNoMore() {
    MlpClassificationModel model =
        classifier(2).setMaxIter(100).setTol(0.3).setLocalSteps(4).fit(points);
    int epochs = model.summary().objectiveHistory().length;
    assertTrue(epochs > 1 && epochs < 100, epochs + " epochs");
  }

  /** Replicas that nobody wants keep the memory of their GPU from others for minutes. */
  @Test
  void noReplicaIsLeftByATrainingThatEndsBeforeItsLastStep() throws Exception {
    classifier(2).setMaxIter(100).setTol(0.3).fit(points);
    awaitNoReplica();
    MlpClassifier diverging = classifier(2).setOptimizer("sgd").setStepSize(1e39);
    assertThrows(DivergedException.class, () -> diverging.fit(points));
    awaitNoReplica();
  }

  private static void awaitNoReplica() throws InterruptedException {
    long begin = System.nanoTime();
    while (ExecutorReplicas.idle() > 0) {
      long waited = TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - begin);
      assertTrue(waited < 2, ExecutorReplicas.idle() + " replicas");
      Thread.sleep(5);
    }
  }

  @Test
  void weightsAndImagesAndTheOtherSettingsReachTheWorkers() {
    Dataset<Row> weighted =
        points.withColumn("w", functions.when(points.col("label").equalTo(2), 0.0).otherwise(1.0));
    Dataset<Row> predicted =
        classifier(2).setStepSize(0.02).setWeightCol("w").fit(weighted).transform(points);
    assertEquals(0, predicted.where("prediction = 2").count());
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      double[] pixels = new double[25];
      Arrays.fill(pixels, 5 * (i % 2), 5 * (i % 2) + 15, 200);
      rows.add(RowFactory.create((double) (i % 2), Vectors.dense(pixels)));
    }
    Dataset<Row> images = spark.createDataFrame(rows, Spark.VECTORS).repartition(2);
    MlpClassificationModel model =
        classifier(2)
            .setLayers(new int[] {25, 6, 2})
            .setImageShape(new int[] {5, 5})
            .setAugment("translate:1")
            .setScaling("z-score")
            .setSchedule("one-cycle")
            .setOptimizer("sgd")
            .setLabelSmoothing(0.1)
            .setStepSize(0.1)
            .fit(images);
    assertArrayEquals(new int[] {5, 5}, model.network().imageShape().orElseThrow());
    assertTrue(MlpClassifierTest.accuracy(model.transform(images)) > 0.95);
  }

  @Test
  void refusesInOneLine() {
    assertEquals(
        "each of the 40 parts of the rows must have at least blockSize rows, 16, found one of 6: set"
            + " a smaller blockSize or fewer numWorkers",
        message(IllegalArgumentException.class, classifier(40), points));
    assertEquals(
        "the data frame has no rows to learn from",
        message(IllegalArgumentException.class, classifier(2), points.limit(0)));
    assertEquals(
        "labels must be whole numbers from 0 to 2, one less than the last of layers, found 3.0",
        message(
            IllegalArgumentException.class,
            classifier(2),
            points.withColumn("label", functions.lit(3.0))));
    assertTrue(
        message(SettingException.class, classifier(2).setSchedule("plateau:0.5:2"), points)
            .startsWith("schedule: must be a function of the step"));
    assertTrue(
        message(
                DivergedException.class,
                classifier(2).setOptimizer("sgd").setStepSize(1e39),
                points)
            .startsWith("training diverged: "));
  }

  private static String message(
      Class<? extends RuntimeException> type, MlpClassifier classifier, Dataset<Row> rows) {
    return assertThrows(type, () -> classifier.fit(rows)).getMessage();
  }
}
