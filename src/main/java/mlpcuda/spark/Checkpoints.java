package mlpcuda.spark;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
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
  private static final System.Logger LOG = System.getLogger("mlpcuda");

  /** The name of a checkpoint in a run's folder. */
  private static final String LOCAL = "checkpoint.safetensors";

  /** The place of a training's checkpoints; null: the application has no checkpoint directory. */
  static Checkpoints of(SparkContext context, String training) {
    if (context.getCheckpointDir().isEmpty()) {
      return null;
    }
    return new Checkpoints(
        new Path(context.getCheckpointDir().get(), training).toString(),
        new SerializableConfiguration(context.hadoopConfiguration()));
  }

  private Path path(int member) {
    return new Path(folder, "member-" + member);
  }

  private FileSystem system() throws IOException {
    return new Path(folder).getFileSystem(configuration.value());
  }

  /**
   * Copies a member's last checkpoint into a local folder.
   *
   * @return the losses of the epochs until then; null: there is no checkpoint that can be read, and
   *     the training begins anew, with the same result
   */
  List<Double> fetch(int member, java.nio.file.Path to) throws IOException {
    try {
      FileSystem system = system();
      if (!system.exists(path(member))) {
        return null;
      }
      try (var in = new DataInputStream(new BufferedInputStream(system.open(path(member))))) {
        var losses = new ArrayList<Double>();
        for (int left = in.readInt(); left > 0; left--) {
          losses.add(in.readDouble());
        }
        Files.copy(in, to.resolve(LOCAL));
        return losses;
      }
    } catch (IOException e) {
      // A local disk has the checksum in a file of its own, which an executor may leave behind.
      LOG.log(
          System.Logger.Level.WARNING,
          "The training begins anew, because its checkpoint {0} cannot be read: {1}",
          path(member),
          e.getMessage());
      Files.deleteIfExists(to.resolve(LOCAL));
      return null;
    }
  }

  /**
   * Replaces a member's checkpoint: the number of epochs until then, their losses, and the file of
   * the checkpoint. It is one file, which is written under another name first, because an executor
   * can be lost at any moment.
   */
  void put(int member, java.nio.file.Path checkpoint, List<Double> losses) {
    try {
      FileSystem system = system();
      Path part = path(member).suffix("." + ProcessHandle.current().pid());
      try (var out = new DataOutputStream(new BufferedOutputStream(system.create(part, true)))) {
        out.writeInt(losses.size());
        for (double loss : losses) {
          out.writeDouble(loss);
        }
        Files.copy(checkpoint, out);
      }
      FileContext.getFileContext(system.getUri(), configuration.value())
          .rename(part, path(member), Options.Rename.OVERWRITE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Deletes the checkpoints of a training that ended: no other training reads them. */
  void delete() {
    try {
      system().delete(new Path(folder), true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
