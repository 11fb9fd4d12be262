package mlpcuda.compute;

/**
 * A block of a device's memory, made by {@link Ops#allocate}. Its allocator must close it exactly
 * once. A slice is a view of a buffer: it is valid only while its owner is open.
 */
public abstract class Buffer implements AutoCloseable {
  /** The type of an element. */
  public enum Type {
    /** 32-bit IEEE float. */
    FLOAT32(4),
    /** 32-bit signed integer. */
    INT32(4),
    /** Unsigned byte. */
    UINT8(1);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /** Size of one element in bytes. */
    public int bytes() {
      return bytes;
    }
  }

  private final Ops ops;
  private final String name;
  private final Type type;
  private final int length;
  private final Buffer owner; // this buffer itself, unless it is a slice
  private boolean closed;

  /** A buffer that owns its memory. */
  protected Buffer(Ops ops, String name, Type type, int length) {
    this.ops = ops;
    this.name = name;
    this.type = type;
    this.length = length;
    this.owner = this;
  }

  /** A slice of {@code of}. */
  protected Buffer(Buffer of, String name, int length) {
    this(of, name, of.type, length);
  }

  /** A slice of {@code of} whose bytes are read as elements of that type. */
  protected Buffer(Buffer of, String name, Type type, int length) {
    this.ops = of.ops;
    this.name = name;
    this.type = type;
    this.length = length;
    this.owner = of.owner;
  }

  /** The device that made this buffer. */
  public final Ops ops() {
    return ops;
  }

  /** The type of an element. */
  public final Type type() {
    return type;
  }

  /** Number of elements. */
  public final int length() {
    return length;
  }

  /** Size in bytes. */
  public final long bytes() {
    return (long) length * type.bytes();
  }

  final boolean closed() {
    return owner.closed;
  }

  /** The elements {@code from} … {@code from + length − 1}, in place. */
  public final Buffer slice(String name, int from, int length) {
    if (closed()) {
      throw new IllegalStateException("slice of " + this + " after close");
    }
    if (from < 0 || length < 0 || from > this.length - length) {
      throw new IndexOutOfBoundsException(
          name + " must lie in " + this + ", found " + length + " elements from " + from);
    }
    return sliceK(name, from, length);
  }

  /** Makes the slice; {@link #slice} has checked its range. */
  protected abstract Buffer sliceK(String name, int from, int length);

  /** Frees the memory; called exactly once. */
  protected abstract void release();

  @Override
  public final void close() {
    if (owner != this) {
      throw new IllegalStateException(this + " is a slice: close " + owner + " instead");
    }
    if (closed) {
      throw new IllegalStateException("second close of " + this);
    }
    closed = true;
    ops.released(this);
    release();
  }

  @Override
  public final String toString() {
    return name + " " + type + "[" + length + "]" + (closed() ? " (closed)" : "");
  }
}
