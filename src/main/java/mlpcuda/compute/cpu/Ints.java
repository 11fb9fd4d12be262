package mlpcuda.compute.cpu;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;

/** An INT32 buffer in the Java heap. */
final class Ints extends Buffer {
  int[] array; // null once released
  final int offset;

  Ints(Ops ops, String name, int length) {
    super(ops, name, Type.INT32, length);
    this.array = new int[length];
    this.offset = 0;
  }

  private Ints(Ints of, String name, int from, int length) {
    super(of, name, length);
    this.array = of.array;
    this.offset = of.offset + from;
  }

  int at(int i) {
    return array[offset + i];
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    return new Ints(this, name, from, length);
  }

  @Override
  protected void release() {
    array = null;
  }
}
