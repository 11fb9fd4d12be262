package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests thousands of changed files: each is refused in one line that names it, or says the same as
 * before the change. Failures name the round; the rounds are always the same.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("long")
class ModelFileFuzzTest {
  private static final int MUTANTS = 6000;

  /** Another number gives other rounds. */
  private static final long RUN = Long.getLong("mlpcuda.fuzz", 0);

  private static final int MIB = 1 << 20;

  private static final ModelFile MODEL =
      new ModelFile(CheckpointTest.SHAPE, CheckpointTest.FORM, CheckpointTest.values(1));

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("file.safetensors");
  }

  /** Reads the file, and checks the result. */
  private interface Reading {
    void readAndCheck();
  }

  @Test
  void checkpoints() throws IOException {
    String state = "{\"step\":7,\"losses\":[0.5,0.25]}";
    Checkpoint sample = CheckpointTest.sample(CheckpointTest.values(4), state);
    sample.write(file);
    fuzz(1, () -> CheckpointTest.assertSame(sample, Checkpoint.read(file)));
  }

  @Test
  void checkpointsOfWideTextsAsModels() throws IOException {
    CheckpointTest.sample(List.of(), "{\"name\":\"größe\"}").write(file);
    fuzz(2, () -> assertSameModel(ModelFile.read(file)));
  }

  @Test
  void models() throws IOException {
    MODEL.write(file);
    fuzz(3, () -> assertSameModel(ModelFile.read(file)));
  }

  /** From a file without a checksum wrong weights may be read, but they must be weights. */
  @Test
  void modelsOfOthers() throws IOException {
    var tensors = new ArrayList<Safetensors.Tensor>();
    var description = new Description(MODEL.shape(), MODEL.form());
    description.add(tensors, "", MODEL.weights());
    Safetensors.write(file, description.metadata(file), tensors);
    fuzz(
        4,
        () -> {
          ModelFile found = ModelFile.read(file);
          assertEquals(2 * found.shape().layers(), found.weights().size());
          assertEquals(found.shape().inputs(), found.form().layout().inputs());
        });
  }

  /** The files of others that {@code import} reads, with the names that PyTorch gives tensors. */
  @Test
  void weightsOfPyTorch() throws IOException {
    Safetensors.write(
        file,
        Map.of("format", "pt"),
        List.of(
            new Safetensors.Tensor("fc1.weight", new int[] {3, 4}, new float[12]),
            new Safetensors.Tensor("fc1.bias", new int[] {3}, new float[3]),
            new Safetensors.Tensor("fc2.weight", new int[] {2, 3}, new float[6])));
    fuzz(5, () -> assertEquals(4, TorchWeights.read(file).weights().size()));
  }

  private void assertSameModel(ModelFile found) {
    Map<String, String> metadata = Safetensors.read(file).metadata();
    if (metadata.containsKey(Checksum.NAME)) { // otherwise the change met that very name
      assertEquals(MODEL.shape(), found.shape());
      assertEquals(MODEL.form(), found.form());
      CheckpointTest.assertSame(MODEL.weights(), found.weights());
    }
  }

  private void fuzz(long seed, Reading reading) throws IOException {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var mutations = new Mutations(Files.readAllBytes(file), seed + 100 * RUN);
    int refused = 0;
    for (int round = 0; round < MUTANTS; round++) {
      byte[] bytes = mutations.next();
      Mutations.overwrite(file, bytes);
      long before = threads.getCurrentThreadAllocatedBytes();
      try {
        reading.readAndCheck();
      } catch (BadFileException e) {
        refused++;
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
      } catch (RuntimeException | Error e) {
        fail("round " + round + " of seed " + seed, e);
      }
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < 4L * bytes.length + 4 * MIB, allocated + " bytes in round " + round);
    }
    // Both outcomes must occur, or the changes prove nothing.
    assertTrue(refused > MUTANTS * 8 / 10 && refused < MUTANTS, refused + " refused");
  }
}
