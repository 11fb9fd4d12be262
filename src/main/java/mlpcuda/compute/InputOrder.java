package mlpcuda.compute;

/**
 * The order in which a device wants the pixels of an image, and with them the columns of the first
 * layer's weights: a network is the same in every order of its inputs. See {@link
 * Ops#inputOrder(byte[], int)}.
 */
public final class InputOrder {
  private final int[] pixels; // the number of the pixel at each place; null: the natural order
  private final int inputs;
  private final int multiplied;

  private InputOrder(int[] pixels, int inputs, int multiplied) {
    this.pixels = pixels;
    this.inputs = inputs;
    this.multiplied = multiplied;
  }

  /** The natural order: pixels stay as they are, and each of them is multiplied. */
  public static InputOrder natural(int inputs) {
    return new InputOrder(null, inputs, inputs);
  }

  /**
   * An order other than the natural one.
   *
   * @param pixels the number of the pixel at each place: each number once
   * @param multiplied see {@link #multiplied}; at least 1
   */
  public static InputOrder of(int[] pixels, int multiplied) {
    if (multiplied < 1 || multiplied > pixels.length) {
      throw new IllegalArgumentException(
          "from 1 to %d inputs must be multiplied, found %d".formatted(pixels.length, multiplied));
    }
    return new InputOrder(pixels.clone(), pixels.length, multiplied);
  }

  /** Inputs of the network, I. */
  public int inputs() {
    return inputs;
  }

  /** The number of the pixel at each place; null: pixels are as they are. */
  public int[] pixels() {
    return pixels == null ? null : pixels.clone();
  }

  /** The number of inputs, from the first on, that the device multiplies by weights one by one. */
  public int multiplied() {
    return multiplied;
  }

  /**
   * Puts the pixels of images into this order.
   *
   * @param images (N, I), in the natural order of pixels
   * @return (N, I); {@code images} itself where pixels stay as they are
   */
  public byte[] images(byte[] images) {
    if (pixels == null) {
      return images;
    }
    byte[] ordered = new byte[images.length];
    for (int at = 0; at < images.length; at += inputs) {
      for (int i = 0; i < inputs; i++) {
        ordered[at + i] = images[at + pixels[i]];
      }
    }
    return ordered;
  }

  /**
   * Copies the rows of a matrix from the natural order of its columns to this one.
   *
   * @param from (O, I)
   * @param to holds (O, I) from its element {@code at} on
   */
  public void toDevice(float[] from, float[] to, int at) {
    for (int row = 0; row < from.length; row += inputs) {
      for (int i = 0; i < inputs; i++) {
        to[at + row + i] = from[row + pixel(i)];
      }
    }
  }

  /**
   * Copies the rows of a matrix from this order of its columns back to the natural one.
   *
   * @param from holds (O, I) from its element {@code at} on
   * @param to (O, I)
   */
  public void fromDevice(float[] from, int at, float[] to) {
    for (int row = 0; row < to.length; row += inputs) {
      for (int i = 0; i < inputs; i++) {
        to[row + pixel(i)] = from[at + row + i];
      }
    }
  }

  private int pixel(int place) {
    return pixels == null ? place : pixels[place];
  }
}
