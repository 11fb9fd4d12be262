package mlpcuda.compute.cpu;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.InputOrder;
import mlpcuda.compute.Ops;

/** A UINT8 buffer in the Java heap, which no operation writes. */
final class Bytes extends Buffer {
  byte[] array; // null once released
  final int offset;

  /** The number of the pixel that is wanted at each place of an image; null: the natural order. */
  final int[] order;

  /** The background of these images; null: they have none. */
  final Background background;

  Bytes(Ops ops, String name, byte[] array) {
    this(ops, name, array, InputOrder.natural(array.length));
  }

  /** A buffer of images in {@code order}; the array has their pixels in the natural order. */
  Bytes(Ops ops, String name, byte[] array, InputOrder order) {
    super(ops, name, Type.UINT8, array.length);
    this.array = array;
    this.offset = 0;
    this.order = order.pixels();
    this.background = Background.of(array, order);
  }

  private Bytes(Bytes of, String name, int from, int length) {
    super(of, name, length);
    this.array = of.array;
    this.offset = of.offset + from;
    this.order = null;
    this.background = null;
  }

  int at(int i) {
    return Byte.toUnsignedInt(array[offset + i]);
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    if (order != null) {
      throw new IllegalStateException("images in an order have no slices: " + this);
    }
    return new Bytes(this, name, from, length);
  }

  @Override
  protected void release() {
    array = null;
  }
}
