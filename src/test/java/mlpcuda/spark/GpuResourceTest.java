package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import mlpcuda.error.DeviceException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that a task knows the GPU that Spark assigns to it, one that no machine has, and that it
 * does not compute without it.
 */
@Tag("long")
class GpuResourceTest {
  private static final int GPU = 97;

  private static SparkSession spark;
  private static Dataset<Row> points;

  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    Path script = folder.resolve("find-gpus");
    Files.writeString(script, "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"97\"]}'\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    spark =
        Spark.cluster(
            1,
            Map.of(
                "spark.worker.resource.gpu.amount", "1",
                "spark.worker.resource.gpu.discoveryScript", script.toString(),
                "spark.executor.resource.gpu.amount", "1",
                "spark.task.resource.gpu.amount", "1"));
    points = Spark.points(spark, 300, 2);
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** Asks an executor; the driver has no GPU of Spark's. */
  private static final class Asked implements Function<Integer, Integer> {
    private static final long serialVersionUID = 1;

    @Override
    public Integer call(Integer number) {
      return AssignedGpu.index().orElse(-1);
    }
  }

  @Test
  void aTaskKnowsItsGpu() {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    assertEquals(List.of(GPU), context.parallelize(List.of(0), 1).map(new Asked()).collect());
    assertTrue(AssignedGpu.index().isEmpty());
  }

  /** A task that was promised a GPU fails without it, because it would be slow on the CPU. */
  @Test
  void aTaskDoesNotMissItsGpu() {
    MlpClassifier classifier = MlpClassifierTest.classifier().setMaxIter(2);
    MlpClassificationModel model = classifier.fit(points); // device is cpu
    assertTrue(model.transform(points).count() > 0);
    classifier.setDevice("auto");
    assertThrows(DeviceException.class, () -> classifier.fit(points));
    classifier.setNumWorkers(2);
    assertThrows(DeviceException.class, () -> classifier.fit(points));
    Dataset<Row> predictions = model.setDevice("auto").transform(points);
    String message = assertThrows(Exception.class, predictions::collectAsList).toString();
    assertTrue(message.contains(DeviceException.class.getName()), message);
  }
}
