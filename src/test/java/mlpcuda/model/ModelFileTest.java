package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Activation;
import mlpcuda.data.Column;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.BadFileException;
import mlpcuda.model.Safetensors.Tensor;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFileTest {
  /** A network of 2 × 3 pixels, a hidden layer of 4, and 2 classes. */
  private static final MlpShape SHAPE =
      new MlpShape(List.of(6, 4, 2), Activation.TANH, Activation.RELU);

  private static final ImageForm FORM =
      ImageForm.grey(
          2, 3, new PixelScaling("z-score", 0.1307, 0.3081), Preparation.MNIST_FORM, true);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("model.safetensors");
  }

  private static float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i / 7f - 1;
    }
    return values;
  }

  private static ModelFile sample() {
    return new ModelFile(SHAPE, FORM, List.of(values(24), values(4), values(8), values(2)));
  }

  private static List<Tensor> tensors() {
    var tensors = new ArrayList<Tensor>();
    tensors.add(new Tensor("layers.0.weight", new int[] {4, 6}, values(24)));
    tensors.add(new Tensor("layers.0.bias", new int[] {4}, values(4)));
    tensors.add(new Tensor("layers.1.weight", new int[] {2, 4}, values(8)));
    tensors.add(new Tensor("layers.1.bias", new int[] {2}, values(2)));
    return tensors;
  }

  private static Map<String, String> metadata() {
    var metadata = new LinkedHashMap<String, String>();
    metadata.put("architecture", "mlp");
    metadata.put("layers", "6-4-2");
    metadata.put("activation", "tanh");
    metadata.put("output_activation", "relu");
    metadata.put("scaling", "z-score");
    metadata.put("mean", "0.1307");
    metadata.put("std", "0.3081");
    metadata.put("rows", "2");
    metadata.put("cols", "3");
    metadata.put("classes", "2");
    metadata.put("preparation", "mnist-form");
    metadata.put("transpose", "true");
    return metadata;
  }

  /** Asserts that the file is refused with exactly this message after its name. */
  private void assertBad(String message) {
    String found = assertThrows(BadFileException.class, () -> ModelFile.read(file)).getMessage();
    assertEquals(file + ": " + message, found);
  }

  /** Asserts that the file is refused in one line of bounded length, which names the file. */
  private void assertBadInOneShortLine() {
    String found = assertThrows(BadFileException.class, () -> ModelFile.read(file)).getMessage();
    assertTrue(found.startsWith(file + ": "), found);
    assertTrue(found.length() < file.toString().length() + 1500, found.length() + " characters");
    assertTrue(found.codePoints().noneMatch(Character::isISOControl), found);
  }

  private static void assertSame(List<float[]> expected, List<float[]> found) {
    assertEquals(expected.size(), found.size());
    for (int t = 0; t < expected.size(); t++) {
      assertArrayEquals(expected.get(t), found.get(t));
    }
  }

  @Test
  void whatWasWrittenIsRead() {
    ModelFile written = sample();
    written.write(file);
    ModelFile read = ModelFile.read(file);
    assertEquals(SHAPE, read.shape());
    assertEquals(FORM, read.form());
    assertSame(written.weights(), read.weights());
    assertSame(written.weights(), ModelFile.readWeights(file, SHAPE));
  }

  /** Columns with words, names of classes and the floats of the scaling come back as they were. */
  @Test
  void theFormOfATableIsRead() {
    var columns =
        new Layout.Columns(
            List.of(
                Column.numbers("age \"in\" years"),
                new Column("ville", List.of("", "Köln", "x,y"), Float.NaN),
                new Column("4", List.of(), 0.1f),
                Column.numbers("5")));
    float[] centre = {0.1f, 0, 0, 0, 1e-30f, 3};
    float[] factor = {Float.MIN_VALUE, 1, 1, 1, 2, 3};
    var form =
        new NumberForm(
            columns, new ColumnScaling("standard", centre, factor), List.of("no", "yes \u00e9"));
    var written = new ModelFile(SHAPE, form, sample().weights());
    written.write(file);
    ModelFile read = ModelFile.read(file);
    assertEquals(form, read.form());
    assertSame(written.weights(), read.weights());
    assertSame(written.weights(), ModelFile.readWeights(file, SHAPE));
  }

  /** Columns that have numbers for names take no text each: a header of a file is limited. */
  @Test
  void aHundredThousandColumnsFitIntoAFile() {
    var shape = new MlpShape(List.of(100_000, 1), Activation.RELU, Activation.NONE);
    Layout.Columns columns = Layout.Columns.numbered(100_000);
    float[] ones = new float[100_000];
    Arrays.fill(ones, 1);
    var form = new NumberForm(columns, new ColumnScaling("none", ones, ones), List.of());
    new ModelFile(shape, form, List.of(ones, new float[1])).write(file);
    assertEquals(form, ModelFile.read(file).form());
  }

  @Test
  void theFileIsWhatOthersExpect() {
    sample().write(file);
    Safetensors.Contents contents = Safetensors.read(file);
    Map<String, String> metadata = metadata();
    metadata.put("crc32c", contents.checksum());
    assertEquals(List.copyOf(metadata.entrySet()), List.copyOf(contents.metadata().entrySet()));
    List<Tensor> expected = tensors();
    assertEquals(
        expected.stream().map(Tensor::name).toList(), List.copyOf(contents.tensors().keySet()));
    for (Tensor tensor : expected) {
      assertArrayEquals(tensor.shape(), contents.tensors().get(tensor.name()).shape());
      assertArrayEquals(tensor.values(), contents.tensors().get(tensor.name()).values());
    }
  }

  @Test
  void orderOfTensorsAndFurtherMetadataDoNotMatter() {
    Map<String, String> metadata = metadata();
    metadata.put("format", "pt");
    List<Tensor> tensors = tensors();
    Collections.reverse(tensors);
    Safetensors.write(file, metadata, tensors);
    assertSame(sample().weights(), ModelFile.read(file).weights());
  }

  @Test
  void weightsNeedNoMetadata() {
    Safetensors.write(file, Map.of(), tensors());
    assertSame(sample().weights(), ModelFile.readWeights(file, SHAPE));
    assertBad(
        "the file holds weights as PyTorch saves them, and no description of their network;"
            + " convert it with 'mlp-cuda import' first");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "architecture|cnn|architecture must be mlp, found cnn",
        "layers|0-5|layers must be whole numbers from 1 to 2147483647, found 0-5",
        "layers|6|layers must be sizes joined by -, the first of them rows * cols = 6, found 6",
        "layers|6--2|layers must be whole numbers from 1 to 2147483647, found 6--2",
        "layers|6-4-|layers must be whole numbers from 1 to 2147483647, found 6-4-",
        "layers|''|layers must be whole numbers from 1 to 2147483647, found nothing",
        "layers|6-4-2147483648|layers must be whole numbers from 1 to 2147483647, found"
            + " 6-4-2147483648",
        "layers|6 4 2|layers must be whole numbers from 1 to 2147483647, found 6 4 2",
        "layers|7-4-2|layers must be sizes joined by -, the first of them rows * cols = 6, found"
            + " 7-4-2",
        "layers|6-4-3|classes must be the last layer's size 3, found 2",
        "classes|3|classes must be the last layer's size 2, found 3",
        "classes|two|classes must be the last layer's size 2, found two",
        "rows|0|rows must be whole numbers from 1 to 2147483647, found 0",
        "rows|-2|rows must be whole numbers from 1 to 2147483647, found -2",
        "cols|3.0|cols must be whole numbers from 1 to 2147483647, found 3.0",
        "cols|99999999999|cols must be whole numbers from 1 to 2147483647, found 99999999999",
        "rows|2147483647|layers must be sizes joined by -, the first of them rows * cols ="
            + " 6442450941, found 6-4-2",
        "activation|gelu|the activation must be none, relu, sigmoid, tanh or lecun-tanh, found gelu",
        "output_activation|RELU|the activation must be none, relu, sigmoid, tanh or lecun-tanh, found RELU",
        "scaling|log|scaling must be one of unit, centred, z-score, found log",
        "mean|NaN|mean must be finite, found NaN",
        "mean|nothing|mean must be a number, found nothing",
        "mean|1e300|std must be large enough for finite inputs with mean 1.0E300, found 0.3081",
        "std|0|std must be finite and above 0, found 0.0",
        "std|-1|std must be finite and above 0, found -1.0",
        "std|Infinity|std must be finite and above 0, found Infinity",
        "preparation|exif|preparation must be one of mnist-form, as-is, found exif",
        "transpose|yes|transpose must be true or false, found yes",
        "std|1e-300|std must be large enough for finite inputs with mean 0.1307, found 1e-300"
      })
  void refusesMetadata(String name, String text, String message) {
    Map<String, String> metadata = metadata();
    metadata.put(name, text);
    Safetensors.write(file, metadata, tensors());
    assertBad("__metadata__: " + message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "architecture",
        "layers",
        "activation",
        "output_activation",
        "scaling",
        "mean",
        "std",
        "rows",
        "cols",
        "classes"
      })
  void refusesMissingMetadata(String name) {
    Map<String, String> metadata = metadata();
    metadata.remove(name);
    Safetensors.write(file, metadata, tensors());
    assertBad("__metadata__: " + name + " must be given, found none");
  }

  /** Files of earlier versions have neither entry of the metadata. */
  @ParameterizedTest
  @CsvSource({"2, 3, AS_IS", "28, 28, MNIST_FORM", "28, 29, AS_IS"})
  void olderFilesDoNotSayHowPicturesArePrepared(int rows, int cols, Preparation preparation) {
    Map<String, String> metadata = metadata();
    metadata.remove("preparation");
    metadata.remove("transpose");
    metadata.put("rows", Integer.toString(rows));
    metadata.put("cols", Integer.toString(cols));
    metadata.put("layers", rows * cols + "-4-2");
    List<Tensor> tensors = tensors();
    tensors.set(
        0, new Tensor("layers.0.weight", new int[] {4, rows * cols}, values(4 * rows * cols)));
    Safetensors.write(file, metadata, tensors);
    ImageForm form = ModelFile.read(file).form().images(file);
    assertEquals(preparation, form.preparation());
    assertEquals(false, form.transposed());
  }

  @Test
  void refusesMoreParametersThanAnArrayHolds() {
    Map<String, String> metadata = metadata();
    metadata.put("layers", "6-2147483647-2");
    Safetensors.write(file, metadata, tensors());
    String found = assertThrows(BadFileException.class, () -> ModelFile.read(file)).getMessage();
    assertTrue(
        found.startsWith(file + ": __metadata__: a network may have at most 2147483647 parameters"),
        found);
  }

  @Test
  void refusesMissingTensors() {
    List<Tensor> tensors = tensors();
    tensors.remove(2);
    Safetensors.write(file, metadata(), tensors);
    assertBad(
        "a network 6-4-2 must have the tensor layers.1.weight, found layers.0.weight,"
            + " layers.0.bias, layers.1.bias");
    Safetensors.write(file, metadata(), List.of());
    assertBad("a network 6-4-2 must have the tensor layers.0.weight, found none");
  }

  @Test
  void refusesFurtherTensors() {
    List<Tensor> tensors = tensors();
    for (int i = 0; i < 6; i++) {
      tensors.add(new Tensor("extra." + i, new int[] {1}, new float[1]));
    }
    Safetensors.write(file, metadata(), tensors);
    assertBad(
        "a network 6-4-2 must have no further tensors, found extra.0, extra.1, extra.2, extra.3 and"
            + " 2 more");
  }

  @Test
  void refusesOtherShapes() {
    var shapes = new HashMap<int[], String>();
    shapes.put(new int[] {6, 4}, "[6, 4]");
    shapes.put(new int[] {24}, "[24]");
    shapes.put(new int[] {4, 6, 1}, "[4, 6, 1]");
    shapes.put(new int[] {4, 0}, "[4, 0]");
    shapes.forEach(
        (shape, text) -> {
          List<Tensor> tensors = tensors();
          int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
          tensors.set(0, new Tensor("layers.0.weight", shape, new float[count]));
          Safetensors.write(file, metadata(), tensors);
          assertBad("layers.0.weight of a network 6-4-2 must have the shape [4, 6], found " + text);
        });
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void refusesWeightsThatAreNoNumbers(float value) {
    List<Tensor> tensors = tensors();
    tensors.get(1).values()[3] = value;
    Safetensors.write(file, metadata(), tensors);
    assertBad("layers.0.bias must hold finite numbers, found " + value);
  }

  @Test
  void thousandsOfLongNamesMakeAShortLine() {
    var tensors = new ArrayList<Tensor>();
    for (int i = 0; i < 300; i++) {
      tensors.add(new Tensor("name\nof\u2028" + "x".repeat(2000) + i, new int[] {1}, new float[1]));
    }
    Safetensors.write(file, metadata(), tensors);
    assertBadInOneShortLine();
    tensors.addAll(0, tensors());
    Safetensors.write(file, metadata(), tensors);
    assertBadInOneShortLine();
  }

  @Test
  void longMetadataMakeAShortLine() {
    for (String name : metadata().keySet()) {
      Map<String, String> metadata = metadata();
      metadata.put(name, "no\nsuch\r" + "thing".repeat(10_000));
      Safetensors.write(file, metadata, tensors());
      assertBadInOneShortLine();
    }
  }

  @Test
  void thousandsOfLayersMakeAShortLine() {
    Map<String, String> metadata = metadata();
    metadata.put("layers", "6-" + "1-".repeat(20_000) + "2");
    Safetensors.write(file, metadata, tensors());
    assertBadInOneShortLine();
    metadata.put("layers", "6-" + "2000000000-".repeat(3) + "1-".repeat(20_000) + "2");
    Safetensors.write(file, metadata, tensors());
    assertBadInOneShortLine();
  }

  @Test
  void manyDimensionsMakeAShortLine() {
    List<Tensor> tensors = tensors();
    tensors.set(1, new Tensor("layers.0.bias", new int[] {1, 1, 1, 1, 1, 1, 1, 1}, new float[1]));
    Safetensors.write(file, metadata(), tensors);
    assertBadInOneShortLine();
  }

  @Test
  void damageIsFoundAndAMissingChecksumIsNone() throws IOException {
    sample().write(file);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    String found = assertThrows(BadFileException.class, () -> ModelFile.read(file)).getMessage();
    assertTrue(found.startsWith(file + ": damaged: the crc32c of metadata and tensors"), found);
    Safetensors.write(file, metadata(), tensors());
    assertSame(sample().weights(), ModelFile.read(file).weights());
  }
}
