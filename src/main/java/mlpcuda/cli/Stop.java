package mlpcuda.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jline.utils.Signals;

/**
 * The handling of Ctrl-C, SIGTERM or a terminal that is closed: a training run ends after its step,
 * writes a checkpoint and releases what it has of the GPU. A process in which nothing asks whether
 * to stop is not waited for: it ends at once, and the driver frees all. A second Ctrl-C or SIGTERM
 * ends a process that is waited for.
 */
final class Stop implements BooleanSupplier {
  /** The number of SIGINT; a process that a signal ends has the exit code 128 plus its number. */
  private static final int SIGINT = 2;

  private static final int SIGTERM = 15;

  /**
   * The time for a terminal to clear the bars; one that was paused by Ctrl-S would take for ever.
   */
  private static final int ERASE_MILLIS = 200;

  private final CountDownLatch released = new CountDownLatch(1);
  private final AtomicBoolean asked = new AtomicBoolean();
  private final AtomicBoolean signalled = new AtomicBoolean();
  private volatile boolean requested;

  /**
   * Whether to stop. From the first call on, the end of the process waits for {@link #released}.
   */
  @Override
  public boolean getAsBoolean() {
    if (!asked.get() && !asked.getAndSet(true)) {
      // listening takes tens of milliseconds to begin
      var listening = new Thread(this::listen, "mlp-cuda-signals");
      listening.setDaemon(true);
      listening.start();
    }
    return requested;
  }

  /** Whether the JVM shuts down; unlike {@link #getAsBoolean}, this method promises nothing. */
  boolean isRequested() {
    return requested;
  }

  /** Notes that everything is released. */
  void released() {
    released.countDown();
  }

  /** Requests a stop, and waits until all is released; for the hook of a JVM that shuts down. */
  void request() {
    requested = true;
    try {
      if (asked.get()) {
        released.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the process ends anyway
    }
    Terminal.endBars();
  }

  /**
   * Takes over from the JVM, which ignores signals once it shuts down. The JVM never listens to a
   * signal that the parent process ignores ({@code nohup}), and neither does this class. SIGHUP is
   * left to the JVM: a terminal that is closed may send it more than once, and the run must still
   * be saved.
   */
  private void listen() {
    Signals.register("INT", () -> received(SIGINT));
    Signals.register("TERM", () -> received(SIGTERM));
  }

  private void received(int signal) {
    if (!signalled.getAndSet(true) && !requested) {
      System.exit(128 + signal); // waits for the hook
    }
    var erasing = new Thread(Terminal::endBars);
    erasing.setDaemon(true);
    erasing.start();
    try {
      erasing.join(ERASE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the process ends anyway
    }
    Runtime.getRuntime().halt(128 + signal);
  }
}
