package mlpcuda.spark;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import mlpcuda.Network;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * A network as its safetensors file, which is what the processes of a Spark application send each
 * other. It is no record, because Kryo's release in Spark 4, which an application may choose as its
 * serializer, fails at records.
 */
final class ModelBytes implements Serializable {
  private static final long serialVersionUID = 1;

  private final byte[] bytes;
  private final String digest;
  private transient Broadcast<ModelBytes> broadcast;
  private transient SparkContext context; // one that is stopped takes its broadcasts along

  private ModelBytes(byte[] bytes, String digest) {
    this.bytes = bytes;
    this.digest = digest;
  }

  /** The file. */
  byte[] bytes() {
    return bytes;
  }

  /** The SHA-256 of the file in hexadecimal digits, by which a process knows the network. */
  String digest() {
    return digest;
  }

  static ModelBytes of(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return new ModelBytes(bytes, HexFormat.of().formatHex(digest));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each JDK has SHA-256
    }
  }

  /** The file of a trained network. */
  static ModelBytes of(Network network) {
    return inFile(
        file -> {
          network.save(file);
          return of(Files.readAllBytes(file));
        });
  }

  /**
   * The network.
   *
   * @throws mlpcuda.error.BadFileException if the bytes are no model file
   */
  Network network() {
    return inFile(
        file -> {
          Files.write(file, bytes);
          return Network.load(file);
        });
  }

  /**
   * The network on its way to the executors of an application, once: copies of a model share these
   * bytes, and Spark Connect copies a model before each job.
   */
  synchronized Broadcast<ModelBytes> broadcast(SparkContext to) {
    if (broadcast == null || !broadcast.isValid() || context != to) {
      broadcast = JavaSparkContext.fromSparkContext(to).broadcast(this);
      context = to;
    }
    return broadcast;
  }

  private interface Use<T> {
    T with(Path file) throws IOException;
  }

  private static <T> T inFile(Use<T> use) {
    try {
      Path folder = Files.createTempDirectory("mlp-cuda-spark");
      Path file = folder.resolve("model.safetensors");
      try {
        return use.with(file);
      } finally {
        Files.deleteIfExists(file);
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
