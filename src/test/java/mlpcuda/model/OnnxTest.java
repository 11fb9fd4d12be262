package mlpcuda.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the rules of docs/IR.md that a graph must obey, on the bytes that are written. */
class OnnxTest {
  @TempDir Path tmp;

  /** A field of a message: a number, or bytes, which may be a message again. */
  private record Field(int number, long value, byte[] bytes) {
    String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  private static List<Field> parse(byte[] message) {
    ByteBuffer in = ByteBuffer.wrap(message);
    var fields = new ArrayList<Field>();
    while (in.hasRemaining()) {
      long tag = varint(in);
      long value = varint(in);
      byte[] bytes = null;
      if ((tag & 7) == 2) {
        bytes = new byte[(int) value];
        in.get(bytes);
      } else {
        assertEquals(0, tag & 7);
      }
      fields.add(new Field((int) (tag >>> 3), value, bytes));
    }
    return fields;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = in.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static List<Field> all(byte[] message, int number) {
    return parse(message).stream().filter(field -> field.number == number).toList();
  }

  private static Field one(byte[] message, int number) {
    List<Field> fields = all(message, number);
    assertEquals(1, fields.size());
    return fields.get(0);
  }

  private static ImageForm form(int rows, int cols, PixelScaling scaling) {
    return ImageForm.grey(rows, cols, scaling, Preparation.MNIST_FORM, true);
  }

  private static ModelFile network(MlpShape shape) {
    List<float[]> weights =
        Parameters.tensors(shape).stream().map(tensor -> new float[tensor.length()]).toList();
    for (int t = 0; t < weights.size(); t++) {
      for (int i = 0; i < weights.get(t).length; i++) {
        weights.get(t)[i] = t + i / 1000f;
      }
    }
    return new ModelFile(shape, form(5, 7, new PixelScaling("z-score", 0.1307, 0.3081)), weights);
  }

  @ParameterizedTest
  @CsvSource({
    "RELU, NONE, BYTES, false",
    "SIGMOID, RELU, UNIT, true",
    "TANH, NONE, BYTES, true",
    "LECUN_TANH, RELU, UNIT, false",
  })
  void theGraphIsSound(Activation hidden, Activation output, Onnx.Input input, boolean softmax)
      throws IOException {
    var shape = new MlpShape(List.of(35, 200, 8, 3), hidden, output);
    ModelFile network = network(shape);
    Path file = tmp.resolve("model.onnx");
    Onnx.write(file, Committee.of(network), input, softmax, "1.2.3");
    byte[] model = Files.readAllBytes(file);
    assertEquals(8, one(model, 1).value);
    assertEquals("mlp-cuda", one(model, 2).text());
    assertEquals("1.2.3", one(model, 3).text());
    assertEquals(
        List.of("preparation=mnist-form", "transpose=true"),
        all(model, 14).stream()
            .map(field -> one(field.bytes, 1).text() + "=" + one(field.bytes, 2).text())
            .toList());
    byte[] opset = one(model, 8).bytes;
    assertEquals("", one(opset, 1).text());
    assertEquals(17, one(opset, 2).value);

    byte[] graph = one(model, 7).bytes;
    Set<String> values = new HashSet<>(); // each value is given once, and before it is used
    checkInitializers(graph, network, values);
    byte[] pixels = one(graph, 11).bytes;
    assertTrue(values.add(one(pixels, 1).text()));
    byte[] type = one(one(pixels, 2).bytes, 1).bytes;
    assertEquals(input == Onnx.Input.BYTES ? 2 : 1, one(type, 1).value);
    List<Field> dimensions = all(one(type, 2).bytes, 1);
    assertEquals("batch", one(dimensions.get(0).bytes, 2).text());
    assertEquals(35, one(dimensions.get(1).bytes, 1).value);
    assertEquals(2, dimensions.size());

    Set<String> names = new HashSet<>();
    Set<String> used = new HashSet<>();
    var operators = new ArrayList<String>();
    for (Field field : all(graph, 1)) {
      byte[] node = field.bytes;
      for (Field in : all(node, 1)) {
        assertTrue(values.contains(in.text()), in.text());
        used.add(in.text());
      }
      assertTrue(values.add(one(node, 2).text()));
      assertTrue(names.add(one(node, 3).text()));
      operators.add(one(node, 4).text());
    }
    List<String> outputs = all(graph, 12).stream().map(out -> one(out.bytes, 1).text()).toList();
    assertEquals(softmax ? List.of("logits", "probabilities") : List.of("logits"), outputs);
    used.addAll(outputs);
    assertEquals(values, used, "nothing is computed in vain");

    var expected = new ArrayList<String>();
    if (input == Onnx.Input.BYTES) {
      expected.add("Cast");
    }
    String name = hidden.name().charAt(0) + hidden.label().substring(1);
    List<String> nodes =
        hidden == Activation.LECUN_TANH ? List.of("Mul", "Tanh", "Mul") : List.of(name);
    expected.addAll(List.of("Mul", "Add"));
    for (int layer = 0; layer < 2; layer++) {
      expected.add("Gemm");
      expected.addAll(nodes);
    }
    expected.add("Gemm");
    if (output == Activation.RELU) {
      expected.add("Relu");
    }
    if (softmax) {
      expected.add("Softmax");
    }
    assertEquals(expected, operators);
  }

  private static void checkInitializers(byte[] graph, ModelFile network, Set<String> values) {
    List<Parameters.Tensor> places = Parameters.tensors(network.shape());
    List<Field> tensors = all(graph, 5);
    boolean scaledTanh = network.shape().hidden() == Activation.LECUN_TANH;
    assertEquals(places.size() + (scaledTanh ? 4 : 2), tensors.size());
    for (Field field : tensors) {
      assertTrue(values.add(one(field.bytes, 8).text()));
      assertEquals(1, one(field.bytes, 2).value);
    }
    for (int t = 0; t < places.size(); t++) {
      byte[] tensor = tensors.get(t + 2).bytes; // the first two tensors are the scaling's
      assertEquals(places.get(t).name(), one(tensor, 8).text());
      List<Integer> shape = all(tensor, 1).stream().map(field -> (int) field.value).toList();
      assertEquals(places.get(t).shape(), shape);
      float[] found = new float[places.get(t).length()];
      byte[] raw = one(tensor, 9).bytes;
      assertEquals(4 * found.length, raw.length);
      ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(found);
      assertEquals(ByteBuffer.wrap(bytes(network.weights().get(t))), ByteBuffer.wrap(bytes(found)));
    }
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  @Test
  void refusesMoreThanProtocolBuffersAllow() {
    int width = 740;
    int layers = 1000;
    var shape =
        new MlpShape(Collections.nCopies(layers + 1, width), Activation.RELU, Activation.NONE);
    float[] weight = new float[width * width]; // one array is used a thousand times
    float[] bias = new float[width];
    List<float[]> weights =
        IntStream.range(0, 2 * layers).mapToObj(t -> t % 2 == 0 ? weight : bias).toList();
    var network = new ModelFile(shape, form(1, width, new PixelScaling("unit", 0, 1)), weights);
    Path file = tmp.resolve("model.onnx");
    var e =
        assertThrows(
            UncheckedIOException.class,
            () -> Onnx.write(file, Committee.of(network), Onnx.Input.UNIT, false, "1"));
    assertTrue(
        e.getMessage()
            .startsWith(
                file
                    + ": cannot be written: an ONNX file may have at most 2147483647 bytes, found"
                    + " 21"),
        e.getMessage());
    assertFalse(Files.exists(file));
  }
}
