package mlpcuda.compute.cpu;

import java.util.Arrays;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;

/** A FLOAT32 or INT32 buffer of {@link ReferenceOps}, whose elements are kept as doubles. */
final class Doubles extends Buffer {
  private final double[] array;
  private final int offset;

  Doubles(Ops ops, String name, Type type, int length) {
    super(ops, name, type, length);
    array = new double[length];
    offset = 0;
  }

  private Doubles(Doubles of, String name, int from, int length) {
    super(of, name, length);
    array = of.array;
    offset = of.offset + from;
  }

  double at(int i) {
    return array[offset + i];
  }

  void put(int i, double value) {
    array[offset + i] = value;
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    return new Doubles(this, name, from, length);
  }

  @Override
  protected void release() {
    Arrays.fill(array, Double.NaN);
  }
}
