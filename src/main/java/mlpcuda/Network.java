package mlpcuda;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.data.LabelledData;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ExampleForm;

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
