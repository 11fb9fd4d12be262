package mlpcuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;

/**
 * A multilayer perceptron: its layers and, once it is trained, its weights, the scaling of its
 * inputs, the way in which pictures are prepared for it, and the names of its classes. It is an
 * immutable value.
 */
public final class Network {
  private final MlpShape shape;
  private final Optional<Committee> trained;

  private Network(MlpShape shape, Optional<Committee> trained) {
    this.shape = shape;
    this.trained = trained;
  }

  /** A trained network. */
  static Network of(Committee file) {
    return new Network(file.shape(), Optional.of(file));
  }

  /**
   * A network whose hidden layers have the activation ReLU; it has no weights yet.
   *
   * @param sizes the widths of the inputs, of each hidden layer and of the output
   * @throws IllegalArgumentException if there are fewer than two widths, or one is below 1
   */
  public static Network relu(int... sizes) {
    return untrained(Activation.RELU, sizes);
  }

  /** A network whose hidden layers have the activation tanh: see {@link #relu}. */
  public static Network tanh(int... sizes) {
    return untrained(Activation.TANH, sizes);
  }

  /**
   * A network whose hidden layers have the activation 1.7159 tanh(2z/3) of LeCun and others: see
   * {@link #relu}.
   */
  public static Network lecunTanh(int... sizes) {
    return untrained(Activation.LECUN_TANH, sizes);
  }

  /** A network whose hidden layers have the logistic sigmoid as activation: see {@link #relu}. */
  public static Network sigmoid(int... sizes) {
    return untrained(Activation.SIGMOID, sizes);
  }

  private static Network untrained(Activation hidden, int... sizes) {
    List<Integer> widths = Arrays.stream(sizes).boxed().toList();
    return new Network(new MlpShape(widths, hidden, Activation.NONE), Optional.empty());
  }

  /**
   * Reads a network from a model file or from a run's checkpoint; from a committee's model file the
   * committee.
   *
   * @throws mlpcuda.error.BadFileException if the file is missing, malformed or damaged
   */
  public static Network load(Path file) {
    return of(Committee.read(file));
  }

  /**
   * Writes the network as a safetensors file, which appears whole or not at all.
   *
   * @throws IllegalStateException if the network has no weights
   * @throws java.io.UncheckedIOException if the file cannot be written
   */
  public void save(Path file) {
    trained().write(file);
  }

  /**
   * Puts the network on a device, to be asked there; the caller closes the model.
   *
   * @throws IllegalStateException if the network has no weights
   * @throws mlpcuda.error.BadFileException if the device lacks memory for it
   */
  public Model on(Device device) {
    return new Model(this, device);
  }

  /** Whether the network has weights. */
  public boolean isTrained() {
    return trained.isPresent();
  }

  /** The number of inputs: the pixels of an image. */
  public int inputs() {
    return shape.inputs();
  }

  /** The number of classes. */
  public int classes() {
    return shape.classes();
  }

  /** The widths of the inputs, of each hidden layer and of the output. */
  public List<Integer> sizes() {
    return shape.sizes();
  }

  /** The activation of the hidden layers: {@code relu}, {@code sigmoid}, {@code tanh} and so on. */
  public String activation() {
    return shape.hidden().label();
  }

  /** The number of weights and biases; of a committee that of one member. */
  public long parameters() {
    return shape.parameters();
  }

  /**
   * The height and width of images in pixels, (2), if the network takes grey images of bytes; else
   * empty.
   *
   * @throws IllegalStateException if the network has no weights
   */
  public Optional<int[]> imageShape() {
    return form() instanceof ImageForm images && images.layout().channels() == 1
        ? Optional.of(new int[] {images.layout().rows(), images.layout().cols()})
        : Optional.empty();
  }

  /** The names of the classes, in the order of the outputs. */
  public List<String> labels() {
    return trained
        .map(file -> file.form().names(classes()))
        .orElseGet(() -> LabelledData.numbers(classes()));
  }

  /**
   * The members of a committee, whose probabilities are averaged; otherwise the network alone.
   *
   * @throws IllegalStateException if the network has no weights
   */
  public List<Network> members() {
    return trained().members().stream().map(member -> of(Committee.of(member))).toList();
  }

  /**
   * Copies of the weights: for each layer its matrix (outputs, inputs), row by row, and its biases
   * (outputs), as {@code torch.nn.Linear} has them.
   *
   * @throws IllegalStateException if the network has no weights, or is a committee, whose {@link
   *     #members} have them
   */
  public List<float[]> weights() {
    return single().weights().stream().map(float[]::clone).toList();
  }

  /**
   * A network with those weights, which takes rows of numbers as they are.
   *
   * @param weights for each layer its matrix (outputs, inputs), row by row, and its biases, as
   *     {@link #weights} returns them
   * @throws IllegalArgumentException if there are not as many finite numbers as the layers need
   */
  public Network withWeights(List<float[]> weights) {
    List<Parameters.Tensor> tensors = Parameters.tensors(shape);
    if (weights.size() != tensors.size()) {
      throw new IllegalArgumentException(
          "a network of %d layers has %d tensors, found %d"
              .formatted(shape.layers(), tensors.size(), weights.size()));
    }
    var copies = new ArrayList<float[]>();
    for (int t = 0; t < tensors.size(); t++) {
      float[] tensor = weights.get(t).clone();
      if (tensor.length != tensors.get(t).length()) {
        throw new IllegalArgumentException(
            "%s must have %d numbers, found %d"
                .formatted(tensors.get(t).name(), tensors.get(t).length(), tensor.length));
      }
      for (float weight : tensor) {
        if (!Float.isFinite(weight)) {
          throw new IllegalArgumentException(
              "weights must be finite, found %s in %s".formatted(weight, tensors.get(t).name()));
        }
      }
      copies.add(tensor);
    }
    int I = shape.inputs();
    var form = new NumberForm(Layout.Columns.numbered(I), ColumnScaling.none(I), List.of());
    return of(Committee.of(new ModelFile(shape, form, copies)));
  }

  /**
   * A committee, whose members' probabilities are averaged.
   *
   * @param members trained networks of one shape that take the same examples
   * @throws IllegalArgumentException if there are no members, or they differ in what they take
   * @throws IllegalStateException if a member has no weights, or is a committee itself
   */
  public static Network committee(List<Network> members) {
    return of(new Committee(members.stream().map(Network::single).toList()));
  }

  /**
   * The weights of a network that takes features as they are and gives the same answers: the
   * scaling of the inputs is part of the first layer. In exact arithmetic the answers are equal.
   *
   * @return for each layer its matrix (outputs, inputs), row by row, and its biases (outputs)
   * @throws IllegalStateException if the network has no weights, or is a committee
   */
  public List<double[]> unscaledWeights() {
    var tensors = new ArrayList<double[]>();
    for (float[] tensor : single().weights()) {
      double[] values = new double[tensor.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = tensor[i];
      }
      tensors.add(values);
    }
    int I = shape.inputs();
    double[] factor = new double[I]; // an input is (feature - centre) * factor
    double[] centre = new double[I];
    Scaling scaling = form().scaling();
    for (int i = 0; i < I; i++) {
      if (scaling instanceof ColumnScaling columns) {
        factor[i] = columns.factor()[i];
        centre[i] = columns.centre()[i];
      } else {
        var pixels = (PixelScaling) scaling;
        factor[i] = 1 / (255 * pixels.std());
        centre[i] = 255 * pixels.mean();
      }
    }
    double[] w = tensors.get(0); // (O, I)
    double[] b = tensors.get(1); // (O)
    for (int o = 0; o < b.length; o++) {
      for (int i = 0; i < I; i++) {
        w[o * I + i] *= factor[i];
        b[o] -= w[o * I + i] * centre[i];
      }
    }
    return tensors;
  }

  /** The widths and the number of parameters. */
  @Override
  public String toString() {
    int members = trained.map(Committee::size).orElse(1);
    return members == 1
        ? "%s, %d parameters".formatted(shape, shape.parameters())
        : "%d networks %s, %d parameters each".formatted(members, shape, shape.parameters());
  }

  MlpShape shape() {
    return shape;
  }

  ExampleForm form() {
    return trained().form();
  }

  /** The one network with its weights, or IllegalStateException. */
  ModelFile single() {
    if (trained().size() > 1) {
      throw new IllegalStateException(
          "a committee has no weights of its own, but its %d members have"
              .formatted(trained().size()));
    }
    return trained().members().get(0);
  }

  /** The network with its weights, or IllegalStateException. */
  Committee trained() {
    return trained.orElseThrow(
        () ->
            new IllegalStateException(
                "the network %s has no weights: train it first".formatted(shape)));
  }
}
