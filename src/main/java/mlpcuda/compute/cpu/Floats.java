package mlpcuda.compute.cpu;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Optional;
import java.util.function.BiConsumer;
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
 *
 * <p>A buffer knows which of its floats are in an {@link InputOrder}. The host never sees that:
 * {@link #read} and {@link #write} translate, and an operation asks for the order that it needs.
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
  private Arranged arranged = Arranged.NONE; // set in the whole alone
  private volatile Moved moved; // set in the whole alone; null: all floats are at home

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
    bringHome();
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
    bringHome();
    return elements.get(offset + i);
  }

  /** Copies the {@code n} elements from {@code from} on to the start of {@code block}. */
  void get(int from, float[] block, int n) {
    bringHome();
    elements.get(offset + from, block, 0, n);
  }

  /** Copies {@code n} elements, each {@code stride} after the one before, to the start of block. */
  void column(float[] block, int from, int stride, int n) {
    bringHome();
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
    bringHome();
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

  /** The note on the first {@code B} rows of {@code I} floats; empty: nothing is known. */
  Optional<Gathered> known(int B, int I) {
    return Optional.ofNullable(whole.gathered)
        .filter(rows -> whole.gatheredAt == offset && rows.I() == I && rows.images().length >= B);
  }

  private void forget() {
    bringHome();
    // a write without need would slow down threads that write side by side
    if (whole.gathered != null) {
      whole.gathered = null;
    }
  }

  // ---- floats in the heap ----

  /**
   * The place in the heap of {@code length} floats from number {@code at} of the whole buffer on.
   *
   * @param blocks the floats themselves, {@link WorkSplitter#BLOCK} in each block but the last
   */
  private record Moved(int at, int length, float[][] blocks) {}

  /** Floats may move if they take at most one part in so many of the heap. */
  static final int LEAST_HEAP = 8;

  /**
   * Moves the first {@code n} elements into blocks of the heap, where loops need no copies of them.
   * They stay there until the next access by another method of this buffer or of a slice of it, so
   * that an operation must ask for the blocks each time. Buffers that would take much of the heap
   * do not move.
   *
   * @return the blocks, of {@link WorkSplitter#BLOCK} elements each but the last; empty: the
   *     elements have not moved
   */
  Optional<float[][]> blocks(int n) {
    Moved there = whole.moved;
    if (there != null && there.at == offset && there.length == n) {
      return Optional.of(there.blocks);
    }
    if ((long) Float.BYTES * n > Runtime.getRuntime().maxMemory() / LEAST_HEAP) {
      return Optional.empty();
    }
    var blocks = new float[(n - 1) / WorkSplitter.BLOCK + 1][];
    for (int k = 0; k < blocks.length; k++) {
      int from = k * WorkSplitter.BLOCK;
      blocks[k] = new float[Math.min(WorkSplitter.BLOCK, n - from)];
      get(from, blocks[k], blocks[k].length);
    }
    whole.moved = new Moved(offset, n, blocks);
    return Optional.of(blocks);
  }

  private void bringHome() {
    if (whole.moved != null) {
      whole.endMove();
    }
  }

  /** Parts of an operation may call this side by side. */
  private synchronized void endMove() {
    if (moved == null) {
      return;
    }
    int at = moved.at;
    for (float[] block : moved.blocks) {
      elements.put(at, block);
      at += block.length;
    }
    moved = null;
  }

  // ---- the order of a network's inputs ----

  /** Copies the first elements to {@code values}, in the natural order of a network's inputs. */
  void read(float[] values) {
    get(0, values, values.length);
    Arranged part = whole.arranged;
    int end = offset + values.length;
    if (!part.isMoved() || !part.touches(offset, values.length)) {
      return;
    }
    int I = part.order().inputs();
    float[] ordered = new float[I];
    float[] natural = new float[I];
    for (int row = part.rowOf(Math.max(offset, part.at()));
        row < Math.min(end, part.end());
        row += I) {
      elements.get(row, ordered);
      part.order().toNatural(ordered, natural);
      int from = Math.max(row, offset);
      int to = Math.min(row + I, end);
      System.arraycopy(natural, from - row, values, from - offset, to - from);
    }
  }

  /**
   * Sets the first elements to {@code values}, which have the natural order of a network's inputs;
   * elements that were in another order are in that order afterwards, too.
   */
  void write(float[] values) {
    Arranged part = whole.arranged;
    boolean moved = part.isMoved() && part.touches(offset, values.length);
    if (moved) {
      whole.restore();
    }
    put(0, values, values.length);
    if (moved) {
      whole.move(part);
    }
  }

  /** The order that was chosen for these elements as the rows of a matrix; empty: none was yet. */
  Optional<InputOrder> chosen() {
    Arranged part = whole.arranged;
    return part.at() == offset && part.length() == length()
        ? Optional.of(part.order())
        : Optional.empty();
  }

  /** Moves these elements, as the rows of a matrix, into the order that is chosen for them. */
  void choose(InputOrder order) {
    arrange(length(), order);
    whole.arranged = new Arranged(offset, length(), order);
  }

  /** The order of the first {@code n} elements, as rows of {@code I}. */
  InputOrder order(int n, int I) {
    Arranged part = whole.arranged;
    if (part.isMoved() && part.touches(offset, n)) {
      if (part.covers(offset, n) && part.order().inputs() == I) {
        return part.order();
      }
      whole.restore();
    }
    return InputOrder.natural(I);
  }

  /** Moves the first {@code n} elements, as rows of a matrix, into an order. */
  void arrange(int n, InputOrder order) {
    if (!isIn(n, order)) {
      whole.restore();
      whole.move(new Arranged(offset, n, order));
    }
  }

  /** Moves these elements back to the natural order of a network's inputs. */
  Floats natural() {
    if (whole.arranged.isMoved() && whole.arranged.touches(offset, length())) {
      whole.restore();
    }
    return this;
  }

  /** Notes that the first {@code n} elements are about to be overwritten by rows in that order. */
  void overwrite(int n, InputOrder order) {
    if (!isIn(n, order)) {
      if (!whole.arranged.isWithin(offset, n)) {
        whole.restore();
      }
      whole.arranged = new Arranged(offset, n, order);
    }
  }

  private boolean isIn(int n, InputOrder order) {
    Arranged part = whole.arranged;
    return part.isMoved() && part.touches(offset, n)
        ? part.order() == order && part.covers(offset, n)
        : order.isNatural();
  }

  /**
   * Moves the first {@code n} elements to where the other buffer has its own of the same number.
   */
  void arrangeAs(Floats other, int n) {
    Arranged part = other.whole.arranged;
    if (!part.isMoved() || !part.touches(other.offset, n)) {
      natural();
    } else if (part.isWithin(other.offset, n)) {
      Arranged same = new Arranged(part.at() - other.offset + offset, part.length(), part.order());
      if (!same.equals(whole.arranged)) {
        whole.restore();
        whole.move(same);
      }
    } else {
      other.natural();
      natural();
    }
  }

  /**
   * Moves elements back to the natural order if some are among the first {@code n} and some not.
   */
  void keepTogether(int n) {
    if (!whole.arranged.isWithin(offset, n)) {
      natural();
    }
  }

  private void restore() {
    Arranged part = arranged;
    if (part.isMoved()) {
      eachRow(part, part.order()::toNatural);
    }
    arranged = new Arranged(part.at(), part.length(), InputOrder.natural(part.order().inputs()));
  }

  /** Moves a part that is in the natural order. */
  private void move(Arranged part) {
    if (part.isMoved()) {
      eachRow(part, part.order()::toOrder);
    }
    arranged = part;
  }

  private void eachRow(Arranged part, BiConsumer<float[], float[]> map) {
    forget();
    float[] before = new float[part.order().inputs()];
    float[] after = new float[before.length];
    for (int row = part.at(); row < part.end(); row += before.length) {
      elements.get(row, before);
      map.accept(before, after);
      elements.put(row, after);
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
