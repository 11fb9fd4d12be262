package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Activation;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.BadFileException;
import mlpcuda.model.Safetensors.Tensor;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  /** A network of 2 × 3 pixels, a hidden layer of 4, and 2 classes. */
  static final MlpShape SHAPE = new MlpShape(List.of(6, 4, 2), Activation.TANH, Activation.RELU);

  /** A form in which nothing is a default, so that a value that is not kept is missed. */
  static final ImageForm FORM =
      ImageForm.grey(
          2, 3, new PixelScaling("z-score", 0.1307, 0.3081), Preparation.MNIST_FORM, true);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("checkpoint.safetensors");
  }

  /** Values for each tensor, all different; the first one of each list is {@code first}. */
  static List<float[]> values(float first) {
    var lists = new ArrayList<float[]>();
    for (Parameters.Tensor place : Parameters.tensors(SHAPE)) {
      float[] values = new float[place.length()];
      for (int i = 0; i < values.length; i++) {
        values[i] = first + i / 7f + lists.size();
      }
      lists.add(values);
    }
    return lists;
  }

  static Checkpoint sample(List<float[]> best, String state) {
    return new Checkpoint(SHAPE, FORM, values(1), values(-2), values(3), best, state);
  }

  static void assertSame(List<float[]> expected, List<float[]> found) {
    assertEquals(expected.size(), found.size());
    for (int t = 0; t < expected.size(); t++) {
      assertArrayEquals(bits(expected.get(t)), bits(found.get(t)));
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }

  static void assertSame(Checkpoint expected, Checkpoint found) {
    assertEquals(expected.shape(), found.shape());
    assertEquals(expected.form(), found.form());
    assertSame(expected.weights(), found.weights());
    assertSame(expected.m(), found.m());
    assertSame(expected.v(), found.v());
    assertSame(expected.best(), found.best());
    assertSame(expected.raw(), found.raw());
    assertEquals(expected.state(), found.state());
  }

  private String refused() {
    String found = assertThrows(BadFileException.class, () -> Checkpoint.read(file)).getMessage();
    assertTrue(found.startsWith(file + ": "), found);
    return found.substring(file.toString().length() + 2);
  }

  @Test
  void whatWasWrittenIsRead() {
    String state = "{\"step\":7,\"name\":\"größe \ud83d\ude00 \u0001\"}\n";
    for (List<float[]> best : List.of(List.<float[]>of(), values(4))) {
      for (String text : List.of("", state, "ä".repeat(100_000) + state)) {
        sample(best, text).write(file);
        assertSame(sample(best, text), Checkpoint.read(file));
      }
    }
  }

  /** A network that answers with an average is read from a checkpoint as any other. */
  @Test
  void theWeightsThatAreMovedAreKeptApart() {
    for (List<float[]> best : List.of(List.<float[]>of(), values(4))) {
      var averaged =
          new Checkpoint(SHAPE, FORM, values(1), values(-2), values(3), best, values(5), "{}");
      averaged.write(file);
      Checkpoint found = Checkpoint.read(file);
      assertSame(averaged, found);
      assertSame(values(5), found.moved());
      assertSame(values(1), ModelFile.read(file).weights());
      assertSame(values(1), ModelFile.readWeights(file, SHAPE));
    }
    sample(values(4), "").write(file);
    assertSame(values(1), Checkpoint.read(file).moved());
    List<float[]> infinite = values(5);
    infinite.get(0)[0] = Float.NaN;
    new Checkpoint(SHAPE, FORM, values(1), values(2), values(3), List.of(), infinite, "")
        .write(file);
    assertTrue(refused().contains("raw.layers.0.weight"));
  }

  @Test
  void theSameRunGivesTheSameBytes() throws Exception {
    sample(values(4), "{}").write(file);
    Path again = folder.resolve("again");
    Checkpoint.read(file).write(again);
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
  }

  @Test
  void everyBitOfTheOptimizerIsKept() {
    Checkpoint odd = sample(List.of(), "");
    odd.m().get(0)[0] = Float.intBitsToFloat(0xffc12345);
    odd.m().get(0)[1] = -0f;
    odd.v().get(0)[0] = Float.POSITIVE_INFINITY;
    odd.v().get(0)[1] = Float.MIN_VALUE;
    odd.write(file);
    assertSame(odd, Checkpoint.read(file));
  }

  @Test
  void theOptimizersStateGoesThroughTheDevice() {
    var ops = new ReferenceOps();
    try (var parameters = new Parameters(ops, SHAPE)) {
      parameters.write(values(1));
      parameters.writeState(new Parameters.State(values(-2), values(3)));
      assertSame(values(1), parameters.read());
      assertSame(values(-2), parameters.readState().m());
      assertSame(values(3), parameters.readState().v());
      var short1 = new Parameters.State(values(0).subList(0, 3), values(0));
      assertThrows(IllegalArgumentException.class, () -> parameters.writeState(short1));
    }
  }

  @Test
  void aCheckpointIsAModelToo() {
    sample(values(4), "{}").write(file);
    ModelFile model = ModelFile.read(file);
    assertEquals(SHAPE, model.shape());
    assertEquals(FORM, model.form());
    assertSame(values(1), model.weights());
    assertSame(values(1), ModelFile.readWeights(file, SHAPE));
  }

  @Test
  void aModelIsNoCheckpoint() {
    new ModelFile(SHAPE, FORM, values(1)).write(file);
    assertEquals("__metadata__: format must be mlp-cuda-checkpoint, found none", refused());
  }

  @Test
  void aChecksumIsRequired() {
    Safetensors.write(file, metadata(), tensors());
    Safetensors.Contents contents = Safetensors.read(file);
    assertTrue(refused().startsWith("the checkpoint lacks the text state"));
    assertEquals(
        file + ": damaged: __metadata__ lacks the checksum crc32c",
        assertThrows(BadFileException.class, () -> Checksum.check(file, contents, true))
            .getMessage());
    assertEquals(
        file + ": damaged: __metadata__ lacks the checksum crc32c",
        assertThrows(BadFileException.class, () -> ModelFile.read(file)).getMessage());
  }

  @Test
  void otherVersionsAreRefused() {
    Map<String, String> metadata = metadata();
    metadata.put("version", "2");
    Safetensors.writeChecked(file, metadata, tensors(), Map.of("state", ""));
    assertEquals("__metadata__: version must be 1, found 2", refused());
  }

  private Map<String, String> metadata() {
    sample(List.of(), "").write(file);
    var metadata = new LinkedHashMap<>(Safetensors.read(file).metadata());
    metadata.remove("crc32c");
    return metadata;
  }

  private List<Tensor> tensors() {
    sample(List.of(), "").write(file);
    return new ArrayList<>(Safetensors.read(file).tensors().values());
  }

  @Test
  void missingAndFurtherPartsAreRefused() {
    Map<String, String> state = Map.of("state", "");
    List<Tensor> whole = tensors();
    for (Tensor tensor : whole) {
      List<Tensor> less = new ArrayList<>(whole);
      less.remove(tensor);
      Safetensors.writeChecked(file, metadata(), less, state);
      assertTrue(refused().startsWith("a network 6-4-2 must have the tensor " + tensor.name()));
    }
    List<Tensor> more = new ArrayList<>(whole);
    more.add(new Tensor("best.layers.0.weight", new int[] {4, 6}, new float[24]));
    Safetensors.writeChecked(file, metadata(), more, state);
    assertTrue(refused().startsWith("a network 6-4-2 must have the tensor best.layers.0.bias"));
    more.set(whole.size(), new Tensor("optimizer.x", new int[] {1}, new float[1]));
    Safetensors.writeChecked(file, metadata(), more, state);
    assertEquals("a network 6-4-2 must have no further tensors, found optimizer.x", refused());
    Safetensors.writeChecked(file, metadata(), whole, Map.of());
    assertEquals("the checkpoint lacks the text state", refused());
    Safetensors.writeChecked(file, metadata(), whole, Map.of("state", "", "x", ""));
    assertEquals("a network 6-4-2 must have no further tensors, found x", refused());
  }

  @Test
  void weightsThatAreNoNumbersAreRefused() {
    Checkpoint odd = sample(values(4), "");
    odd.best().get(3)[1] = Float.NaN;
    odd.write(file);
    assertEquals("best.layers.1.bias must hold finite numbers, found NaN", refused());
    odd.weights().get(0)[0] = Float.NEGATIVE_INFINITY;
    odd.write(file);
    assertEquals("layers.0.weight must hold finite numbers, found -Infinity", refused());
  }

  @Test
  void aFlippedBitAnywhereIsFound() throws Exception {
    sample(List.of(), "{}").write(file);
    byte[] good = Files.readAllBytes(file);
    int damaged = 0;
    for (int bit = 0; bit < 8 * good.length; bit += 5) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      Mutations.overwrite(file, bad);
      try {
        assertSame(sample(List.of(), "{}"), Checkpoint.read(file)); // a space became a tab
      } catch (BadFileException e) {
        damaged += e.getMessage().contains(": damaged: ") ? 1 : 0;
      }
    }
    assertTrue(damaged >= 8 * 3 * 4 * 38 / 5, damaged + " damaged"); // the values' bits at least
  }

  @Test
  void whatDoesNotFitTheShapeIsNotWritten() {
    List<float[]> few = values(0).subList(0, 3);
    for (Checkpoint bad :
        List.of(
            new Checkpoint(SHAPE, FORM, few, values(0), values(0), List.of(), ""),
            new Checkpoint(SHAPE, FORM, values(0), values(0), values(0), few, ""),
            new Checkpoint(SHAPE, FORM, values(0), values(0), values(0), values(0), few, ""),
            sample(List.of(), "\ud800"))) {
      assertThrows(IllegalArgumentException.class, () -> bad.write(file));
      assertTrue(Files.notExists(file));
    }
  }
}
