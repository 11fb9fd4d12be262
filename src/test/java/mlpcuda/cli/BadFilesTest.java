package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import mlpcuda.model.Safetensors;
import mlpcuda.model.Safetensors.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests data and model files that cannot be used: exit code 4, one line, nothing left behind. */
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

  /** Asserts that the program ends with code 4 and one line that begins so. */
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
    assertBadData(data + ": no such folder");
  }

  @Test
  void aFileIsMissing() throws IOException {
    Files.delete(data.resolve("t10k-labels-idx1-ubyte"));
    assertBadData(
        data + ": t10k-labels-idx1-ubyte is missing, plain and .gz, beside the other files");
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
    assertBad(tmp.resolve("no\\u000asuch") + ": ", "--data", tmp.resolve("no\nsuch"));
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

  /** Asserts that every command that takes the model's metadata refuses the file. */
  private void assertBadModel(String message) {
    assertBad(file + ": " + message, "evaluate", "--model", file, "--data", data);
    assertBad(file + ": " + message, "summary", "--model", file);
    assertBad(file + ": " + message, "summary", "--json", "--model", file);
  }

  /** Asserts that training from the file is refused, and leaves no folder behind. */
  private void assertBadInit(String message) {
    assertBad(
        file + ": " + message,
        Program.words("--hidden none", "--init", file, "--data", data, "--out", out));
    assertFalse(Files.exists(out));
  }

  @Test
  void theModelThatTheOthersAreMadeFromIsGood() {
    Safetensors.write(file, metadata(), tensors());
    // All weights are zero, so that every class is as likely as another: ln 3 = 1.0986.
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

  /** Files that are given as models: the kind of each, and what to do. */
  static Stream<Arguments> otherFiles() throws IOException {
    String torch =
        "; in Python, safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")"
            + " writes what import reads";
    return Stream.of(
        arguments(bytes(""), "an empty file", ""),
        arguments(bytes("# A model\nof digits\n"), "a text", ""),
        arguments(bytes("{}"), "a JSON text", ""),
        arguments(bytes("{\"epochs\": 10, \"loss\": 1}"), "a JSON text", ""),
        arguments(bytes("<!DOCTYPE html>\n<title>Sign in</title>"), "an HTML page", ""),
        arguments(
            bytes("PK\3\4" + "\0".repeat(26) + "model/data.pkl"),
            "a zip archive such as torch.save writes",
            torch),
        arguments(bytes("\u0080\2}q\0."), "a Python pickle", torch),
        arguments(bytes("\0\0\10\3\0\0\0\1"), "an IDX file of images", ""),
        arguments(bytes("\u0089PNG\r\n\32\n"), "a PNG picture", ""),
        arguments(
            bytes("\10\7\22\7pytorch"),
            "an ONNX model",
            "; name the model.safetensors that it was exported from"));
  }

  private static byte[] bytes(String characters) {
    return characters.getBytes(StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @MethodSource("otherFiles")
  void anotherKindOfFileForAModel(byte[] content, String kind, String remedy) throws IOException {
    Files.write(file, content);
    String message = "this is " + kind + ", not a safetensors file" + remedy;
    assertBadModel(message);
    assertBadInit(message);
    assertBad(file + ": " + message, "predict", "--model", file, tmp.resolve("seven.png"));
    assertBad(file + ": " + message, "serve", "--port=0", "--model", file);
    assertBad(file + ": " + message, "export", "--model", file, "--onnx", tmp.resolve("x"));
    assertBad(file + ": " + message, "import", file, "--out", tmp.resolve("x"));
  }

  /** A file of export is an ONNX model, whatever its name is. */
  @Test
  void whatExportWroteIsNoModelFile() {
    Safetensors.write(file, metadata(), tensors());
    Path onnx = tmp.resolve("exported.safetensors");
    Program.succeed("export", "--model", file, "--onnx", onnx);
    file = onnx;
    assertBadModel("this is an ONNX model, not a safetensors file; name the model.safetensors");
  }

  @Test
  void weightsThatPyTorchSaved() {
    Safetensors.write(file, Map.of("format", "pt"), tensors());
    assertBadModel(
        "the file holds weights as PyTorch saves them, and no description of their network;"
            + " convert it with 'mlp-cuda import' first");
    Safetensors.write(
        file,
        Map.of("format", "pt"),
        List.of(
            new Tensor("fc1.bias", new int[] {3}, new float[3]),
            new Tensor("fc1.weight", new int[] {3, 35}, new float[105])));
    assertBadInit(
        "the file has no tensor layers.0.weight, but fc1.bias, fc1.weight; if PyTorch saved them,"
            + " convert it with 'mlp-cuda import' first");
  }

  @Test
  void aModelFileThatIsCutOff() throws IOException {
    Safetensors.write(file, metadata(), tensors());
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertBadModel("the file is cut off, copy it again: tensor layers.0.bias ends at byte 432");
    assertBadInit("the file is cut off, copy it again: tensor layers.0.bias ends at byte 432");
    Files.write(file, Arrays.copyOf(whole, 100));
    assertBadModel("the file is cut off, copy it again: the header needs ");
  }

  @Test
  void noFile() throws IOException {
    assertBadModel("no such file");
    assertBadInit("no such file");
    file = tmp;
    assertBadModel("this is a folder, not a model file");
    assertBadInit("this is a folder, not a model file");
    Path inside = Files.createFile(tmp.resolve("model.safetensors"));
    assertBadModel("this is a folder, not a model file; the model in it is " + inside);
  }

  /** No message has the name of a Java class in it. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aFileThatMayNotBeRead() throws IOException {
    Safetensors.write(file, metadata(), tensors());
    Path labels = data.resolve("t10k-labels-idx1-ubyte");
    for (Path secret : List.of(file, labels)) {
      Files.setPosixFilePermissions(secret, Set.of());
    }
    assumeFalse(Files.isReadable(file), "root reads everything");
    assertBadInit("cannot be read: permission denied");
    assertBadData(labels + ": cannot be read: permission denied");
  }
}
