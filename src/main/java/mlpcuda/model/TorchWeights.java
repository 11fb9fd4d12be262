package mlpcuda.model;

import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.model.Safetensors.Tensor;

/**
 * The weights of a perceptron that {@code safetensors.torch.save_file(model.state_dict(), file)}
 * saved: for each {@code torch.nn.Linear} a tensor {@code <name>.weight} (O, I) and a tensor {@code
 * <name>.bias} (O), which is missing with {@code bias=False}.
 *
 * <p>The file does not tell the order of the layers, because save_file sorts the tensors by name.
 * The order is found by two rules: each layer has as many inputs as the layer before has outputs,
 * and numbers in names rise, as in {@code 0, 2, 10} or {@code fc1, fc2}. A file for which no order
 * or more than one order follows the rules is refused.
 *
 * <p>Source: bindings/python/py_src/safetensors/torch.py and safetensors/src/tensor.rs of
 * github.com/huggingface/safetensors.
 *
 * @param layers the layers in the network's order
 */
public record TorchWeights(List<Layer> layers) {
  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";
  private static final Pattern DIGITS = Pattern.compile("[0-9]+");

  // The search is short for any real network; the limits stop the search in a file that was made to
  // be hard.
  private static final int MAX_LAYERS = 1000;
  private static final int MAX_TRIES = 100_000;

  /**
   * A linear layer of the file.
   *
   * @param name the layer's name in the file, {@code layers.0} for example; empty for a module
   *     alone
   * @param O the number of the layer's outputs
   * @param I the number of the layer's inputs
   * @param weight the weights (O, I)
   * @param bias the biases (O); zeros if the file has no bias for the layer
   * @param hasBias whether the file has a bias
   */
  public record Layer(String name, int O, int I, float[] weight, float[] bias, boolean hasBias) {}

  /**
   * Reads the weights of a file.
   *
   * @throws BadFileException if the file is malformed, holds anything but the float32 weights of
   *     linear layers, or allows no order or several orders of the layers
   */
  public static TorchWeights read(Path path) {
    Safetensors.Contents contents = Safetensors.read(path);
    Path file = InputFile.forMessages(path);
    if (contents.metadata().containsKey("architecture")) {
      throw new BadFileException(
          file + ": this is a model file of mlp-cuda already, and needs no import");
    }
    if (!contents.texts().isEmpty()) {
      throw new BadFileException(
          "%s: only the float32 weights of linear layers can be imported, found %s"
              .formatted(file, Excerpt.ofNames(contents.texts().keySet())));
    }
    return new TorchWeights(List.copyOf(new Search(file, layers(file, contents)).order()));
  }

  /**
   * Returns the number of the network's inputs, followed by the number of outputs of each layer.
   */
  public List<Integer> sizes() {
    var sizes = new ArrayList<Integer>();
    sizes.add(layers.get(0).I);
    layers.forEach(layer -> sizes.add(layer.O));
    return sizes;
  }

  /** Returns the weights and biases in the order of {@link mlpcuda.net.Parameters#tensors}. */
  public List<float[]> weights() {
    var weights = new ArrayList<float[]>();
    layers.forEach(layer -> weights.addAll(List.of(layer.weight, layer.bias)));
    return weights;
  }

  private static List<Layer> layers(Path file, Safetensors.Contents contents) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    Map<String, Tensor> biases = new LinkedHashMap<>();
    for (Tensor tensor : contents.tensors().values()) {
      String last = tensor.name().substring(tensor.name().lastIndexOf('.') + 1);
      if (last.equals(WEIGHT) && tensor.shape().length == 2) {
        weights.put(nameOf(tensor), tensor);
      } else if (last.equals(BIAS) && tensor.shape().length == 1) {
        biases.put(nameOf(tensor), tensor);
      } else {
        throw new BadFileException(
            "%s: tensors must be linear layers' <name>.weight (O, I) or <name>.bias (O), found %s %s"
                .formatted(file, Excerpt.of(tensor.name()), Arrays.toString(tensor.shape())));
      }
      checkFinite(file, tensor);
    }
    Set<String> alone = new LinkedHashSet<>(biases.keySet());
    alone.removeAll(weights.keySet());
    if (weights.isEmpty() || !alone.isEmpty()) {
      throw new BadFileException(
          alone.isEmpty()
              ? file + ": no layer has a weight (O, I)"
              : "%s: each layer must have a weight (O, I), but there is none for %s"
                  .formatted(file, Excerpt.ofNames(alone)));
    }
    if (weights.size() > MAX_LAYERS) {
      throw new BadFileException(
          "%s: at most %d layers can be imported, found %d"
              .formatted(file, MAX_LAYERS, weights.size()));
    }
    var layers = new ArrayList<Layer>();
    weights.forEach(
        (name, weight) -> {
          int O = weight.shape()[0];
          int I = weight.shape()[1];
          if (O == 0 || I == 0) {
            throw new BadFileException(
                "%s: %s must not be empty, found %s"
                    .formatted(file, Excerpt.of(weight.name()), Arrays.toString(weight.shape())));
          }
          Tensor bias = biases.get(name);
          if (bias != null && bias.values().length != O) {
            throw new BadFileException(
                "%s: %s must have its weight's %d outputs, found %d"
                    .formatted(file, Excerpt.of(bias.name()), O, bias.values().length));
          }
          float[] values = bias == null ? new float[O] : bias.values();
          layers.add(new Layer(name, O, I, weight.values(), values, bias != null));
        });
    return layers;
  }

  private static String nameOf(Tensor tensor) {
    return tensor.name().substring(0, Math.max(0, tensor.name().lastIndexOf('.')));
  }

  private static void checkFinite(Path file, Tensor tensor) {
    for (float value : tensor.values()) {
      if (!Float.isFinite(value)) {
        throw new BadFileException(
            "%s: %s must hold finite numbers, found %s"
                .formatted(file, Excerpt.of(tensor.name()), value));
      }
    }
  }

  /** Searches for the order of layers, and stops at the second order that it finds. */
  private static final class Search {
    private final Path file;
    private final List<Layer> layers;
    private final Map<String, Deque<Layer>> kinds =
        new TreeMap<>(); // layers whose names differ in numbers alone, by rising numbers
    private final List<Layer> taken = new ArrayList<>();
    private List<Layer> found;
    private boolean several;
    private int tries;

    Search(Path file, List<Layer> layers) {
      this.file = file;
      this.layers = layers;
      layers.stream()
          .sorted(Comparator.comparing(layer -> numbers(layer.name()), Arrays::compare))
          .forEach(
              layer ->
                  kinds
                      .computeIfAbsent(
                          DIGITS.matcher(layer.name()).replaceAll("0"), kind -> new ArrayDeque<>())
                      .add(layer));
    }

    List<Layer> order() {
      search();
      if (several || tries > MAX_TRIES || found == null) {
        throw new BadFileException(
            "%s: layers must have one order in which shapes chain and numbers in names rise,"
                    .formatted(file)
                + " found %s for %s"
                    .formatted(
                        several ? "several" : tries > MAX_TRIES ? "too many to try" : "none",
                        shown()));
      }
      return found;
    }

    private void search() {
      if (several || tries++ > MAX_TRIES) {
        return;
      }
      if (taken.size() == layers.size()) {
        several = found != null;
        found = List.copyOf(taken);
        return;
      }
      for (Deque<Layer> kind : kinds.values()) {
        Layer next = kind.peekFirst();
        if (next != null && (taken.isEmpty() || next.I == taken.get(taken.size() - 1).O)) {
          taken.add(kind.removeFirst());
          search();
          kind.addFirst(taken.remove(taken.size() - 1));
        }
      }
    }

    private String shown() {
      Set<String> names = new LinkedHashSet<>();
      layers.forEach(layer -> names.add("%s (%d, %d)".formatted(layer.name(), layer.O, layer.I)));
      return Excerpt.ofNames(names);
    }

    private static BigInteger[] numbers(String name) {
      return DIGITS
          .matcher(name)
          .results()
          .map(number -> new BigInteger(number.group()))
          .toArray(BigInteger[]::new);
    }
  }
}
