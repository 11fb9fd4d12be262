package mlpcuda.spark;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Spark for the tests: in this JVM, or with executors in JVMs of their own. */
public final class Spark {
  static final StructType VECTORS =
      new StructType()
          .add("label", DataTypes.DoubleType)
          .add("features", SQLDataTypes.VectorType());

  private Spark() {}

  /** Spark in this JVM with that many threads; the caller stops it. */
  static SparkSession local(int threads) {
    return builder("local[" + threads + "]").getOrCreate();
  }

  /**
   * Spark in this JVM, for a Connect server that listens on a free port of 127.0.0.1 alone; the
   * caller stops it.
   */
  static SparkSession forConnect(int threads) {
    return builder("local[" + threads + "]")
        .config("spark.connect.grpc.binding.address", "127.0.0.1")
        .config("spark.connect.grpc.binding.port", 0)
        .getOrCreate();
  }

  /**
   * Spark with executors of one core in JVMs of their own, which have the classes of this build and
   * its tests; the caller stops it.
   */
  static SparkSession cluster(int executors, Map<String, String> settings) {
    install();
    String classes = Path.of("target/classes").toAbsolutePath().toString();
    String tests = Path.of("target/test-classes").toAbsolutePath().toString();
    SparkSession.Builder builder =
        builder("local-cluster[%d,1,1024]".formatted(executors))
            .config("spark.executor.extraClassPath", classes + File.pathSeparator + tests)
            .config("spark.executor.memory", "900m");
    settings.forEach(builder::config);
    return builder.getOrCreate();
  }

  private static SparkSession.Builder builder(String master) {
    return SparkSession.builder()
        .master(master)
        .appName("mlp-cuda tests")
        .config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", 4)
        .config("spark.sql.warehouse.dir", new File("target/spark-warehouse").toURI().toString())
        .config("spark.task.maxFailures", 4);
  }

  /**
   * Makes a Spark installation of links to the jars of this JVM's class path, from which a cluster
   * starts its executors: Spark looks for it in the environment's SPARK_HOME.
   */
  public static void install() {
    try {
      Path jars = Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
        Path jar = Path.of(entry);
        Path link = jars.resolve(jar.getFileName());
        if (entry.endsWith(".jar") && !Files.exists(link)) {
          link(link, jar);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void link(Path link, Path jar) throws IOException {
    try {
      Files.createSymbolicLink(link, jar);
    } catch (FileAlreadyExistsException e) {
      // Maven runs two test classes at a time, each of which makes the links that are missing.
    }
  }

  /**
   * Rows of two numbers, of three classes that lie around the corners of a triangle, in a fixed
   * order: a network learns them within seconds.
   */
  static Dataset<Row> points(SparkSession spark, int count, int partitions) {
    List<Row> rows = new ArrayList<>();
    var random = new java.util.Random(1);
    for (int i = 0; i < count; i++) {
      int label = i % 3;
      double x = Math.cos(label * 2.1) + 0.3 * random.nextGaussian();
      double y = Math.sin(label * 2.1) + 0.3 * random.nextGaussian();
      rows.add(RowFactory.create((double) label, Vectors.dense(x, y)));
    }
    return spark.createDataFrame(rows, VECTORS).repartition(partitions).cache();
  }
}
