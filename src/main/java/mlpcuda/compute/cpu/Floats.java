package mlpcuda.compute.cpu;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Ops;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A FLOAT32 buffer outside the Java heap, where OpenBLAS can read it without a copy. Java loops go
 * through heap blocks ({@link #get}, {@link #put}): the JIT compilers vectorise loops over arrays
 * and none over direct buffers, and a block that fits the first cache is copied for next to
 * nothing.
 */
final class Floats extends Buffer {
  private static final int ALIGNMENT = 64; // bytes: a cache line, and AVX-512's width

  /** As many as a direct buffer's view can reach. */
  static final int MAX_LENGTH = (Integer.MAX_VALUE - 2 * ALIGNMENT) / Float.BYTES;

  private final FloatPointer allocation; // null in a slice
  private final long address; // of the allocation
  private final FloatBuffer elements;
  private final IntBuffer bits; // of the same memory
  private final int offset;

  Floats(Ops ops, String name, int length) {
    super(ops, name, Type.FLOAT32, length);
    allocation = new FloatPointer(length + (long) ALIGNMENT / Float.BYTES);
    allocation.zero();
    elements = allocation.asBuffer();
    bits = new IntPointer(allocation).asBuffer();
    address = allocation.address();
    offset = (int) (-address & (ALIGNMENT - 1)) / Float.BYTES;
  }

  private Floats(Floats of, String name, int from, int length) {
    super(of, name, length);
    allocation = null;
    elements = of.elements;
    bits = of.bits;
    address = of.address;
    offset = of.offset + from;
  }

  /** The address of element {@code i}, for OpenBLAS. */
  FloatPointer at(int i) {
    return new Address(address + (long) Float.BYTES * (offset + i));
  }

  /** A bare address: a pointer made of another pointer would drag a phantom reference along. */
  private static final class Address extends FloatPointer {
    Address(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  /** Copies the {@code n} elements from {@code from} on to the start of {@code block}. */
  void get(int from, float[] block, int n) {
    elements.get(offset + from, block, 0, n);
  }

  /** Copies the first {@code n} values of {@code block} to the elements from {@code from} on. */
  void put(int from, float[] block, int n) {
    elements.put(offset + from, block, 0, n);
  }

  /** {@link #get(int, float[], int)}, as the bits of the floats. */
  void get(int from, int[] block, int n) {
    bits.get(offset + from, block, 0, n);
  }

  /** {@link #put(int, float[], int)}, from the bits of floats. */
  void put(int from, int[] block, int n) {
    bits.put(offset + from, block, 0, n);
  }

  @Override
  protected Buffer sliceK(String name, int from, int length) {
    return new Floats(this, name, from, length);
  }

  @Override
  protected void release() {
    allocation.deallocate();
  }
}
