package mlpcuda.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C: a training run ends after its step and gives back what it has of the GPU. What never asks
 * {@link #requested} is not waited for: the process ends at once, and the driver frees all.
 */
final class Stop {
  /** Time that a run has to end. */
  private static final int SECONDS = 10;

  private final CountDownLatch released = new CountDownLatch(1);
  private volatile boolean asked;
  private volatile boolean requested;

  /** Whether to stop. */
  boolean requested() {
    asked = true;
    return requested;
  }

  /** Everything is given back. */
  void released() {
    released.countDown();
  }

  /** Asks to stop, and waits for that; for the hook of a JVM that shuts down. */
  void request() {
    requested = true;
    try {
      if (asked) {
        released.await(SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the process ends anyway
    }
  }
}
