package mlpcuda.compute;

import java.util.OptionalInt;

/** Runs the same operations again and again; a device may record them the first time. */
public interface Replay extends AutoCloseable {
  /**
   * Runs {@code operations}, which must be the same for each {@code slot}, {@code B} and {@code n}:
   * the same buffers, sizes and scalars.
   *
   * @param n how many times they do the same
   */
  void run(int slot, int B, int n, Runnable operations);

  /** A replay that records nothing: it runs the operations each time. */
  static Replay direct() {
    return new Replay() {
      @Override
      public void run(int slot, int B, int n, Runnable operations) {
        operations.run();
      }

      @Override
      public void close() {}
    };
  }

  /** Nodes of each of the n in the latest recording; empty if none was made. */
  default OptionalInt nodes() {
    return OptionalInt.empty();
  }

  @Override
  void close();
}
