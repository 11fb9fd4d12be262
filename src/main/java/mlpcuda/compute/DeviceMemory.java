package mlpcuda.compute;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.error.DeviceException;
import mlpcuda.features.Features;

/**
 * The memory of a device: buffers, copies between them and the host, and their end. Each public
 * method checks its arguments once and calls its unchecked twin, whose name ends in K.
 */
public abstract class DeviceMemory implements AutoCloseable {
  /** The values of features that are copied to the device at once. */
  private static final int PIECE = 1 << 18;

  private final Set<Buffer> live = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  /** Describes the device and what it computes with, in one line for people. */
  public abstract String description();

  /** A buffer of {@code length} zeros; close it when done. */
  public final Buffer allocate(String name, Type type, int length) {
    needOpen("allocate", name);
    if (length < 1) {
      throw new IllegalArgumentException(name + " must hold at least 1 element, found " + length);
    }
    return counted(allocateK(name, type, length));
  }

  /**
   * A buffer of bytes that no operation writes; close it when done. The device may keep the array
   * itself: it must not change while the buffer lives.
   */
  public final Buffer constant(String name, byte[] values) {
    needOpen("constant", name);
    return counted(constantK(name, values));
  }

  /**
   * A buffer of features that no operation writes; close it when done. They are copied to the
   * device, unless it can use the array that they are in: then it must not change while the buffer
   * lives.
   *
   * @throws DeviceException if the features are too many for a buffer
   */
  public final Buffer constant(String name, Features features) {
    needOpen("constant", name);
    if (features.isArray()) {
      return counted(constantK(name, features.array()));
    }
    long length = (long) features.size() * features.width();
    if (length > longestBuffer()) {
      throw new DeviceException(
          "%s are %,d values, and a buffer of this device may have %,d"
              .formatted(name, length, longestBuffer()),
          "Use fewer examples" + insteadOfResidence() + ".");
    }
    Type type = features.type() == Features.Type.FLOAT32 ? Type.FLOAT32 : Type.UINT8;
    Buffer buffer = counted(allocateK(name, type, (int) length));
    try {
      fill(buffer, features);
    } catch (RuntimeException | Error e) {
      buffer.close();
      throw e;
    }
    return buffer;
  }

  /** The remedy where a whole set does not fit into the device, as the end of a sentence. */
  protected String insteadOfResidence() {
    return "";
  }

  /** Copies all rows to a buffer, some at once: the heap need not have room for all of them. */
  private void fill(Buffer buffer, Features features) {
    int I = features.width();
    int most = Math.max(1, PIECE / I);
    for (int from = 0; from < features.size(); from += most) {
      int rows = Math.min(most, features.size() - from);
      Buffer part = buffer.slice("rows", from * I, rows * I);
      if (buffer.type() == Type.FLOAT32) {
        float[] values = new float[rows * I];
        for (int row = 0; row < rows; row++) {
          features.read(from + row, values, row * I);
        }
        writeK(part, values);
      } else {
        byte[] values = new byte[rows * I];
        for (int row = 0; row < rows; row++) {
          features.read(from + row, values, row * I);
        }
        writeK(part, values);
      }
    }
  }

  private void needOpen(String what, String name) {
    if (closed) {
      throw new IllegalStateException(what + " " + name + " after the device was closed");
    }
  }

  private Buffer counted(Buffer buffer) {
    live.add(buffer);
    return buffer;
  }

  final void released(Buffer buffer) {
    live.remove(buffer);
  }

  /** The bytes that buffers can be given beside those that they have, as far as can be known. */
  public abstract long freeBytes();

  /** The most elements that a buffer can have. */
  public int longestBuffer() {
    return Integer.MAX_VALUE;
  }

  /** Bytes of all buffers that are not closed, and of the copies that the device has of them. */
  public final long liveBytes() {
    return live.stream().mapToLong(Buffer::bytes).sum() + copiedBytes();
  }

  /** Bytes of the copies of buffers that the device keeps for its own use, beside the buffers. */
  protected long copiedBytes() {
    return 0;
  }

  /**
   * The bytes that a float takes in a buffer that products read, with those of its copy where the
   * device keeps one.
   */
  public int bytesOfOperand() {
    return Float.BYTES;
  }

  /** Copies {@code values} to the start of {@code to}. */
  public final void write(Buffer to, float[] values) {
    need("write", "to", to, Type.FLOAT32, values.length);
    writeK(to, values);
  }

  /** Copies {@code n} values of {@code values}, beginning at {@code from}, to the start of to. */
  public final void write(Buffer to, int[] values, int from, int n) {
    need("write", "to", to, Type.INT32, n);
    if (from < 0 || n < 0 || from > values.length - n) {
      throw new IndexOutOfBoundsException(
          "write: " + n + " values from " + from + " of an array of " + values.length);
    }
    writeK(to, values, from, n);
  }

  /** Fills {@code values} from the start of {@code from}, after all operations enqueued before. */
  public final void read(Buffer from, float[] values) {
    need("read", "from", from, Type.FLOAT32, values.length);
    readK(from, values);
  }

  /** Fills {@code values} from the start of {@code from}, after all operations enqueued before. */
  public final void read(Buffer from, int[] values) {
    need("read", "from", from, Type.INT32, values.length);
    readK(from, values);
  }

  /** Implements {@link #allocate}; all elements must be 0. */
  protected abstract Buffer allocateK(String name, Type type, int length);

  /** {@link #constant}. */
  protected abstract Buffer constantK(String name, byte[] values);

  /** Copies bytes to the start of a UINT8 buffer. */
  protected abstract void writeK(Buffer to, byte[] values);

  /** {@link #write(Buffer, float[])}. */
  protected abstract void writeK(Buffer to, float[] values);

  /** {@link #write(Buffer, int[], int, int)}. */
  protected abstract void writeK(Buffer to, int[] values, int from, int n);

  /** {@link #read(Buffer, float[])}. */
  protected abstract void readK(Buffer from, float[] values);

  /** {@link #read(Buffer, int[])}. */
  protected abstract void readK(Buffer from, int[] values);

  /** Frees what the device itself holds; its buffers are closed already. */
  protected abstract void closeK();

  /**
   * Ends the device. Buffers that nobody closed are closed here, so that nothing stays behind.
   *
   * @throws IllegalStateException naming them, once all is released
   */
  @Override
  public final void close() {
    if (closed) {
      throw new IllegalStateException("second close of " + description());
    }
    List<Buffer> left = List.copyOf(live);
    RuntimeException failure = null;
    for (Buffer buffer : left) {
      failure = attempt(buffer::close, failure);
    }
    closed = true;
    failure = attempt(this::closeK, failure);
    if (failure != null) {
      throw failure;
    }
    if (!left.isEmpty()) {
      throw new IllegalStateException("buffers were not closed before their device: " + left);
    }
  }

  /**
   * Runs an action that may fail, as every call does on a device that has failed.
   *
   * @return the first failure: {@code before}, or that of the action; null if there is none
   */
  protected static RuntimeException attempt(Runnable action, RuntimeException before) {
    try {
      action.run();
      return before;
    } catch (RuntimeException e) {
      if (before == null) {
        return e;
      }
      before.addSuppressed(e);
      return before;
    }
  }

  final void need(String op, String argument, Buffer buffer, Type type, long length) {
    if (buffer.type() != type || buffer.length() < length) {
      throw new IllegalArgumentException(
          "%s: %s must be %s[%d] or longer, found %s"
              .formatted(op, argument, type, length, buffer));
    }
    if (buffer.ops() != this) {
      throw new IllegalArgumentException(
          "%s: %s must be a buffer of this device, found one of %s"
              .formatted(op, argument, buffer.ops().description()));
    }
    if (buffer.closed() || closed) {
      throw new IllegalStateException("%s: %s is used after close".formatted(op, buffer));
    }
  }
}
