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

  /** The most floats of a buffer: a direct buffer's view can reach no more. */
  static final int MAX_LENGTH = (Integer.MAX_VALUE - 2 * ALIGNMENT) / Float.BYTES;

  private final FloatPointer allocation; // null in a slice
  private final long address; // the address of the allocation
  private final FloatBuffer elements;
  private final IntBuffer bits; // a view of the same memory
  private final int offset;
  private final Floats whole; // this buffer, or the one that it is a slice of
  private Gathered gathered; // set in the whole alone: what is known of its floats, if anything,
  private int gatheredAt; // from this float on

  Floats(Ops ops, String name, int length) {
    super(ops, name, Type.FLOAT32, length);
    allocation = new FloatPointer(length + (long) ALIGNMENT / Float.BYTES);
    allocation.zero();
    elements = allocation.asBuffer();
    bits = new IntPointer(allocation).asBuffer();
    address = allocation.address();
    offset = (int) (-address & (ALIGNMENT - 1)) / Float.BYTES;
    whole = this;
  }

  private Floats(Floats of, String name, int from, int length) {
    super(of, name, length);
    allocation = null;
    elements = of.elements;
    bits = of.bits;
    address = of.address;
    offset = of.offset + from;
    whole = of.whole;
  }

  /** The address of element {@code i}, for OpenBLAS to read. */
  FloatPointer at(int i) {
    return new Address(address + (long) Float.BYTES * (offset + i));
  }

  /** The address of element {@code i}, for OpenBLAS to write. */
  FloatPointer to(int i) {
    forget();
    return at(i);
  }

  /** A bare address: a pointer made of another pointer would drag a phantom reference along. */
  static final class Address extends FloatPointer {
    Address(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  /** Element {@code i}. */
  float get(int i) {
    return elements.get(offset + i);
  }

  /** Copies the {@code n} elements from {@code from} on to the start of {@code block}. */
  void get(int from, float[] block, int n) {
    elements.get(offset + from, block, 0, n);
  }

  /** Copies {@code n} elements, each {@code stride} after the one before, to the start of block. */
  void column(float[] block, int from, int stride, int n) {
    for (int i = 0; i < n; i++) {
      block[i] = elements.get(offset + from + i * stride);
    }
  }

  /** Copies the first {@code n} values of {@code block} to the elements from {@code from} on. */
  void put(int from, float[] block, int n) {
    forget();
    elements.put(offset + from, block, 0, n);
  }

  /** Sets element {@code i}. */
  void put(int i, float value) {
    forget();
    elements.put(offset + i, value);
  }

  /** {@link #get(int, float[], int)}, as the bits of the floats. */
  void get(int from, int[] block, int n) {
    bits.get(offset + from, block, 0, n);
  }

  /** {@link #put(int, float[], int)}, from the bits of floats. */
  void put(int from, int[] block, int n) {
    forget();
    bits.put(offset + from, block, 0, n);
  }

  /**
   * Notes what the first rows are, until something is written here, or to any slice of the whole.
   */
  void know(Gathered rows) {
    whole.gathered = rows;
    whole.gatheredAt = offset;
  }

  /** The note on the first {@code B} rows of {@code I} floats; null: nothing is known. */
  Gathered known(int B, int I) {
    Gathered rows = whole.gathered;
    boolean these = rows != null && whole.gatheredAt == offset && rows.I() == I;
    return these && rows.images().length >= B ? rows : null;
  }

  private void forget() {
    // a write without need would slow down threads that write side by side
    if (whole.gathered != null) {
      whole.gathered = null;
    }
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
