package mlpcuda.features;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.Checksum;

/**
 * The features of N examples, (N, I), as unsigned bytes or as 32-bit floats. They lie in blocks of
 * whole rows, on the heap or in a mapped file, so that a set may have more than 2³¹ values and need
 * not fit into the heap. They do not change, and any number of threads may read them.
 */
public final class Features {
  /** The type of a value. */
  public enum Type {
    /** An unsigned byte, such as a pixel. */
    UINT8(1),
    /** A 32-bit IEEE float. */
    FLOAT32(4);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /** The size of a value in bytes. */
    public int bytes() {
      return bytes;
    }
  }

  private final Type type;
  private final int size; // N
  private final int width; // I
  private final int rowsPerBlock; // each block has so many rows; the last may have fewer
  private final ByteBuffer[] blocks; // native order
  private final int[] chosen; // the rows of the blocks that this is a view of; null: all
  private final Moved moved; // null: each row has its own values

  /**
   * Columns whose values come from other rows.
   *
   * @param from the first of the columns
   * @param count their number
   * @param sources (N): the row of the blocks that has each row's values
   */
  private record Moved(int from, int count, int[] sources) {}

  private Features(
      Type type, int size, int width, int rowsPerBlock, ByteBuffer[] blocks, int[] chosen) {
    this(type, size, width, rowsPerBlock, blocks, chosen, null);
  }

  private Features(
      Type type,
      int size,
      int width,
      int rowsPerBlock,
      ByteBuffer[] blocks,
      int[] chosen,
      Moved moved) {
    this.type = type;
    this.size = size;
    this.width = width;
    this.rowsPerBlock = rowsPerBlock;
    this.blocks = blocks;
    this.chosen = chosen;
    this.moved = moved;
  }

  /**
   * Features in an array of bytes, which is not copied and must not change afterwards.
   *
   * @param values (N, I)
   * @param width I, at least 1
   * @throws IllegalArgumentException if the array does not hold whole rows
   */
  public static Features of(byte[] values, int width) {
    int size = rows(values.length, width);
    ByteBuffer[] blocks = {ByteBuffer.wrap(values)};
    return new Features(Type.UINT8, size, width, Math.max(1, size), blocks, null);
  }

  /**
   * Features in an array of floats, which is copied.
   *
   * @param values (N, I), at most 2²⁹ − 1 of them
   * @param width I, at least 1
   * @throws IllegalArgumentException if the array does not hold whole rows
   */
  public static Features of(float[] values, int width) {
    int size = rows(values.length, width);
    var block = ByteBuffer.allocate(Math.multiplyExact(Float.BYTES, values.length));
    block.order(ByteOrder.nativeOrder()).asFloatBuffer().put(values);
    return new Features(
        Type.FLOAT32, size, width, Math.max(1, size), new ByteBuffer[] {block}, null);
  }

  /**
   * Features in blocks of memory, which are not copied and must not change afterwards.
   *
   * @param size N
   * @param width I, at least 1
   * @param rowsPerBlock the number of rows of each block but the last
   * @param blocks the values in native byte order; position and limit are not looked at
   */
  static Features of(Type type, int size, int width, int rowsPerBlock, ByteBuffer... blocks) {
    var ordered = new ByteBuffer[blocks.length];
    for (int i = 0; i < blocks.length; i++) {
      ordered[i] = blocks[i].duplicate().clear().order(ByteOrder.nativeOrder());
    }
    return new Features(type, size, width, rowsPerBlock, ordered, null);
  }

  private static int rows(int values, int width) {
    if (width < 1 || values % width != 0) {
      throw new IllegalArgumentException(
          "%d values are no whole number of rows of %d".formatted(values, width));
    }
    return values / width;
  }

  /** The type of a value. */
  public Type type() {
    return type;
  }

  /** The number of rows, N. */
  public int size() {
    return size;
  }

  /** The number of values of a row, I. */
  public int width() {
    return width;
  }

  /** The size of all values in bytes. */
  public long bytes() {
    return (long) size * width * type.bytes();
  }

  /** Whether {@link #array} returns the values. */
  public boolean isArray() {
    return type == Type.UINT8
        && chosen == null
        && moved == null
        && blocks.length == 1
        && blocks[0].hasArray()
        && blocks[0].array().length == bytes();
  }

  /**
   * The values themselves, (N, I), not a copy.
   *
   * @throws IllegalStateException if the values are not bytes in one array: see {@link #isArray}
   */
  public byte[] array() {
    if (!isArray()) {
      throw new IllegalStateException("features are not in one array of bytes: " + this);
    }
    return blocks[0].array();
  }

  /**
   * Copies a row's bytes: unsigned bytes, or floats in native byte order.
   *
   * @param to takes {@code width · type.bytes} bytes from index {@code at} on; its position and
   *     byte order do not matter
   */
  public void copy(int row, ByteBuffer to, int at) {
    int source = row(row);
    int bytes = width * type.bytes();
    to.put(at, block(source), offset(source), bytes);
    if (moved != null) {
      int other = moved.sources[row];
      int first = moved.from * type.bytes();
      to.put(at + first, block(other), offset(other) + first, moved.count * type.bytes());
    }
  }

  /**
   * Copies a row's values to an array, unsigned bytes as floats from 0 to 255.
   *
   * @param to takes I floats from index {@code at} on
   */
  public void read(int row, float[] to, int at) {
    read(row(row), 0, width, to, at);
    if (moved != null) {
      read(moved.sources[row], moved.from, moved.count, to, at + moved.from);
    }
  }

  /** Copies some columns of a row of the blocks. */
  private void read(int source, int from, int count, float[] to, int at) {
    ByteBuffer block = block(source);
    int offset = offset(source) + from * type.bytes();
    if (type == Type.FLOAT32) {
      block
          .slice(offset, count * Float.BYTES)
          .order(ByteOrder.nativeOrder())
          .asFloatBuffer()
          .get(to, at, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to[at + i] = Byte.toUnsignedInt(block.get(offset + i));
    }
  }

  /**
   * Copies a row's bytes to an array.
   *
   * @param to takes I bytes from index {@code at} on
   * @throws IllegalStateException if the values are floats
   */
  public void read(int row, byte[] to, int at) {
    if (type != Type.UINT8) {
      throw new IllegalStateException("features are not bytes: " + this);
    }
    int source = row(row);
    block(source).get(offset(source), to, at, width);
    if (moved != null) {
      int other = moved.sources[row];
      block(other).get(offset(other) + moved.from, to, at + moved.from, moved.count);
    }
  }

  /** Adds the bytes of all rows, as {@link #copy} gives them, to a checksum. */
  public void update(Checksum checksum) {
    if (isArray()) {
      checksum.update(array());
      return;
    }
    byte[] row = new byte[width * type.bytes()];
    ByteBuffer bytes = ByteBuffer.wrap(row);
    for (int i = 0; i < size; i++) {
      copy(i, bytes, 0);
      checksum.update(row);
    }
  }

  private int row(int row) {
    return chosen == null ? row : chosen[row];
  }

  private ByteBuffer block(int source) {
    return blocks[source / rowsPerBlock];
  }

  private int offset(int source) {
    return source % rowsPerBlock * width * type.bytes();
  }

  /**
   * Some of the rows, in the order that is given. Bytes in an array are copied, so that {@link
   * #array} works for the part as well; other values are not copied.
   *
   * @param rows the rows' numbers, each below {@link #size}
   */
  public Features rows(int[] rows) {
    if (isArray()) {
      byte[] part = new byte[Math.multiplyExact(rows.length, width)];
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(array(), rows[i] * width, part, i * width, width);
      }
      return of(part, width);
    }
    int[] sources = Arrays.stream(rows).map(this::row).toArray();
    return new Features(
        type,
        rows.length,
        width,
        rowsPerBlock,
        blocks,
        sources,
        moved == null ? null : moved(rows));
  }

  private Moved moved(int[] rows) {
    int[] sources = Arrays.stream(rows).map(row -> moved.sources[row]).toArray();
    return new Moved(moved.from, moved.count, sources);
  }

  /**
   * The rows with the values of some columns taken from other rows. Nothing is copied.
   *
   * @param from the first of the columns
   * @param count the number of the columns, which lie side by side
   * @param order (N): the row whose values each row gets in these columns
   * @throws IllegalStateException if these are rows of which columns were moved before
   */
  public Features withColumns(int from, int count, int[] order) {
    if (moved != null) {
      throw new IllegalStateException("columns can be moved once, and were moved before");
    }
    int[] sources = Arrays.stream(order).map(this::row).toArray();
    return new Features(
        type, size, width, rowsPerBlock, blocks, chosen, new Moved(from, count, sources));
  }

  /** The first {@code n} rows: see {@link #rows}. */
  public Features first(int n) {
    if (isArray()) {
      return of(Arrays.copyOf(array(), Math.multiplyExact(n, width)), width);
    }
    int[] sources = chosen == null ? null : Arrays.copyOf(chosen, n);
    Moved some =
        moved == null ? null : new Moved(moved.from, moved.count, Arrays.copyOf(moved.sources, n));
    return new Features(type, n, width, rowsPerBlock, blocks, sources, some);
  }

  /** The number of rows, the number of values of a row, and their type. */
  @Override
  public String toString() {
    return "%d rows of %d %s".formatted(size, width, type);
  }
}
