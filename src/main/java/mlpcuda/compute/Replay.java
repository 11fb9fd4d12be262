package mlpcuda.compute;

import java.util.OptionalInt;

/** Runs the same operations again and again; a device may record them the first time. */
public interface Replay extends AutoCloseable {
  /**
   * Runs {@code operations}, which must be the same for each {@code slot} and {@code B}: the same
   * buffers, sizes and scalars.
   */
  void run(int slot, int B, Runnable operations);

  /** Nodes of the latest recording: what a device is asked for; empty if none was made. */
  default OptionalInt nodes() {
    return OptionalInt.empty();
  }

  @Override
  void close();
}
