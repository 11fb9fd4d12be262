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
import mlpcuda.Training;
import mlpcuda.error.BadFileException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
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

  /**
   * A training that goes on from its checkpoint.
   *
   * @param losses the losses of the epochs until then
   */
  record Former(Training training, List<Double> losses) {}

  private Path path(int member) {
    return new Path(folder, "member-" + member);
  }

  /** A file that is there as long as the driver waits for the training. */
  private Path mark() {
    return new Path(folder, "is-training");
  }

  private FileSystem system() throws IOException {
    return new Path(folder).getFileSystem(configuration.value());
  }

  /** Makes the folder, before which no checkpoint is kept. */
  void begin() {
    try {
      system().create(mark(), true).close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Copies a member's last checkpoint into a local folder.
   *
   * @return null: there is no checkpoint that can be read, and the training begins anew, with the
   *     same result
   */
  Former fetch(int member, java.nio.file.Path to) throws IOException {
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
        return new Former(Training.resume(to), losses);
      }
    } catch (IOException | BadFileException e) {
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
   * Replaces a member's checkpoint.
   *
   * <p>A training that the driver no longer waits for may still be at work on its executor. Its
   * checkpoint would bring back the folder that the driver deleted, and so it deletes it again.
   *
   * @param attempt the number of the task's attempt, which no other writer of the file has
   */
  void put(int member, long attempt, java.nio.file.Path checkpoint, List<Double> losses) {
    try {
      FileSystem system = system();
      try {
        write(system, member, attempt, checkpoint, losses);
      } finally {
        if (!system.exists(mark())) {
          system.delete(new Path(folder), true);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes the number of epochs until a checkpoint, their losses, and the file of the checkpoint
   * into one file. The file has another name until it is complete, because an executor can be lost
   * at any moment.
   */
  private void write(
      FileSystem system,
      int member,
      long attempt,
      java.nio.file.Path checkpoint,
      List<Double> losses)
      throws IOException {
    Path part = path(member).suffix("." + attempt);
    try (var out = new DataOutputStream(new BufferedOutputStream(system.create(part, true)))) {
      out.writeInt(losses.size());
      for (double loss : losses) {
        out.writeDouble(loss);
      }
      Files.copy(checkpoint, out);
    }
    replace(system, part, path(member));
  }

  /**
   * Renames a file to one that may be there already. Some file systems cannot do that in one step:
   * an executor that is lost between the two leaves no checkpoint.
   */
  private void replace(FileSystem system, Path from, Path to) throws IOException {
    try {
      FileContext.getFileContext(system.getUri(), configuration.value())
          .rename(from, to, Options.Rename.OVERWRITE);
    } catch (UnsupportedFileSystemException e) {
      system.delete(to, false);
      if (!system.rename(from, to)) {
        throw new IOException("cannot rename %s to %s".formatted(from, to));
      }
    }
  }

  /**
   * Deletes the checkpoints of a training that ended: no other training reads them. A failure is
   * only logged, because the training's result or its own failure matters more.
   */
  void delete() {
    try {
      FileSystem system = system();
      // The mark goes first: a task that still finds it wrote its file before the folder is listed.
      system.delete(mark(), false);
      system.delete(new Path(folder), true);
    } catch (IOException | RuntimeException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "The checkpoints of a training that ended cannot be deleted, {0}: {1}",
          folder,
          e.getMessage());
    }
  }
}
