package mlpcuda.compute;

import java.util.Optional;

/**
 * Brings batches of a set of examples to a device. What the host does is apart from what the device
 * does, so that the device's share can be recorded once and replayed.
 */
public interface Feed extends AutoCloseable {
  /**
   * The place of a batch on the device.
   *
   * @param examples all examples of the set, or those of the batch
   * @param rows INT32: an order of examples, of which the batch is a part; empty: the batch is the
   *     examples from the first on
   */
  record Batch(DeviceExamples examples, Optional<Buffer> rows) {}

  /** Number of examples, N. */
  int size();

  /**
   * Says how the images of the passes from now on are distorted; a feed that distorts nothing
   * ignores it.
   *
   * @param epoch the epoch that the random numbers are of
   * @param strength the factor of the amounts, from 0 to 1
   */
  default void distort(int epoch, float strength) {}

  /**
   * Begins a pass: the next batches are the examples of {@code order} (up to N), from its element
   * {@code from} on.
   */
  void begin(int[] order, int from);

  /**
   * Stages the next {@code n} batches of {@code B} examples: the host's share of the work.
   *
   * @return the slot of the first batch; the device's work depends on it, so a recording is
   *     replayed only for its own slot
   */
  int stage(int B, int n);

  /**
   * Gathers batch {@code i} of those that were staged last, as {@link Ops#gatherForward} does: the
   * device's share.
   *
   * @param x (B, I) out
   * @param targets out
   * @param end (1) INT32: examples of the order up to the end of this batch
   */
  default void gather(int i, Buffer x, Targets targets, Buffer end, int B, InputScaling scaling) {
    Batch batch = batch(i, B);
    DeviceExamples examples = batch.examples();
    int I = examples.features().length() / examples.labels().length();
    Optional<Order> order = batch.rows().map(rows -> new Order(rows, end));
    x.ops().gatherForward(x, targets, examples, order, B, I, scaling);
  }

  /** The place of batch {@code i} of those that were staged last, for a device that gathers it. */
  Batch batch(int i, int B);

  @Override
  void close();
}
