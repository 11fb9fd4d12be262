package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import mlpcuda.spark.Spark;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests a sweep whose runs are tasks of executors in JVMs of their own. */
@Tag("long")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SweepOnSparkTest {
  private static final Map<String, String> SETTINGS =
      Map.of(
          "spark.ui.enabled", "false",
          "spark.driver.host", "127.0.0.1",
          "spark.driver.bindAddress", "127.0.0.1",
          "spark.executor.memory", "900m",
          "spark.serializer", "org.apache.spark.serializer.KryoSerializer",
          "spark.executor.extraClassPath", Path.of("target/classes").toAbsolutePath().toString());

  @TempDir Path tmp;

  @BeforeEach
  void set() { // spark-submit passes its settings as properties
    Spark.install();
    SETTINGS.forEach(System::setProperty);
  }

  @AfterEach
  void clear() {
    SETTINGS.keySet().forEach(System::clearProperty);
  }

  private Program sweep(String folder, Path data, String options) {
    return Program.run(
        Program.words("sweep " + options, "--data", data, "--out", tmp.resolve(folder)));
  }

  @Test
  void executorsMakeTheRunsThatThisJvmWouldMake() throws Exception {
    // Executors work in folders of their own, from which a relative path leads elsewhere.
    Path data =
        Path.of("")
            .toAbsolutePath()
            .relativize(Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20));
    String grid = "--grid seed=1..3 --epochs 2 --hidden 8 --batch-size 10";
    Program here = sweep("here", data, grid);
    assertEquals(0, here.code(), here.err());
    Program there = sweep("there", data, grid + " --spark local-cluster[2,1,1024]");
    assertEquals(0, there.code(), there.err());
    for (String run : new String[] {"001-seed=1", "002-seed=2", "003-seed=3"}) {
      assertArrayEquals(
          Files.readAllBytes(tmp.resolve("here").resolve(run).resolve("model.safetensors")),
          Files.readAllBytes(tmp.resolve("there").resolve(run).resolve("model.safetensors")),
          run);
    }
    Program again = sweep("there", data, grid);
    assertTrue(again.out().contains("3 of them done before"), again.out());
  }

  @Test
  void gpusAreChosenBySpark() {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 20);
    Program refused = sweep("refused", data, "--grid seed=1..2 --spark local[1] --gpus 0");
    assertEquals(2, refused.code());
    assertTrue(refused.err().contains("--spark and --gpus exclude each other"), refused.err());
  }
}
