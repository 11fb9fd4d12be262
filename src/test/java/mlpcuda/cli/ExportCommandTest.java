package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import mlpcuda.Device;
import mlpcuda.Model;
import mlpcuda.Network;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.IdxFolder;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.net.Mlp;
import mlpcuda.net.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the models that export writes in ONNX Runtime. */
@DisabledOnOs(
    value = OS.MAC,
    architectures = "x86_64",
    disabledReason = "ONNX Runtime has no library for it")
class ExportCommandTest {
  @TempDir static Path shared;
  private static Path trained;

  @TempDir Path tmp;

  /** A network of the default preset after an epoch of MNIST. */
  private static synchronized Path trained() {
    if (trained == null) {
      Program.succeed("--cpu", "--threads", 2, "--epochs", 1, "--out", shared.resolve("run"));
      trained = shared.resolve("run/model.safetensors");
    }
    return trained;
  }

  private Path export(Path model, String line) {
    Path onnx = tmp.resolve("model.onnx");
    Program.succeed(Program.words("export " + line, "--model", model, "--onnx", onnx));
    return onnx;
  }

  /** The logits of the program itself, (N, C). */
  static float[] ours(ModelFile model, ExampleSet set) {
    int N = set.size();
    float[] logits = new float[N * model.shape().classes()];
    float[] x = new float[set.features().array().length];
    for (int i = 0; i < x.length; i++) {
      x[i] =
          Byte.toUnsignedInt(set.features().array()[i])
                  * model.form().images(model).scaling().scale()
              + model.form().images(model).scaling().shift();
    }
    try (var ops = new CpuOps(2);
        var parameters = new Parameters(ops, model.shape());
        Mlp mlp = Mlp.forInference(parameters, N);
        Buffer step = ops.allocate("step", Type.INT32, 1)) {
      parameters.write(model.weights());
      ops.write(mlp.inputs(), x);
      mlp.forward(step, N);
      ops.read(mlp.logits(), logits);
    }
    return logits;
  }

  /** An output of the ONNX model, (N, C), computed for {@code B} images at a time. */
  private static float[] theirs(Path onnx, String output, ExampleSet set, int B)
      throws OrtException {
    int I = set.inputs();
    float[] all = new float[0];
    try (OrtSession session = session(onnx)) {
      for (int from = 0; from < set.size(); from += B) {
        int size = Math.min(B, set.size() - from);
        byte[] pixels = Arrays.copyOfRange(set.features().array(), from * I, (from + size) * I);
        try (OnnxTensor input = input(session, pixels, new long[] {size, I});
            OrtSession.Result result = session.run(Map.of("pixels", input), Set.of(output))) {
          OnnxTensor tensor = (OnnxTensor) result.get(0);
          int C = (int) tensor.getInfo().getShape()[1];
          assertArrayEquals(new long[] {size, C}, tensor.getInfo().getShape());
          all = from == 0 ? new float[set.size() * C] : all;
          tensor.getFloatBuffer().get(all, from * C, size * C);
        }
      }
    }
    return all;
  }

  private static OrtSession session(Path onnx) throws OrtException {
    return OrtEnvironment.getEnvironment().createSession(onnx.toString());
  }

  /** The pixels as bytes or floats, as the model asks for. */
  private static OnnxTensor input(OrtSession session, byte[] pixels, long[] shape)
      throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    TensorInfo wanted = (TensorInfo) session.getInputInfo().get("pixels").getInfo();
    if (wanted.type == OnnxJavaType.UINT8) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(pixels.length).order(ByteOrder.nativeOrder());
      return OnnxTensor.createTensor(
          environment, bytes.put(pixels).rewind(), shape, OnnxJavaType.UINT8);
    }
    FloatBuffer floats = FloatBuffer.allocate(pixels.length);
    for (byte pixel : pixels) {
      floats.put(Byte.toUnsignedInt(pixel) / 255f);
    }
    return OnnxTensor.createTensor(environment, floats.rewind(), shape);
  }

  /**
   * Asserts equality to 1e-5 of the larger of 1 and the logit: floats of two digits are 1e-6 apart.
   */
  private static void assertSame(float[] expected, float[] found) {
    assertEquals(expected.length, found.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], found[i], 1e-5 * Math.max(1, Math.abs(expected[i])));
    }
  }

  @ParameterizedTest
  @CsvSource({"bytes,1", "bytes,1000", "bytes,10000", "unit,1", "unit,999", "unit,10000"})
  void logitsOfTheWholeTestSet(String input, int batchSize) throws OrtException {
    ExampleSet test = EmbeddedMnist.load().test();
    float[] ours = ours(ModelFile.read(trained()), test);
    float[] theirs = theirs(export(trained(), "--input " + input), "logits", test, batchSize);
    assertSame(ours, theirs);
    int correct = 0;
    for (int n = 0; n < test.size(); n++) {
      int answer = 0;
      for (int c = 1; c < 10; c++) {
        answer = theirs[n * 10 + c] > theirs[n * 10 + answer] ? c : answer;
      }
      correct += answer == test.labels()[n] ? 1 : 0;
    }
    String evaluated = Program.succeed("evaluate", "--cpu", "--model", trained()).lastLine();
    assertTrue(evaluated.contains(" " + correct + "/10000 "), evaluated + " and " + correct);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--preset 128x64-centred",
        "--preset 128x64x32-relu-out",
        "--hidden none",
        "--hidden none --relu-output --scaling centred",
        "--hidden 9 --activation sigmoid",
        "--hidden 9,8,7 --activation tanh --relu-output",
        "--hidden 9,8 --activation lecun-tanh",
        "--hidden 1 --scaling unit"
      })
  void everyNetwork(String line) throws OrtException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 70);
    Path run = tmp.resolve("run");
    Program.succeed(Program.words(line, "--cpu", "--epochs", 3, "--data", data, "--out", run));
    Path model = run.resolve("model.safetensors");
    ExampleSet test = IdxFolder.readTest(data, 3);
    float[] ours = ours(ModelFile.read(model), test);
    for (String input : new String[] {"bytes", "unit"}) {
      Path onnx = export(model, "--softmax --input " + input);
      assertSame(ours, theirs(onnx, "logits", test, 32));
      float[] probabilities = theirs(onnx, "probabilities", test, 32);
      for (int n = 0; n < test.size(); n++) {
        double sum = 0;
        double expected = 0;
        for (int c = 0; c < 3; c++) {
          sum += probabilities[n * 3 + c];
          expected += Math.exp(ours[n * 3 + c]);
        }
        assertEquals(1, sum, 1e-6);
        for (int c = 0; c < 3; c++) {
          assertEquals(Math.exp(ours[n * 3 + c]) / expected, probabilities[n * 3 + c], 1e-5);
        }
      }
    }
  }

  /** The graph of a committee gives the mean of its members' probabilities, and its logarithm. */
  @Test
  void aCommitteeIsTheMeanOfItsMembers() throws OrtException {
    Path data = Program.writeData(tmp.resolve("data"), 5, 7, 3, 50, 70);
    Path run = tmp.resolve("committee");
    Program.succeed(
        Program.words(
            "--cpu --members 3 --epochs 2 --hidden 9,8 --activation tanh",
            "--data",
            data,
            "--out",
            run));
    Path model = run.resolve("model.safetensors");
    ExampleSet test = IdxFolder.readTest(data, 3);
    double[] mean = new double[3 * test.size()];
    for (ModelFile member : Committee.read(model).members()) {
      float[] logits = ours(member, test);
      for (int n = 0; n < test.size(); n++) {
        double sum = 0;
        for (int c = 0; c < 3; c++) {
          sum += Math.exp(logits[3 * n + c]);
        }
        for (int c = 0; c < 3; c++) {
          mean[3 * n + c] += Math.exp(logits[3 * n + c]) / sum / 3;
        }
      }
    }
    for (String input : new String[] {"bytes", "unit"}) {
      Path onnx = export(model, "--softmax --input " + input);
      float[] probabilities = theirs(onnx, "probabilities", test, 32);
      float[] logs = theirs(export(model, "--input " + input), "logits", test, 32);
      for (int i = 0; i < mean.length; i++) {
        assertEquals(mean[i], probabilities[i], 1e-5);
        assertEquals(Math.log(mean[i]), logs[i], 1e-4);
      }
    }
    try (OrtSession session = session(export(model, ""))) {
      assertEquals(Set.of("logits"), session.getOutputNames());
      assertTrue(
          session
              .getMetadata()
              .getDescription()
              .startsWith("Mean of 3 multilayer perceptrons 35-9-8-3, tanh; input: "));
    }
  }

  @Test
  void whatTheModelSaysOfItself() throws OrtException {
    Path onnx = export(trained(), "--softmax");
    try (OrtSession session = session(onnx)) {
      assertEquals(Set.of("pixels"), session.getInputNames());
      assertEquals(Set.of("logits", "probabilities"), session.getOutputNames());
      TensorInfo pixels = (TensorInfo) session.getInputInfo().get("pixels").getInfo();
      assertEquals(OnnxJavaType.UINT8, pixels.type);
      assertArrayEquals(new long[] {-1, 784}, pixels.getShape());
      assertArrayEquals(new String[] {"batch", ""}, pixels.getDimensionNames());
      for (String output : session.getOutputNames()) {
        TensorInfo info = (TensorInfo) session.getOutputInfo().get(output).getInfo();
        assertEquals(OnnxJavaType.FLOAT, info.type);
        assertArrayEquals(new long[] {-1, 10}, info.getShape());
        assertArrayEquals(new String[] {"batch", ""}, info.getDimensionNames());
      }
      assertEquals("mlp-cuda", session.getMetadata().getProducerName());
      assertEquals(
          "Multilayer perceptron 784-128-64-10, relu; input: 28x28 pixels in rows, 0 to 255; scaled"
              + " inside: z-score, mean 0.1307, std 0.3081",
          session.getMetadata().getDescription());
    }
  }

  /** A runtime must scale each column as the trainer does. */
  @Test
  void rowsOfNumbersGetTheLibrarysAnswers() throws OrtException {
    Path iris = Path.of("src/test/resources/mlpcuda/input/iris.csv");
    Path run = tmp.resolve("iris");
    Program.succeed(Program.words("--cpu --epochs 3 --hidden 16", "--data", iris, "--out", run));
    Path model = run.resolve("model.safetensors");
    Path onnx = tmp.resolve("iris.onnx");
    Program.run("export", "--model", model, "--onnx", onnx, "--input", "unit")
        .assertRefused(
            2,
            "--input is of pixels, and the network of "
                + model
                + " takes rows of numbers as they are",
            "'mlp-cuda export --help' lists the options.");
    assertEquals(
        "Saved "
            + onnx
            + ": opset 17, input features (batch, 4) float32, output logits (batch, 3) and"
            + " probabilities (batch, 3)\n",
        Program.succeed("export", "--model", model, "--onnx", onnx, "--softmax").out());
    float[][] rows = {{5.1f, 3.5f, 1.4f, 0.2f}, {6.3f, 2.8f, 5.1f, 1.5f}, {4.5f, 2, 3, 0.75f}};
    try (OrtSession session = session(onnx);
        Device device = Device.cpu();
        Model network = Network.load(model).on(device);
        OnnxTensor features = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), rows);
        OrtSession.Result result = session.run(Map.of("features", features))) {
      float[][] probabilities = (float[][]) result.get("probabilities").orElseThrow().getValue();
      float[][] logits = (float[][]) result.get("logits").orElseThrow().getValue();
      for (int i = 0; i < rows.length; i++) {
        double[] expected = network.predict(rows[i]).probabilities();
        for (int c = 0; c < 3; c++) {
          assertEquals(expected[c], probabilities[i][c], 1e-5);
          assertEquals( // differences of logits are the logarithms of quotients
              Math.log(expected[c] / expected[0]), logits[i][c] - logits[i][0], 1e-4);
        }
      }
      assertEquals("setosa", network.predict(rows[0]).label());
    }
  }

  @Test
  void aRuntimeRefusesOtherInputs() throws OrtException {
    Path onnx = export(trained(), "--input unit");
    try (OrtSession session = session(onnx);
        OnnxTensor narrow =
            OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(), FloatBuffer.allocate(783), new long[] {1, 783})) {
      Map<String, OnnxTensor> inputs = Map.of("pixels", narrow);
      assertThrows(OrtException.class, () -> session.run(inputs));
    }
    try (OrtSession session = session(export(trained(), ""));
        OnnxTensor floats =
            OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(), FloatBuffer.allocate(784), new long[] {1, 784})) {
      Map<String, OnnxTensor> inputs = Map.of("pixels", floats);
      assertThrows(OrtException.class, () -> session.run(inputs));
    }
  }

  @Test
  void saysWhatItWroteAndWritesTheSameBytesAgain() throws IOException {
    Path onnx = tmp.resolve("a.onnx");
    Program exported = Program.succeed("export", "--model", trained(), "--onnx", onnx);
    assertEquals(
        "Saved "
            + onnx
            + ": opset 17, input pixels (batch, 784) uint8, output logits (batch, 10)\n",
        exported.out());
    assertEquals("", exported.err());
    byte[] first = Files.readAllBytes(onnx);
    assertArrayEquals(first, Files.readAllBytes(export(trained(), "")));
    Program more =
        Program.succeed(
            Program.words("export --softmax --input unit", "--model", trained(), "--onnx", onnx));
    assertEquals(
        "Saved "
            + onnx
            + ": opset 17, input pixels (batch, 784) float32, output logits (batch, 10) and"
            + " probabilities (batch, 10)\n",
        more.out());
  }

  @Test
  void refusesBadModelsAndOptions() {
    Path onnx = tmp.resolve("model.onnx");
    Path none = tmp.resolve("none");
    Program.run("export", "--model", none, "--onnx", onnx)
        .assertRefused(4, none + ": no such file");
    Program.run("export", "--model", none)
        .assertRefused(
            2,
            "Missing required option: '--onnx=FILE'",
            "'mlp-cuda export --help' lists the options.");
    Program.run("export", "--model", none, "--onnx", onnx, "--input", "nope")
        .assertRefused(
            2,
            "Invalid value for option '--input': expected one of [bytes, unit] (case-sensitive) but"
                + " was 'nope'",
            "'mlp-cuda export --help' lists the options.");
    assertFalse(Files.exists(onnx));
    Program.run("export", "--model", trained(), "--onnx", trained())
        .assertRefused(
            2,
            "--onnx must be another file than --model, found " + trained(),
            "'mlp-cuda export --help' lists the options.");
    Path nowhere = tmp.resolve("no folder/model.onnx");
    Program failed = Program.run("export", "--model", trained(), "--onnx", nowhere);
    assertEquals(7, failed.code());
    assertTrue(failed.err().startsWith(nowhere + ": cannot be written: "), failed.err());
    assertEquals(1, failed.err().lines().count());
  }
}
