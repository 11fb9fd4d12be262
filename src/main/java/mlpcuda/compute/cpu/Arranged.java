package mlpcuda.compute.cpu;

/**
 * The part of a buffer that holds rows of a network's inputs in an order of its own: a batch, the
 * first layer's weights, their gradients, or an optimizer's moments of them. All other floats of a
 * buffer are as the host wrote them.
 *
 * @param at the first float of the part, counted from the beginning of the whole buffer
 * @param length the number of floats: whole rows of {@code order.inputs()}
 * @param order the order of each row
 */
record Arranged(int at, int length, InputOrder order) {
  /** No part. */
  static final Arranged NONE = new Arranged(0, 0, InputOrder.natural(1));

  /** Whether the floats are in another place than the host wrote them to. */
  boolean isMoved() {
    return !order.isNatural();
  }

  /** The float after the part's last. */
  int end() {
    return at + length;
  }

  /** Whether any of the {@code n} floats from {@code from} on are in the part. */
  boolean touches(int from, int n) {
    return from < end() && at < from + n;
  }

  /** Whether the {@code n} floats from {@code from} on are rows of the part. */
  boolean covers(int from, int n) {
    return at <= from && from + n <= end() && (from - at) % order.inputs() == 0;
  }

  /** Whether the whole part lies in the {@code n} floats from {@code from} on. */
  boolean isWithin(int from, int n) {
    return from <= at && end() <= from + n;
  }

  /** The first float of the row that float {@code i} of the part is in. */
  int rowOf(int i) {
    return i - (i - at) % order.inputs();
  }
}
