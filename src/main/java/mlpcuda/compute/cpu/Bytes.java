package mlpcuda.compute.cpu;

import java.util.Optional;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;

/** A UINT8 buffer in the Java heap, which no operation writes once it is filled. */
final class Bytes extends Buffer {
  byte[] array; // null once released
  final int offset;

  private InputOrder order; // the order in which the pixels of an image are wanted
  private Optional<Background> background = Optional.empty();

  Bytes(Ops ops, String name, byte[] array) {
    super(ops, name, Type.UINT8, array.length);
    this.array = array;
    this.offset = 0;
    this.order = InputOrder.natural(array.length);
  }

  private Bytes(Bytes of, String name, int from, int length) {
    super(of, name, length);
    this.array = of.array;
    this.offset = of.offset + from;
    this.order = InputOrder.natural(length);
  }

  /** Makes these bytes images whose pixels are wanted in that order; where they lie, they stay. */
  void arrange(InputOrder order) {
    this.order = order;
    this.background = Background.of(array, order);
  }

  /** The order in which the pixels of an image are wanted. */
  InputOrder order() {
    return order;
  }

  /** The background of these images; empty: they have none. */
  Optional<Background> background() {
    return background;
  }

  /** Copies bytes to the start of this buffer. */
  void write(byte[] values) {
    System.arraycopy(values, 0, array, offset, values.length);
  }

  /** Copies the {@code n} bytes from {@code from} on to the start of {@code block}, as floats. */
  void get(int from, float[] block, int n) {
    for (int i = 0; i < n; i++) {
      block[i] = at(from + i);
    }
  }

  int at(int i) {
    return Byte.toUnsignedInt(array[offset + i]);
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    if (!order.isNatural()) {
      throw new IllegalStateException("images in an order have no slices: " + this);
    }
    return new Bytes(this, name, from, length);
  }

  @Override
  protected void release() {
    array = null;
  }
}
