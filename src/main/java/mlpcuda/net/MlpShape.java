package mlpcuda.net;

import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import mlpcuda.compute.Activation;

/**
 * The shape of a multilayer perceptron: all that it is made of but its weights.
 *
 * @param sizes width of the input, of each hidden layer, of the output: 784, 128, 64, 10
 * @param hidden activation of the hidden layers
 * @param output activation of the output layer: NONE, or RELU by choice
 */
public record MlpShape(List<Integer> sizes, Activation hidden, Activation output) {
  /** Checks that there are an input and an output and that no width is below 1. */
  public MlpShape {
    sizes = List.copyOf(sizes);
    if (sizes.size() < 2) {
      throw new IllegalArgumentException(
          "a network needs the sizes of its input and its output, found " + sizes);
    }
    for (int size : sizes) {
      if (size < 1) {
        throw new IllegalArgumentException(
            "the width of a layer must be at least 1, found " + size + " in " + sizes);
      }
    }
    long floats = 0;
    for (int layer = 0; layer + 1 < sizes.size(); layer++) {
      floats += (sizes.get(layer) + 1L) * sizes.get(layer + 1) + 2 * Parameters.ALIGNMENT;
      // checked in the loop: a sum of several could overflow a long
      if (floats > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "a network may have at most %d parameters, found more in %s"
                .formatted(Integer.MAX_VALUE, sizes));
      }
    }
  }

  /** Number of layers with weights, L. */
  public int layers() {
    return sizes.size() - 1;
  }

  /** Width of the input of layer {@code layer}. */
  public int inputs(int layer) {
    return sizes.get(layer);
  }

  /** Width of the output of layer {@code layer}. */
  public int outputs(int layer) {
    return sizes.get(layer + 1);
  }

  /** Width of the network's input. */
  public int inputs() {
    return sizes.get(0);
  }

  /** Width of the network's output: its classes. */
  public int classes() {
    return sizes.get(layers());
  }

  /** The number of outputs of the widest layer. */
  public int widestOutput() {
    return Collections.max(sizes.subList(1, sizes.size()));
  }

  /** The activation that follows the affine map of layer {@code layer}. */
  public Activation activation(int layer) {
    return layer == layers() - 1 ? output : hidden;
  }

  /** The number of weights and biases of layer {@code layer}. */
  public int parameters(int layer) {
    return (inputs(layer) + 1) * outputs(layer);
  }

  /** The number of weights and biases of all layers. */
  public int parameters() {
    int sum = 0;
    for (int layer = 0; layer < layers(); layer++) {
      sum += parameters(layer);
    }
    return sum;
  }

  /** The sizes in the usual short form: 784-128-64-10. */
  @Override
  public String toString() {
    return sizes.stream().map(String::valueOf).collect(Collectors.joining("-"));
  }
}
