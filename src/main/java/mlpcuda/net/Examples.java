package mlpcuda.net;

import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;

/** A set of labelled images on a device, and the batch that was gathered from it last. */
public final class Examples implements AutoCloseable {
  private final Ops ops;
  private final Buffer images; // (N, I) UINT8
  private final Buffer labels; // (N) UINT8
  private final Buffer rows; // (maxB) INT32
  private final Buffer y; // (maxB) INT32
  private final int I;
  private final float scale;
  private final float shift;

  /**
   * Examples for batches of up to {@code maxB}; the arrays must not change while they live.
   *
   * @param pixels (N, I)
   * @param labels (N)
   * @param scale with {@code shift}: an input is pixel · scale + shift
   */
  public Examples(Ops ops, byte[] pixels, byte[] labels, int maxB, float scale, float shift) {
    this.ops = ops;
    this.images = ops.constant("images", pixels);
    this.labels = ops.constant("labels", labels);
    this.rows = ops.allocate("rows", Type.INT32, maxB);
    this.y = ops.allocate("y", Type.INT32, maxB);
    this.I = pixels.length / labels.length;
    this.scale = scale;
    this.shift = shift;
  }

  /** Number of examples, N. */
  public int size() {
    return labels.length();
  }

  /** (maxB) INT32: the classes of the batch. */
  public Buffer y() {
    return y;
  }

  /**
   * Gathers the examples order[from] … order[from + B − 1] into {@code x} (B, I) and {@link #y}.
   */
  public void gather(Buffer x, int[] order, int from, int B) {
    ops.write(rows, order, from, B);
    ops.gatherForward(x, y, images, labels, rows, B, I, scale, shift);
  }

  @Override
  public void close() {
    images.close();
    labels.close();
    rows.close();
    y.close();
  }
}
