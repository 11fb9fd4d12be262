package mlpcuda.compute.cpu;

/**
 * An order of the inputs of a network's first layer: of the pixels of its images, and with them of
 * the columns of its weights. A network is the same in every order of its inputs; on the CPU it is
 * fastest where pixels that are nearly always 0 come last, and a product leaves them out.
 */
final class InputOrder {
  private final int[] pixels; // the number of the pixel at each place; empty: the natural order
  private final int inputs;
  private final int multiplied;

  private InputOrder(int[] pixels, int inputs, int multiplied) {
    this.pixels = pixels;
    this.inputs = inputs;
    this.multiplied = multiplied;
  }

  /** The natural order: pixels stay as they are, and each of them is multiplied. */
  static InputOrder natural(int inputs) {
    return new InputOrder(new int[0], inputs, inputs);
  }

  /**
   * An order other than the natural one.
   *
   * @param pixels the number of the pixel at each place: each number once
   * @param multiplied see {@link #multiplied}; at least 1
   */
  static InputOrder of(int[] pixels, int multiplied) {
    if (multiplied < 1 || multiplied > pixels.length) {
      throw new IllegalArgumentException(
          "from 1 to %d inputs must be multiplied, found %d".formatted(pixels.length, multiplied));
    }
    return new InputOrder(pixels.clone(), pixels.length, multiplied);
  }

  /** The number of inputs of the network, I. */
  int inputs() {
    return inputs;
  }

  boolean isNatural() {
    return pixels.length == 0;
  }

  /** The number of the pixel at each place; of no length where this is the natural order. */
  int[] pixels() {
    return pixels;
  }

  /** The number of inputs, from the first on, that a product multiplies by weights one by one. */
  int multiplied() {
    return multiplied;
  }

  /**
   * Copies a row from the natural order of its elements to this one.
   *
   * @param natural (I)
   * @param ordered (I) out
   */
  void toOrder(float[] natural, float[] ordered) {
    for (int i = 0; i < inputs; i++) {
      ordered[i] = natural[pixel(i)];
    }
  }

  /**
   * Copies a row from this order of its elements back to the natural one.
   *
   * @param ordered (I)
   * @param natural (I) out
   */
  void toNatural(float[] ordered, float[] natural) {
    for (int i = 0; i < inputs; i++) {
      natural[pixel(i)] = ordered[i];
    }
  }

  private int pixel(int place) {
    return isNatural() ? place : pixels[place];
  }
}
