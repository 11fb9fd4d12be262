package mlpcuda.compute.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that share one piece of work after another with their caller. The pieces of a training
 * step last microseconds, so a thread that has finished spins for the next one, and sleeps only
 * when none has come for a while.
 */
final class Workers implements AutoCloseable {
  /** A part of a piece of work; the parts of one piece run at the same time. */
  interface Task {
    void run(int part, int parts);
  }

  private static final long SPIN_NANOS = 50_000;

  /**
   * Looks that a waiting thread takes without telling the processor that it waits: hypervisors take
   * the processor away from a guest that says so too often, and most waits end before.
   */
  private static final int BARE_SPINS = 20_000;

  private final Thread[] threads;
  private final boolean[] asleep; // guarded by this
  private final AtomicInteger unfinished = new AtomicInteger();
  // Volatile so that the compiler does not know what it holds and so does not compile each task
  // once more into the method that hands it over: on few cores compilers and work compete.
  private volatile Task task;
  private int parts; // written before the round that announces it
  private volatile int round;
  private volatile Throwable failure;
  private volatile boolean closed;

  /** {@code count} threads in all, the caller's included. */
  Workers(int count) {
    threads = new Thread[count - 1];
    asleep = new boolean[count - 1];
    for (int i = 0; i < threads.length; i++) {
      int index = i;
      threads[i] = new Thread(() -> work(index), "mlp-cuda-cpu-" + (i + 1));
      threads[i].setDaemon(true);
      threads[i].start();
    }
  }

  /** Sets the counter of rounds, for a test of its end; before the first round only. */
  void startAt(int round) {
    this.round = round;
  }

  /** Threads in all, the caller's included. */
  int count() {
    return threads.length + 1;
  }

  /**
   * Runs parts 0 … {@code parts − 1} of {@code task}, {@code parts} at most {@link #count}, and
   * returns when all have ended; what one throws is thrown here.
   */
  void run(int parts, Task task) {
    failure = null;
    this.task = task;
    if (parts == 1) {
      this.task.run(0, 1);
      return;
    }
    this.parts = parts;
    unfinished.set(threads.length);
    round++; // one caller at a time: see Ops
    wake();
    try {
      this.task.run(0, parts);
    } finally {
      awaitOthers();
    }
    Throwable thrown = failure;
    if (thrown != null) {
      throw new IllegalStateException("a part of the work failed: " + thrown, thrown);
    }
  }

  /** Where part {@code part} of {@code parts} begins in 0 … n: a multiple of {@code unit}, or n. */
  static int bound(int n, int unit, int part, int parts) {
    long units = (n + unit - 1L) / unit;
    return (int) Math.min(n, unit * (units * part / parts));
  }

  private void awaitOthers() {
    for (int spins = 0; unfinished.get() > 0; spins++) {
      if (spins > 2 * BARE_SPINS) {
        Thread.yield(); // another process holds the core that the last part needs
      } else if (spins > BARE_SPINS) {
        Thread.onSpinWait();
      }
    }
  }

  private void work(int index) {
    int seen = 0;
    while (!closed) {
      seen = nextRound(index, seen);
      if (closed) {
        return;
      }
      try {
        if (index + 1 < parts) {
          task.run(index + 1, parts);
        }
      } catch (Throwable e) { // an Error too must reach the caller, who would wait for ever
        failure = e;
      } finally {
        unfinished.decrementAndGet();
      }
    }
  }

  /** Waits for a round that is not {@code seen}, and gives it; or for the end. */
  private int nextRound(int index, int seen) {
    long start = System.nanoTime();
    for (int spins = 1; round == seen; spins++) {
      if (spins > BARE_SPINS) {
        Thread.onSpinWait();
      }
      if ((spins & 255) == 0 && System.nanoTime() - start > SPIN_NANOS) {
        sleep(index, seen);
      }
      if (closed) {
        break;
      }
    }
    return round;
  }

  private void sleep(int index, int seen) {
    synchronized (this) {
      asleep[index] = true;
    }
    while (round == seen && !closed) {
      LockSupport.park(this);
    }
    synchronized (this) {
      asleep[index] = false;
    }
  }

  private void wake() {
    synchronized (this) {
      for (int i = 0; i < threads.length; i++) {
        if (asleep[i]) {
          LockSupport.unpark(threads[i]);
        }
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }
}
