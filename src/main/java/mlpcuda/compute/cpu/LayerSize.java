package mlpcuda.compute.cpu;

/**
 * The sizes of a layer's products.
 *
 * @param B the examples of the batch
 * @param I the inputs of the layer
 * @param O the outputs of the layer
 */
record LayerSize(int B, int I, int O) {
  /** The number of inputs of the batch. */
  int inputs() {
    return B * I;
  }

  /** The number of outputs of the batch. */
  int outputs() {
    return B * O;
  }

  /** The number of weights. */
  int weights() {
    return O * I;
  }
}
