package mlpcuda.compute.cpu;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;

/** A UINT8 buffer in the Java heap. */
final class Bytes extends Buffer {
  byte[] array; // null once released
  final int offset;

  Bytes(Ops ops, String name, byte[] array) {
    super(ops, name, Type.UINT8, array.length);
    this.array = array;
    this.offset = 0;
  }

  private Bytes(Bytes of, String name, int from, int length) {
    super(of, name, length);
    this.array = of.array;
    this.offset = of.offset + from;
  }

  int at(int i) {
    return Byte.toUnsignedInt(array[offset + i]);
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    return new Bytes(this, name, from, length);
  }

  @Override
  protected void release() {
    array = null;
  }
}
