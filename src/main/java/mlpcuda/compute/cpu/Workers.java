package mlpcuda.compute.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that share one piece of work after another with their caller. A piece comes in parts, and
 * each thread has a share of them. A thread that has finished its own share takes parts from the
 * others, and the caller does so, too: a thread that sleeps, or whose processor is taken away
 * before it begins, holds nobody up. The pieces of a training step last microseconds, so a thread
 * that has nothing to do spins for the next one, and sleeps only when none has come for a while.
 */
final class Workers implements AutoCloseable {
  /** A part of a piece of work; the parts of one piece run at the same time, in any order. */
  interface Task {
    void run(int part, int parts);
  }

  private static final long SPIN_NANOS = 50_000;

  /**
   * The checks that a waiting thread makes without telling the processor that it waits: hypervisors
   * take the processor away from a guest that says so too often, and most waits end before.
   */
  private static final int BARE_SPINS = 20_000;

  private static final int STRIDE = 8; // longs between counters: each in a cache line of its own

  private final Thread[] threads;
  private final boolean[] asleep; // guarded by this

  /**
   * For each thread's share, the caller's first: the round in the upper half, and in the lower one
   * how many of its parts nobody has begun.
   */
  private final AtomicLongArray shares;

  private final AtomicInteger unfinished = new AtomicInteger(); // parts of the round
  // The reference is atomic so that the compiler does not know what it holds and so does not
  // compile each task once more into the method that hands it over: on few cores compilers and work
  // compete.
  private final AtomicReference<Task> task = new AtomicReference<>();
  private int parts; // written, like task, before the shares of a round
  private volatile int round;
  private volatile Throwable failure;
  private volatile boolean closed;

  /** {@code count} threads in all, the caller's included. */
  Workers(int count) {
    shares = new AtomicLongArray(STRIDE * count);
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

  /** The start of part {@code part} of {@code parts} in 0 … n: a multiple of {@code unit}, or n. */
  static int bound(int n, int unit, int part, int parts) {
    long units = (n + unit - 1L) / unit;
    return (int) Math.min(n, unit * (units * part / parts));
  }

  /**
   * Runs parts 0 … {@code parts − 1} of {@code task} and returns when all have ended; the failure
   * of a part is thrown here. There is one caller at a time: see {@link mlpcuda.compute.Ops}.
   */
  void run(int parts, Task task) {
    this.task.setRelease(task);
    if (parts == 1 || threads.length == 0) {
      for (int part = 0; part < parts; part++) {
        this.task.get().run(part, parts);
      }
      return;
    }
    if (failure != null) {
      failure = null;
    }
    // Each of these fields is in a cache line that another thread has. Their writes may arrive side
    // by side, as long as they do before the round's: a volatile write would wait for its line to
    // come over.
    this.parts = parts;
    unfinished.setRelease(parts);
    int next = round + 1;
    for (int share = 0; share < count(); share++) {
      int left = Math.max(0, Math.min(perShare(parts), parts - share * perShare(parts)));
      shares.setRelease(STRIDE * share, (long) next << 32 | left);
    }
    round = next;
    wake();
    runParts(0, next);
    awaitOthers();
    Throwable thrown = failure;
    if (thrown != null) {
      throw new IllegalStateException("a part of the work failed: " + thrown, thrown);
    }
  }

  /** Runs the parts of thread {@code own}'s share, then those of others that nobody has begun. */
  private void runParts(int own, int round) {
    for (int i = 0; i < count(); i++) {
      int share = (own + i) % count();
      for (int k = take(share, round); k >= 0; k = take(share, round)) {
        runPart(share * perShare(parts) + k);
      }
    }
  }

  private int perShare(int parts) {
    return (parts - 1) / count() + 1;
  }

  /**
   * Takes a part of a share that nobody has begun, and returns its number in the share; −1 if there
   * is none, or the round is over. The round cannot end before that part does, and so {@code parts}
   * and {@code task} stay those of the part.
   */
  private int take(int share, int round) {
    while (true) {
      long state = shares.get(STRIDE * share);
      int left = (int) state;
      if ((int) (state >> 32) != round || left == 0) {
        return -1;
      }
      if (shares.compareAndSet(STRIDE * share, state, state - 1)) {
        return left - 1;
      }
    }
  }

  private void runPart(int part) {
    try {
      task.get().run(part, parts);
    } catch (Throwable e) { // an Error too must reach the caller, who would wait for ever
      failure = e;
    } finally {
      unfinished.decrementAndGet();
    }
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
      runParts(index + 1, seen);
    }
  }

  /** Waits for a round other than {@code seen}, or for the end, and returns the round. */
  private int nextRound(int index, int seen) {
    long start = System.nanoTime();
    for (int spins = 1; round == seen && !closed; spins++) {
      if (spins > BARE_SPINS) {
        Thread.onSpinWait();
      }
      if ((spins & 255) == 0 && System.nanoTime() - start > SPIN_NANOS) {
        sleep(index, seen);
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
