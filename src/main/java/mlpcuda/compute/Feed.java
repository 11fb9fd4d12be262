package mlpcuda.compute;

/**
 * Brings batches of a set of labelled images to a device. What the host does is apart from what the
 * device does, so that the device's share can be recorded once and replayed.
 */
public interface Feed extends AutoCloseable {
  /** Number of examples, N. */
  int size();

  /**
   * The next batches are the examples of {@code order} (up to N), from its element {@code from}.
   */
  void begin(int[] order, int from);

  /**
   * Makes the next {@code B} examples ready: the host's share of a batch.
   *
   * @return in which of its slots they are: what the device does with them depends on it
   */
  int stage(int B);

  /**
   * Gathers the batch that was staged last as {@link Ops#gatherForward} does: the device's share.
   *
   * @param x (B, I) out
   * @param y (B) out, INT32
   * @param end (1) INT32: examples of the order up to the end of this batch
   */
  void gather(Buffer x, Buffer y, Buffer end, int B, float scale, float shift);

  @Override
  void close();
}
