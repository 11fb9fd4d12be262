package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the training in one task, with Spark in this JVM: its end before time, and after it. */
class TaskTrainingTest {
  /** More epochs than a training does while a test waits. */
  private static final int ENDLESS = 100_000_000;

  private static SparkSession spark;
  private static Dataset<Row> points;

  @TempDir static Path folder;

  @BeforeAll
  static void start() {
    spark = Spark.local(2);
    spark.sparkContext().setCheckpointDir(folder.toUri().toString());
    points = Spark.points(spark, 300, 3);
    points.count();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static TaskTraining.Trained train(MlpClassifier classifier, Checkpoints checkpoints) {
    var device = new DeviceChoice("cpu", "fp32", 1);
    var task = new TaskTraining(new FitSettings(classifier), device, checkpoints);
    byte[] trained =
        Rows.deal(points, classifier, new Rows.Deal(1, true)).mapPartitions(task).collect().get(0);
    return JavaBytes.read(trained, TaskTraining.Trained.class);
  }

  /** An executor may be lost between the last checkpoint and the result. */
  @Test
  void aTrainingThatTolEndedDoesNoFurtherEpochElsewhere(@TempDir Path fetched) throws IOException {
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(100).setTol(0.3);
    Checkpoints checkpoints = Checkpoints.of(spark.sparkContext(), "tol");
    checkpoints.begin();
    TaskTraining.Trained first = train(classifier, checkpoints);
    assertTrue(first.losses().length < 100);
    assertNotNull(checkpoints.fetch(0, fetched));
    TaskTraining.Trained again = train(classifier, checkpoints);
    checkpoints.delete();
    assertArrayEquals(first.losses(), again.losses());
    assertArrayEquals(first.file().bytes(), again.file().bytes());
  }

  @Test
  void aCancelledTrainingEndsAndLeavesNoCheckpoint() throws Exception {
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(ENDLESS);
    cancelled(() -> classifier.fit(points), before -> files("member-") > 0);
    assertEquals(0, files(""));
  }

  @Test
  void aCancelledTrainingWithoutCheckpointsEnds() throws Exception {
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(ENDLESS);
    cancelled(() -> train(classifier, null), before -> !before.containsAll(devices()));
  }

  /**
   * Cancels work once it is under way, and waits until its task is done with its device.
   *
   * @param underWay whether it is, by the threads of the devices that were there before
   */
  private static void cancelled(Runnable work, Predicate<Set<Thread>> underWay) throws Exception {
    Set<Thread> before = devices(); // other tests in this JVM leave devices open
    var future =
        CompletableFuture.runAsync(
            () -> {
              spark.sparkContext().setJobGroup("cancelled", "", false); // interrupts no thread
              work.run();
            });
    while (!underWay.test(before)) {
      assertFalse(future.isDone(), "the work ended before it could be cancelled");
      Thread.sleep(5);
    }
    spark.sparkContext().cancelJobGroup("cancelled");
    assertThrows(ExecutionException.class, () -> future.get(2, TimeUnit.MINUTES));
    long begin = System.nanoTime();
    while (!before.containsAll(devices())) {
      long waited = TimeUnit.NANOSECONDS.toMinutes(System.nanoTime() - begin);
      assertTrue(waited < 2, "the training goes on");
      Thread.sleep(5);
    }
  }

  private static Set<Thread> devices() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("mlp-cuda-device"))
        .collect(Collectors.toSet());
  }

  /** The number of files under the checkpoint directory whose names begin so. */
  private static long files(String begin) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> Files.isRegularFile(file))
          .filter(file -> file.getFileName().toString().startsWith(begin))
          .count();
    } catch (IOException | UncheckedIOException e) {
      return 0; // a file was renamed meanwhile
    }
  }
}
