package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.model.Safetensors;
import mlpcuda.model.Safetensors.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Data and model files that cannot be used: exit code 4, one line, nothing left behind. */
class BadFilesTest {
  @TempDir Path tmp;
  private Path data;
  private Path out;
  private Path file;

  @BeforeEach
  void makeData() {
    data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 10, 5);
    out = tmp.resolve("run");
    file = tmp.resolve("model.safetensors");
  }

  /** Fails unless the program ends with code 4 and one line that begins so. */
  private static void assertBad(String start, Object... args) {
    Program program = Program.run(args);
    assertEquals(4, program.code(), program.err());
    assertEquals(1, program.err().lines().count(), program.err());
    assertTrue(program.err().startsWith(start), program.err());
    assertTrue(program.err().length() < start.length() + 1500, program.err());
    assertEquals("", program.out());
  }

  private void assertBadData(String start) {
    assertBad(start, "--data", data, "--out", out);
    assertFalse(Files.exists(out));
    assertBad(start, "--data", data, "--out", out, "--json");
  }

  @Test
  void noFolder() {
    data = tmp.resolve("none");
    assertBadData(data + ": must be a folder with IDX files, found nothing");
  }

  @Test
  void aFileIsMissing() throws IOException {
    Files.delete(data.resolve("t10k-labels-idx1-ubyte"));
    assertBadData("t10k-labels-idx1-ubyte: missing; ");
  }

  @Test
  void aFileIsTruncated() throws IOException {
    Path images = data.resolve("t10k-images-idx3-ubyte");
    Files.write(images, Arrays.copyOf(Files.readAllBytes(images), 100));
    assertBadData(images + ": ");
  }

  @Test
  void labelsBeyondTheClasses() {
    assertBad(
        data.resolve("train-labels-idx1-ubyte") + ": labels must be below 2, found 2 at index 2",
        Program.words("--classes 2", "--data", data, "--out", out));
    assertFalse(Files.exists(out));
  }

  @Test
  void equalPixelsHaveNoZScore() throws IOException {
    Path images = data.resolve("train-images-idx3-ubyte");
    byte[] bytes = Files.readAllBytes(images);
    Arrays.fill(bytes, 16, bytes.length, (byte) 7);
    Files.write(images, bytes);
    assertBadData("training images: z-score scaling needs a standard deviation of at least 0.0001");
    assertEquals(
        0,
        Program.run(Program.words("--dry-run --scaling unit", "--data", data)).code(),
        "other scalings do");
  }

  @Test
  void aLineBreakInAName() {
    assertBad(tmp.resolve("no?such") + ": ", "--data", tmp.resolve("no\nsuch"));
  }

  private static Map<String, String> metadata() {
    var metadata = new LinkedHashMap<String, String>();
    metadata.put("architecture", "mlp");
    metadata.put("layers", "35-3");
    metadata.put("activation", "relu");
    metadata.put("output_activation", "none");
    metadata.put("scaling", "unit");
    metadata.put("mean", "0.0");
    metadata.put("std", "1.0");
    metadata.put("rows", "5");
    metadata.put("cols", "7");
    metadata.put("classes", "3");
    return metadata;
  }

  private static List<Tensor> tensors() {
    var tensors = new ArrayList<Tensor>();
    tensors.add(new Tensor("layers.0.weight", new int[] {3, 35}, new float[105]));
    tensors.add(new Tensor("layers.0.bias", new int[] {3}, new float[3]));
    return tensors;
  }

  /** Fails unless every command that takes the model's metadata refuses the file. */
  private void assertBadModel(String message) {
    assertBad(file + ": " + message, "evaluate", "--model", file, "--data", data);
    assertBad(file + ": " + message, "summary", "--model", file);
    assertBad(file + ": " + message, "summary", "--json", "--model", file);
  }

  /** Fails unless training from the file is refused, and leaves no folder behind. */
  private void assertBadInit(String message) {
    assertBad(
        file + ": " + message,
        Program.words("--hidden none", "--init", file, "--data", data, "--out", out));
    assertFalse(Files.exists(out));
  }

  @Test
  void theModelThatTheOthersAreMadeFromIsGood() {
    Safetensors.write(file, metadata(), tensors());
    // All weights are zero: every class is as likely as another, ln 3 = 1.0986.
    assertEquals(
        "Test set: Average loss: 1.0986, Accuracy: 2/5 (40.00%)",
        Program.succeed("evaluate", "--model", file, "--data", data).lastLine());
    assertEquals(
        "Test set: Average loss: 1.0986, Accuracy: 2/5 (40.00%)",
        Program.succeed(
                Program.words(
                    "--hidden none --epochs 0", "--init", file, "--data", data, "--out", out))
            .lastLine());
  }

  @ParameterizedTest
  @CsvSource({
    "layers, 0-5",
    "layers, 35-99999999999-3",
    "layers, 35-2147483647-3",
    "classes, 4",
    "activation, gelu",
    "mean, NaN",
    "std, 1e-320",
    "rows, -5",
    "architecture, cnn"
  })
  void metadataOfAModel(String name, String text) {
    Map<String, String> metadata = metadata();
    metadata.put(name, text);
    Safetensors.write(file, metadata, tensors());
    assertBadModel("__metadata__: ");
  }

  @Test
  void tensorsOfAModel() {
    Safetensors.write(file, metadata(), tensors().subList(0, 1));
    assertBadModel("a network 35-3 must have the tensor layers.0.bias, found layers.0.weight");
    assertBadInit("a network 35-3 must have the tensor layers.0.bias, found layers.0.weight");

    List<Tensor> shapes = tensors();
    shapes.set(0, new Tensor("layers.0.weight", new int[] {35, 3}, new float[105]));
    Safetensors.write(file, metadata(), shapes);
    assertBadModel("layers.0.weight of a network 35-3 must have the shape [3, 35], found [35, 3]");
    assertBadInit("layers.0.weight of a network 35-3 must have the shape [3, 35], found [35, 3]");

    List<Tensor> many = tensors();
    for (int i = 0; i < 300; i++) {
      many.add(new Tensor("a\nlong name ".repeat(50) + i, new int[] {1}, new float[1]));
    }
    Safetensors.write(file, metadata(), many);
    assertBadModel("a network 35-3 must have no further tensors, found a?long name ");
    assertBadInit("a network 35-3 must have no further tensors, found a?long name ");

    List<Tensor> infinite = tensors();
    infinite.get(0).values()[104] = Float.NaN;
    Safetensors.write(file, metadata(), infinite);
    assertBadModel("layers.0.weight must hold finite numbers, found NaN");
    assertBadInit("layers.0.weight must hold finite numbers, found NaN");
  }

  @Test
  void aModelOfAnotherNetworkIsNoBeginning() {
    Safetensors.write(file, metadata(), tensors());
    assertBad(
        file + ": layers.0.weight of a network 35-4-3 must have the shape [4, 35], found [3, 35]",
        Program.words("--hidden 4", "--init", file, "--data", data, "--out", out));
    assertFalse(Files.exists(out));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "not a model", "{}"})
  void noModelAtAll(String content) throws IOException {
    Files.writeString(file, content);
    assertBadModel("");
    assertBadInit("");
  }

  @Test
  void noFile() {
    assertBadModel("file must exist, found none");
    assertBadInit("file must exist, found none");
    file = tmp;
    assertBadModel("must be a regular file, found a folder");
    assertBadInit("must be a regular file, found a folder");
  }
}
