package mlpcuda.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.util.SerializableConfiguration;

/**
 * The checkpoints of a training in the application's checkpoint directory, from which another
 * executor goes on if one is lost.
 *
 * @param folder the folder of this training
 * @param configuration how Hadoop reaches it
 */
record Checkpoints(String folder, SerializableConfiguration configuration) implements Serializable {
  private static final String FILE = "checkpoint.safetensors";

  /** The losses of the epochs until the checkpoint, one a line. */
  private static final String LOSSES = "losses";

  /** The place of a training's checkpoints; null: the application has no checkpoint directory. */
  static Checkpoints of(SparkContext context, String training) {
    if (context.getCheckpointDir().isEmpty()) {
      return null;
    }
    return new Checkpoints(
        new Path(context.getCheckpointDir().get(), training).toString(),
        new SerializableConfiguration(context.hadoopConfiguration()));
  }

  private Path path(int member, String name) {
    return new Path(new Path(folder, "member-" + member), name);
  }

  private FileSystem system() throws IOException {
    return new Path(folder).getFileSystem(hadoop());
  }

  private Configuration hadoop() {
    return configuration.value();
  }

  /**
   * Copies a member's last checkpoint into a local folder.
   *
   * @return the losses of the epochs until then; null: there is no checkpoint
   */
  List<Double> fetch(int member, java.nio.file.Path to) {
    try {
      FileSystem system = system();
      if (!system.exists(path(member, FILE))) {
        return null;
      }
      try (var in = system.open(path(member, FILE))) {
        Files.copy(in, to.resolve(FILE));
      }
      try (var in = system.open(path(member, LOSSES))) {
        String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        return Arrays.stream(text.split("\n"))
            .filter(line -> !line.isEmpty())
            .map(Double::valueOf)
            .collect(Collectors.toCollection(ArrayList::new));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Replaces a member's checkpoint. */
  void put(int member, java.nio.file.Path file, List<Double> losses) {
    try {
      String text = losses.stream().map(loss -> loss + "\n").collect(Collectors.joining());
      replace(member, LOSSES, text.getBytes(StandardCharsets.US_ASCII));
      replace(member, FILE, Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file under another name first: a lost executor must leave no half of a checkpoint. */
  private void replace(int member, String name, byte[] bytes) throws IOException {
    FileSystem system = system();
    Path part = path(member, name + "." + ProcessHandle.current().pid());
    try (OutputStream out = system.create(part, true)) {
      out.write(bytes);
    }
    system.delete(path(member, name), false);
    if (!system.rename(part, path(member, name))) {
      throw new IOException("%s: the file could not be renamed to %s".formatted(part, name));
    }
  }

  /** Deletes what a training that is done needs no more. */
  void delete() {
    try {
      system().delete(new Path(folder), true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
