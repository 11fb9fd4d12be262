package mlpcuda.spark;

import java.util.ArrayList;
import java.util.List;

/**
 * The order of weights in a vector of Spark's multilayer perceptron: layer by layer the matrix
 * (outputs, inputs) column by column, then the biases. Ours lies row by row.
 */
final class WeightVector {
  private WeightVector() {}

  /**
   * Writes weights in Spark's order.
   *
   * @param tensors for each layer its matrix (outputs, inputs), row by row, and its biases
   * @param to takes them from index {@code at} on
   */
  static void write(List<double[]> tensors, double[] to, int at) {
    for (int layer = 0; layer < tensors.size(); layer += 2) {
      double[] w = tensors.get(layer);
      double[] b = tensors.get(layer + 1);
      int O = b.length;
      int I = w.length / O;
      for (int i = 0; i < I; i++) {
        for (int o = 0; o < O; o++) {
          to[at++] = w[o * I + i];
        }
      }
      System.arraycopy(b, 0, to, at, O);
      at += O;
    }
  }

  /**
   * Reads weights in Spark's order.
   *
   * @param layers the widths of the inputs, of each hidden layer and of the output
   * @return for each layer its matrix (outputs, inputs), row by row, and its biases
   * @throws IllegalArgumentException if there are not as many weights as the layers need
   */
  static List<float[]> read(double[] weights, int[] layers) {
    long needed = 0;
    for (int layer = 1; layer < layers.length; layer++) {
      needed += (layers[layer - 1] + 1L) * layers[layer];
    }
    if (weights.length != needed) {
      throw new IllegalArgumentException(
          "initialWeights must have %d numbers for these layers, found %d"
              .formatted(needed, weights.length));
    }
    var tensors = new ArrayList<float[]>();
    int at = 0;
    for (int layer = 1; layer < layers.length; layer++) {
      int I = layers[layer - 1];
      int O = layers[layer];
      float[] w = new float[I * O];
      float[] b = new float[O];
      for (int i = 0; i < I; i++) {
        for (int o = 0; o < O; o++) {
          w[o * I + i] = (float) weights[at++];
        }
      }
      for (int o = 0; o < O; o++) {
        b[o] = (float) weights[at++];
      }
      tensors.add(w);
      tensors.add(b);
    }
    return tensors;
  }
}
