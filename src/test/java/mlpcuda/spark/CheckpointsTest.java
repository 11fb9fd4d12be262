package mlpcuda.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.Dataset;
import mlpcuda.Device;
import mlpcuda.Examples;
import mlpcuda.Network;
import mlpcuda.Training;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.spark.util.SerializableConfiguration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests where checkpoints are kept, on a file system that cannot replace a file in one step. */
class CheckpointsTest {
  /**
   * The local file system under a scheme that has no {@link
   * org.apache.hadoop.fs.AbstractFileSystem}. Hadoop makes it by its constructor without
   * parameters.
   */
  static final class Remote extends RawLocalFileSystem {
    private static final List<String> CREATED = new ArrayList<>();
    private static final List<String> DELETED = new ArrayList<>();
    private static boolean renamesNothing;
    private static boolean isGone;

    @Override
    public URI getUri() {
      return URI.create("tested:///");
    }

    @Override
    public FSDataOutputStream create(
        org.apache.hadoop.fs.Path file, boolean overwrite, int buffer, short copies, long block)
        throws IOException {
      CREATED.add(file.getName());
      return super.create(file, overwrite, buffer, copies, block);
    }

    @Override
    public boolean rename(org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to)
        throws IOException {
      return !renamesNothing && !exists(to) && super.rename(from, to);
    }

    @Override
    public boolean delete(org.apache.hadoop.fs.Path file, boolean recursive) throws IOException {
      if (isGone) {
        throw new IOException("this file system is gone");
      }
      DELETED.add(file.getName());
      return super.delete(file, recursive);
    }
  }

  @TempDir Path tmp;

  private Path folder;
  private Checkpoints checkpoints;
  private Path checkpoint;

  @BeforeEach
  void begin() throws IOException {
    folder = tmp.resolve("training");
    var hadoop = new Configuration(false);
    hadoop.set("fs.tested.impl", Remote.class.getName());
    checkpoints = new Checkpoints("tested:" + folder, new SerializableConfiguration(hadoop));
    Remote.CREATED.clear();
    Remote.renamesNothing = false;
    Remote.isGone = false;
    checkpoints.begin();
    byte[] pixels = {0, 9};
    Examples two = Examples.images(1, 1, pixels, new byte[] {0, 1});
    try (Device device = Device.cpu(1)) {
      Training.of(Network.relu(1, 2))
          .epochs(1)
          .folder(tmp.resolve("run"))
          .fit(Dataset.of(two, two), device);
    }
    checkpoint = tmp.resolve("run/checkpoint.safetensors");
  }

  private Checkpoints.Former fetch() throws IOException {
    return checkpoints.fetch(0, Files.createTempDirectory(tmp, "fetched"));
  }

  /** Attempts of one task may run side by side: none may write into the file of another. */
  @Test
  void aCheckpointReplacesTheFormerOneWhateverTheFileSystem() throws IOException {
    assertNull(fetch());
    checkpoints.put(0, 7, checkpoint, List.of(2.0));
    checkpoints.put(0, 8, checkpoint, List.of(2.0, 1.0));
    assertEquals(List.of(2.0, 1.0), fetch().losses());
    assertEquals(List.of("is-training", "member-0.7", "member-0.8"), Remote.CREATED);
  }

  @Test
  void aDamagedCheckpointIsNotReadOverAndOver() throws IOException {
    byte[] bytes = Files.readAllBytes(checkpoint);
    Files.write(checkpoint, Arrays.copyOf(bytes, bytes.length / 2));
    checkpoints.put(0, 7, checkpoint, List.of(2.0));
    assertNull(fetch());
  }

  /** A checkpoint that is written while the driver deletes the folder would otherwise stay. */
  @Test
  void nothingIsLeftByATrainingThatTheDriverNoLongerWaitsFor() {
    checkpoints.put(0, 7, checkpoint, List.of(2.0));
    Remote.DELETED.clear();
    checkpoints.delete();
    assertEquals(List.of("is-training", "training"), Remote.DELETED);
    checkpoints.put(0, 7, checkpoint, List.of(2.0, 1.0));
    assertFalse(Files.exists(folder));
    Remote.renamesNothing = true;
    assertThrows(
        UncheckedIOException.class,
        () -> checkpoints.put(0, 7, checkpoint, List.of(2.0, 1.0, 0.5)));
    assertFalse(Files.exists(folder));
  }

  /** A trained network must not be lost for it. */
  @Test
  void aFolderThatCannotBeDeletedIsNoError() {
    Remote.isGone = true;
    checkpoints.delete();
  }
}
