package mlpcuda.compute;

import mlpcuda.compute.Buffer.Type;

/**
 * Brings floats from a device to the host while the device goes on with later operations. One copy
 * at a time is under way: each {@link #begin} is followed by an {@link #end}.
 */
public abstract class Readback implements AutoCloseable {
  private final Ops ops;
  private final int length;
  private int pending; // the number of floats that are on their way; 0: none

  /** A readback of up to {@code length} floats at a time. */
  protected Readback(Ops ops, int length) {
    this.ops = ops;
    this.length = length;
  }

  /**
   * Enqueues a copy of the first {@code n} elements of {@code from}, as all operations that were
   * enqueued before leave them. Later operations may change the buffer.
   */
  public final void begin(Buffer from, int n) {
    if (pending > 0) {
      throw new IllegalStateException("a copy of %d floats must end first".formatted(pending));
    }
    if (n < 1 || n > length) {
      throw new IllegalArgumentException(
          "from 1 to %d floats may be read, found %d".formatted(length, n));
    }
    ops.need("readback", "from", from, Type.FLOAT32, n);
    beginK(from, n);
    pending = n;
  }

  /** Whether the copy is done, so that {@link #end} does not wait. */
  public final boolean isDone() {
    return isDoneK();
  }

  /**
   * Waits for the copy, and for no later operation, and fills {@code values} with it.
   *
   * @param values as many elements as were begun
   */
  public final void end(float[] values) {
    if (values.length != pending || pending == 0) {
      throw new IllegalStateException(
          "%d floats were begun to be read, found room for %d".formatted(pending, values.length));
    }
    endK(values);
    pending = 0;
  }

  /** {@link #begin}, without checks. */
  protected abstract void beginK(Buffer from, int n);

  /** {@link #isDone}. */
  protected abstract boolean isDoneK();

  /** {@link #end}, without checks. */
  protected abstract void endK(float[] values);

  @Override
  public abstract void close();

  /** A readback for a device that has done all operations when their calls return. */
  static final class Immediate extends Readback {
    private final Ops ops;
    private float[] copied;

    Immediate(Ops ops, int length) {
      super(ops, length);
      this.ops = ops;
    }

    @Override
    protected void beginK(Buffer from, int n) {
      copied = new float[n];
      ops.readK(from, copied);
    }

    @Override
    protected boolean isDoneK() {
      return true;
    }

    @Override
    protected void endK(float[] values) {
      System.arraycopy(copied, 0, values, 0, values.length);
    }

    @Override
    public void close() {}
  }
}
