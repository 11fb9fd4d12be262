package mlpcuda.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Activation;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.PixelScaling;
import mlpcuda.files.Protobuf;
import mlpcuda.files.WholeFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;

/**
 * Writes a network and the scaling of its inputs as an ONNX model with the input {@code pixels}
 * (batch, I), or {@code features} (batch, I) where a network takes rows of numbers, and the output
 * {@code logits} (batch, C); {@code batch} may have any size.
 *
 * <p>IR version 8 and opset 17 belong to ONNX 1.12 of June 2022, which every runtime of the last
 * three years reads; no newer opset changes the operators that are used here. The wire format is
 * written directly, which takes a page of code and saves a library with the generated classes of
 * all of ONNX.
 *
 * <p>Source: onnx.proto of github.com/onnx/onnx, for the fields' numbers, and the operators'
 * schemas of opset 17, both as in the Python package onnx 1.23.1, whose checker accepts the models
 * that this class writes.
 */
public final class Onnx {
  /** The IR version, the version of ONNX's file format. */
  public static final int IR_VERSION = 8;

  /** The opset, the version of the operators. */
  public static final int OPSET = 17;

  // Values of enumerations: TensorProto.DataType, AttributeProto.AttributeType.
  private static final int FLOAT = 1;
  private static final int UINT8 = 2;
  private static final int INT_ATTRIBUTE = 2;

  /** The form of the pixels that the model takes as its input. */
  public enum Input {
    /** Pixels as in IDX files: uint8, 0 to 255. */
    BYTES,
    /** Pixels as torchvision's ToTensor gives them: float32, 0 to 1. */
    UNIT
  }

  // Names of the two constants of a scaled tanh.
  private static final String SLOPE = "activation.slope";
  private static final String SCALE = "activation.scale";

  private final Protobuf graph = new Protobuf();
  private boolean scaledTanh; // whether a node uses these constants

  private Onnx() {}

  /**
   * Writes the network; the file appears whole or not at all, and the same arguments give the same
   * bytes.
   *
   * @param softmax whether {@code probabilities} (batch, C) are a second output
   * @param version the version of this program
   * @throws java.io.UncheckedIOException if writing fails, or if the file would exceed the 2 GiB
   *     that Protocol Buffers allow
   */
  public static void write(
      Path file, Committee network, Input input, boolean softmax, String version) {
    Protobuf model = model(network, input, softmax, version);
    if (model.size() > Integer.MAX_VALUE) {
      throw Safetensors.tooLarge(
          file,
          "an ONNX file may have at most %d bytes, found %d"
              .formatted(Integer.MAX_VALUE, model.size()));
    }
    WholeFile.write(file, model::writeTo);
  }

  private static Protobuf model(Committee network, Input input, boolean softmax, String version) {
    MlpShape shape = network.shape();
    var model = new Protobuf();
    model
        .add(1, IR_VERSION)
        .add(2, "mlp-cuda")
        .add(3, version)
        .add(
            6,
            "%s %s, %s; input: %s; scaled inside: %s"
                .formatted(
                    network.size() == 1
                        ? "Multilayer perceptron"
                        : "Mean of %d multilayer perceptrons".formatted(network.size()),
                    shape,
                    shape.hidden().label(),
                    inputs(network.form(), input),
                    scaling(network)))
        .add(7, new Onnx().graph(network, input, softmax))
        .add(8, new Protobuf().add(1, "").add(2, OPSET)); // "" is the domain of ONNX itself
    properties(network).forEach((key, value) -> model.add(14, property(key, value)));
    return model;
  }

  private static String inputs(ExampleForm form, Input input) {
    if (form instanceof ImageForm images) {
      return "%s pixels in rows, %s"
          .formatted(images.layout(), input == Input.BYTES ? "0 to 255" : "0 to 1");
    }
    return form.layout() + " of numbers";
  }

  private static String scaling(Committee network) {
    return network.form() instanceof ImageForm images
        ? "%s, mean %s, std %s"
            .formatted(images.scaling().name(), images.scaling().mean(), images.scaling().std())
        : network.form().scaling().name();
  }

  /** The metadata_props of the model: the entries of a model file that an ONNX file lacks. */
  private static Map<String, String> properties(Committee network) {
    var metadata = new LinkedHashMap<String, String>();
    FormMetadata.put(metadata, network.form(), network.shape().classes());
    metadata.keySet().retainAll(FormMetadata.PROPERTIES);
    return metadata;
  }

  /** Makes a StringStringEntryProto of a model's metadata_props. */
  private static Protobuf property(String key, String value) {
    return new Protobuf().add(1, key).add(2, value);
  }

  /** Makes a GraphProto; its nodes must be in an order in which they can be computed. */
  private Protobuf graph(Committee network, Input input, boolean softmax) {
    MlpShape shape = network.shape();
    String x =
        network.form() instanceof ImageForm images
            ? scaledPixels(images.scaling(), input, shape.inputs())
            : scaledColumns(((NumberForm) network.form()).scaling());
    if (network.size() == 1) {
      layers(x, shape, "", "logits");
      if (softmax) {
        softmax("logits", "softmax", "probabilities");
      }
    } else {
      mean(x, network);
    }
    graph.add(2, "mlp");
    for (int m = 0; m < network.size(); m++) {
      weights(network.members().get(m), network.size() == 1 ? "" : Committee.prefix(m));
    }
    if (scaledTanh) {
      graph.add(5, tensor(SLOPE, List.of(), new float[] {Activation.LECUN_SLOPE}));
      graph.add(5, tensor(SCALE, List.of(), new float[] {Activation.LECUN_SCALE}));
    }
    graph.add(12, value("logits", FLOAT, shape.classes()));
    if (softmax) {
      graph.add(12, value("probabilities", FLOAT, shape.classes()));
    }
    return graph;
  }

  /**
   * Adds the nodes of a committee: a branch for each member, the mean of their probabilities, and
   * its logarithm, which takes the place of the logits.
   */
  private void mean(String x, Committee committee) {
    var probabilities = new ArrayList<String>();
    for (int m = 0; m < committee.size(); m++) {
      String prefix = Committee.prefix(m);
      String logits = layers(x, committee.shape(), prefix, prefix + "logits");
      probabilities.add(softmax(logits, prefix + "softmax", prefix + "probabilities"));
    }
    String mean = node("Mean", "mean", probabilities, "probabilities");
    node("Log", "log", List.of(mean), "logits");
  }

  private String softmax(String logits, String name, String output) {
    return node("Softmax", name, List.of(logits), output, attribute("axis", 1));
  }

  private void weights(ModelFile network, String prefix) {
    List<Parameters.Tensor> places = Parameters.tensors(network.shape());
    for (int t = 0; t < places.size(); t++) {
      Parameters.Tensor place = places.get(t);
      graph.add(5, tensor(prefix + place.name(), place.shape(), network.weights().get(t)));
    }
  }

  /** Adds the nodes of a network's layers, and returns the name of the result. */
  private String layers(String x, MlpShape shape, String prefix, String logits) {
    for (int l = 0; l < shape.layers(); l++) {
      String layer = prefix + "layers." + l;
      String y = l == shape.layers() - 1 ? logits : layer + ".output";
      Activation activation = shape.activation(l);
      String z = activation == Activation.NONE ? y : layer + ".linear";
      x =
          node(
              "Gemm",
              layer + ".gemm",
              List.of(x, layer + ".weight", layer + ".bias"),
              z,
              attribute("transB", 1)); // weights are (O, I)
      if (activation != Activation.NONE) {
        x = activated(activation, layer, z, y);
      }
    }
    return x;
  }

  /**
   * Adds the input {@code pixels} and the nodes of its scaling, and returns the name of the result.
   */
  private String scaledPixels(PixelScaling scaling, Input input, int I) {
    String x = "pixels";
    // The factor and the summand of the trainer's scaling, converted if the pixels are 0 to 1.
    float scale = scaling.scale();
    if (input == Input.BYTES) {
      x = node("Cast", "pixels.cast", List.of(x), "pixels.float", attribute("to", FLOAT));
    } else {
      scale = (float) (1 / scaling.std());
    }
    x = node("Mul", "scaling.mul", List.of(x, "scaling.scale"), "scaling.product");
    x = node("Add", "scaling.add", List.of(x, "scaling.shift"), "scaling.output");
    graph.add(5, tensor("scaling.scale", List.of(), new float[] {scale}));
    graph.add(5, tensor("scaling.shift", List.of(), new float[] {scaling.shift()}));
    graph.add(11, value("pixels", input == Input.BYTES ? UINT8 : FLOAT, I));
    return x;
  }

  /**
   * Adds the input {@code features} and the nodes of its scaling, and returns the name of the
   * result.
   */
  private String scaledColumns(ColumnScaling scaling) {
    int I = scaling.centre().length;
    String x =
        node("Sub", "scaling.sub", List.of("features", "scaling.centre"), "scaling.difference");
    x = node("Mul", "scaling.mul", List.of(x, "scaling.factor"), "scaling.output");
    graph.add(5, tensor("scaling.centre", List.of(I), scaling.centre()));
    graph.add(5, tensor("scaling.factor", List.of(I), scaling.factor()));
    graph.add(11, value("features", FLOAT, I));
    return x;
  }

  /** Adds the nodes of an activation of {@code z}, and returns the name of their result. */
  private String activated(Activation activation, String layer, String z, String y) {
    String name = layer + ".activation";
    if (activation != Activation.LECUN_TANH) {
      return node(operator(activation), name, List.of(z), y);
    }
    scaledTanh = true;
    String x = node("Mul", name + ".slope", List.of(z, SLOPE), layer + ".scaled");
    x = node(operator(activation), name, List.of(x), layer + ".tanh");
    return node("Mul", name + ".scale", List.of(x, SCALE), y);
  }

  private static String operator(Activation activation) {
    return switch (activation) {
      case RELU -> "Relu";
      case SIGMOID -> "Sigmoid";
      case TANH, LECUN_TANH -> "Tanh";
      case NONE -> throw new IllegalArgumentException("no operator is needed");
    };
  }

  /** Adds a NodeProto, and returns the name of its output. */
  private String node(
      String operator, String name, List<String> inputs, String output, Protobuf... attributes) {
    var node = new Protobuf();
    inputs.forEach(input -> node.add(1, input));
    node.add(2, output).add(3, name).add(4, operator);
    for (Protobuf attribute : attributes) {
      node.add(5, attribute);
    }
    graph.add(1, node);
    return output;
  }

  /** Makes an AttributeProto. */
  private static Protobuf attribute(String name, int value) {
    return new Protobuf().add(1, name).add(3, value).add(20, INT_ATTRIBUTE);
  }

  /** Makes a TensorProto. */
  private static Protobuf tensor(String name, List<Integer> shape, float[] values) {
    var tensor = new Protobuf();
    shape.forEach(dimension -> tensor.add(1, dimension));
    return tensor.add(2, FLOAT).add(8, name).add(9, values);
  }

  /** Makes a ValueInfoProto of shape (batch, {@code width}). */
  private static Protobuf value(String name, int type, int width) {
    Protobuf batch = new Protobuf().add(2, "batch");
    Protobuf columns = new Protobuf().add(1, width);
    Protobuf shape = new Protobuf().add(1, batch).add(1, columns);
    Protobuf tensor = new Protobuf().add(1, type).add(2, shape);
    return new Protobuf().add(1, name).add(2, new Protobuf().add(1, tensor));
  }
}
