package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.model.ModelFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImportCommandTest {
  @TempDir Path tmp;

  private Path file() {
    return tmp.resolve("weights.safetensors");
  }

  private Path out() {
    return tmp.resolve("model.safetensors");
  }

  /**
   * Writes tensors as safetensors.torch.save_file does: sorted by name, the header padded with
   * spaces to a multiple of 8. {@code tensors} is of the form {@code 0.weight:4x6 0.bias:4}; the
   * values of a tensor are its name's hash, and rise.
   */
  private void write(String tensors) {
    write(tensors, "F32", Float.BYTES);
  }

  private void write(String tensors, String dtype, int bytes) {
    var sorted = new TreeMap<String, int[]>();
    for (String tensor : tensors.split(" ")) {
      String[] parts = tensor.split(":");
      sorted.put(
          parts[0], Arrays.stream(parts[1].split("x")).mapToInt(Integer::parseInt).toArray());
    }
    var header = new StringJoiner(",", "{", "}");
    ByteBuffer values = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    sorted.forEach(
        (name, shape) -> {
          int begin = values.position();
          for (float value : values(name, shape)) {
            if (bytes == Float.BYTES) {
              values.putFloat(value);
            } else {
              values.putShort((short) 0);
            }
          }
          header.add(
              "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                  .formatted(
                      name,
                      dtype,
                      Arrays.toString(shape).replace(" ", ""),
                      begin,
                      values.position()));
        });
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    int padded = (text.length + 7) / 8 * 8;
    text = Arrays.copyOf(text, padded);
    Arrays.fill(text, header.length(), padded, (byte) ' ');
    ByteBuffer whole =
        ByteBuffer.allocate(8 + padded + values.position()).order(ByteOrder.LITTLE_ENDIAN);
    whole.putLong(padded).put(text).put(values.flip());
    try {
      Files.write(file(), whole.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static float[] values(String name, int... shape) {
    int length = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = name.hashCode() % 100 / 100f + i / (float) length;
    }
    return values;
  }

  private Program run(String line) {
    return Program.run(Program.words("import " + line, file(), "--out", out()));
  }

  private ModelFile imported(String line) {
    Program program = run(line);
    assertEquals(0, program.code(), program.err());
    assertEquals("", program.err());
    return ModelFile.read(out());
  }

  @ParameterizedTest
  @CsvSource({
    "0,2,4", // nn.Sequential
    "8,10,12", // here names sort otherwise than numbers
    "layers.0,layers.1,layers.2",
    "module.net.0,module.net.2,module.net.10",
    "fc1,fc2,fc3",
    "fc1,fc2,out",
    "zebra,middle,apple", // names that tell nothing
    "blocks.0.fc,blocks.1.fc,head"
  })
  void theOrderOfTheLayers(String first, String second, String third) {
    write(
        "%s.weight:5x6 %s.bias:5 %s.weight:4x5 %s.bias:4 %s.weight:3x4 %s.bias:3"
            .formatted(first, first, second, second, third, third));
    ModelFile model = imported("--rows 2");
    assertEquals(List.of(6, 5, 4, 3), model.shape().sizes());
    List<String> names = List.of(first, second, third);
    for (int l = 0; l < 3; l++) {
      assertArrayEquals(
          values(names.get(l) + ".weight", 6 - l - 1, 6 - l), model.weights().get(2 * l));
      assertArrayEquals(values(names.get(l) + ".bias", 6 - l - 1), model.weights().get(2 * l + 1));
    }
    assertEquals(2, model.form().images("it").rows());
    assertEquals(3, model.form().images("it").cols());
  }

  @Test
  void numbersOrderLayersOfOneShape() {
    String tensors =
        String.join(
            " ",
            IntStream.rangeClosed(1, 12)
                .mapToObj(n -> "fc%d.weight:4x4 fc%d.bias:4".formatted(n, n))
                .toList());
    write(tensors + " out.weight:3x4 out.bias:3");
    ModelFile model = imported("");
    assertEquals("4-4-4-4-4-4-4-4-4-4-4-4-4-3", model.shape().toString());
    for (int l = 0; l < 12; l++) {
      assertArrayEquals(values("fc" + (l + 1) + ".weight", 4, 4), model.weights().get(2 * l));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "784, '', mnist-form",
    "784, --prepare as-is, as-is",
    "64, '', as-is",
    "64, --prepare mnist-form, mnist-form"
  })
  void picturesArePreparedAsTheOptionOrTheSizeSays(int inputs, String options, String wanted) {
    write("0.weight:3x%d 0.bias:3".formatted(inputs));
    assertEquals(wanted, imported(options).form().images("it").preparation().label());
  }

  @Test
  void saysWhatItMadeOfThem() {
    write("0.weight:5x4 2.weight:3x5 2.bias:3");
    Program program = run("--mean 0.1307 --std 0.3081 --activation tanh --relu-output");
    assertEquals(
        List.of(
            "layers.0 is 0, which has no bias: zeros",
            "layers.1 is 2",
            "layer        inputs  outputs  activation   parameters",
            "layers.0          4        5  tanh                 25",
            "layers.1          5        3  relu                 18",
            "network 4-5-3                                      43",
            "Saved " + out() + ": images 2x2, scaling z-score, mean 0.1307, std 0.3081"),
        program.lines());
    ModelFile model = ModelFile.read(out());
    assertEquals(new PixelScaling("z-score", 0.1307, 0.3081), model.form().scaling());
    assertEquals(Activation.TANH, model.shape().hidden());
    assertEquals(Activation.RELU, model.shape().output());
    assertArrayEquals(new float[5], model.weights().get(1));
  }

  /** scripts/pytorch_weights.py made both files with PyTorch 2.13 and safetensors 0.8. */
  @Test
  void logitsOfPyTorch() throws IOException {
    Files.write(file(), resource("pytorch-weights.safetensors"));
    Program program = run("--rows 5 --activation tanh --mean 0.1307 --std 0.3081");
    assertEquals(
        List.of(
            "layers.0 is 1",
            "layers.1 is 4",
            "layers.2 is 7, which has no bias: zeros",
            "layers.3 is 10"),
        program.lines().subList(0, 4));
    byte[] pixels = new byte[20 * 35];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (37 * i);
    }
    float[] ours =
        ExportCommandTest.ours(
            ModelFile.read(out()), ExampleSet.images(5, 7, pixels, new byte[20]));
    String[] theirs =
        new String(resource("pytorch-logits.txt"), StandardCharsets.US_ASCII).split("\\s+");
    assertEquals(60, theirs.length);
    for (int i = 0; i < theirs.length; i++) {
      assertEquals(Float.parseFloat(theirs[i]), ours[i], 1e-6);
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ImportCommandTest.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    }
  }

  @Test
  void oneLayerAlone() {
    write("weight:3x4 bias:3");
    ModelFile model = imported("--scaling centred");
    assertEquals("4-3", model.shape().toString());
    assertEquals(new PixelScaling("centred", 0.5, 0.5), model.form().scaling());
    assertArrayEquals(values("weight", 3, 4), model.weights().get(0));
  }

  @Test
  void whatIsImportedIsEvaluatedAndExported() {
    write("fc1.weight:9x35 fc1.bias:9 fc2.weight:3x9 fc2.bias:3");
    imported("--rows 5 --cols 7");
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 20, 20);
    String last = Program.succeed("evaluate", "--cpu", "--model", out(), "--data", data).lastLine();
    assertTrue(last.matches("Test set: .*/20 \\(.*"), last);
    Program.succeed("export", "--model", out(), "--onnx", tmp.resolve("model.onnx"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0.weight:5x4 1.weight:3x6|layers must have one order in which shapes chain and numbers in"
            + " names rise, found none for 0 (5, 4), 1 (3, 6)",
        "fc1.weight:3x5 fc2.weight:5x4|layers must have one order in which shapes chain and numbers"
            + " in names rise, found none for fc1 (3, 5), fc2 (5, 4)",
        "a.weight:4x4 b.weight:4x4|layers must have one order in which shapes chain and numbers in"
            + " names rise, found several for a (4, 4), b (4, 4)",
        "0.weight:5x4 0.bias:4|0.bias must have its weight's 5 outputs, found 4",
        "0.weight:5x4 2.bias:4|each layer must have a weight (O, I), but there is none for 2",
        "0.bias:4|each layer must have a weight (O, I), but there is none for 0",
        "0.weight:5x4 1.weight:5 1.bias:5|tensors must be linear layers' <name>.weight (O, I) or"
            + " <name>.bias (O), found 1.weight [5]",
        "0.weight:8x1x3x3|tensors must be linear layers' <name>.weight (O, I) or <name>.bias (O),"
            + " found 0.weight [8, 1, 3, 3]",
        "0.weight:5x4 1.running_mean:5|tensors must be linear layers' <name>.weight (O, I) or"
            + " <name>.bias (O), found 1.running_mean [5]",
        "0.weight:0x4|0.weight must not be empty, found [0, 4]",
        "0.weight:3x6|--rows times --cols must be the first layer's 6 inputs, found neither, and no"
            + " square",
      })
  void refusesWhatIsNoPerceptron(String tensors, String message) {
    write(tensors);
    run("").assertRefused(4, file() + ": " + message);
    assertFalse(Files.exists(out()));
  }

  @Test
  void refusesWhatTorchSaveWrites() throws IOException {
    Files.write(file(), new byte[] {'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0});
    run("")
        .assertRefused(
            4,
            file()
                + ": this is a zip archive, not a safetensors file; in Python,"
                + " safetensors.torch.save_file(model.state_dict(),"
                + " \"weights.safetensors\") writes what import reads");
    Files.delete(file());
    run("").assertRefused(4, file() + ": no such file");
  }

  @Test
  void refusesHalfPrecision() {
    write("0.weight:5x4", "BF16", 2);
    run("").assertRefused(4, file() + ": tensor 0.weight is BF16, only F32 can be read");
  }

  @Test
  void writesNothingOverItsSource() {
    write("0.weight:5x4 0.bias:5");
    Program.run("import", file(), "--out", tmp.resolve("x/../weights.safetensors"))
        .assertRefused(
            2,
            "--out must be another file than the weights, found " + file(),
            "'mlp-cuda import --help' lists the options.");
  }

  @Test
  void refusesItsOwnModels() {
    write("0.weight:5x4 0.bias:5");
    imported("");
    Program.run("import", out(), "--out", tmp.resolve("again"))
        .assertRefused(
            4, out() + ": this is a model file of mlp-cuda already, and needs no import");
  }

  /**
   * Each name is a kind of its own, and all layers have one shape but the last, which none leads
   * to.
   */
  @Test
  void givesUpInTime() {
    String letters = "abcdefghijklmnopqrstuvw";
    write(
        String.join(" ", letters.chars().mapToObj(c -> (char) c + ".weight:1x1").toList())
            + " x.weight:3x2");
    run("")
        .assertRefused(
            4,
            file()
                + ": layers must have one order in which shapes chain and numbers in names rise,"
                + " found too many to try for a (1, 1), b (1, 1), c (1, 1), d (1, 1) and 20 more");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--scaling z-score|--scaling z-score needs --mean and --std, found neither",
        "--mean 0.5|--scaling z-score needs --mean and --std, found --mean alone",
        "--std 0.5|--scaling z-score needs --mean and --std, found --std alone",
        "--scaling unit --mean 0 --std 1|--mean and --std need --scaling z-score, found unit",
        "--scaling nope|Invalid value for option '--scaling': must be one of unit, centred,"
            + " z-score, found nope",
        "--mean NaN --std 1|--mean and --std must give finite inputs, found NaN and 1.0",
        "--mean 1e38 --std 1e-10|--mean and --std must give finite inputs, found 1.0E38 and 1.0E-10",
        "--mean 0 --std 0|Invalid value for option '--std': must be a number above 0 that a float"
            + " can hold, found 0",
        "--rows 0|Invalid value for option '--rows': must be a whole number from 1 to 2147483647,"
            + " found 0",
        "--activation none|Invalid value for option '--activation': must be one of relu, sigmoid,"
            + " tanh, lecun-tanh, found none",
      })
  void refusesOptions(String line, String message) {
    run(line).assertRefused(2, message, "'mlp-cuda import --help' lists the options.");
  }

  @ParameterizedTest
  @CsvSource({"--rows 3,3 and none", "--cols 3,none and 3", "--rows 2 --cols 3,2 and 3"})
  void refusesOtherImages(String line, String found) {
    write("0.weight:5x4 0.bias:5");
    run(line)
        .assertRefused(
            4, file() + ": --rows times --cols must be the first layer's 4 inputs, found " + found);
  }
}
