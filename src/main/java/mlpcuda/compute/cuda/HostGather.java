package mlpcuda.compute.cuda;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Gathers batches of a set on the host: the rows lie all over the set, so that the memory's latency
 * takes most of the time, and threads that each copy a part of the rows hide it. The threads call
 * no driver.
 */
public final class HostGather implements AutoCloseable {
  /**
   * The least bytes for a thread of its own: some 60 µs of copying. Waking a thread takes up to 20
   * µs.
   */
  static final int SHARE = 256 << 10;

  /** The most threads: a few of them take all that the memory can give. */
  private static final int MOST_THREADS = 4;

  private final byte[] pixels; // (N, I)
  private final byte[] labels; // (N)
  private final int I;
  private final int threads;
  private ExecutorService helpers; // null until a gather is long enough for them

  /** A gather of a set by as many threads as suit this machine. */
  HostGather(byte[] pixels, byte[] labels, int I) {
    this(pixels, labels, I, Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()));
  }

  /**
   * A gather of a set, whose arrays must not change during a call of {@link #gather}.
   *
   * @param pixels (N, I)
   * @param labels (N)
   * @param threads the most threads, the caller's included
   */
  public HostGather(byte[] pixels, byte[] labels, int I, int threads) {
    this.pixels = pixels;
    this.labels = labels;
    this.I = I;
    this.threads = threads;
  }

  /** The number of images, N. */
  int size() {
    return labels.length;
  }

  /** The number of pixels of an image, I. */
  int inputs() {
    return I;
  }

  /**
   * Gathers {@code n} batches of {@code B} rows.
   *
   * @param to for each batch, at multiples of {@code stride}: images (B, I), then labels (B)
   * @param order the rows' numbers from element {@code from} on
   */
  public void gather(ByteBuffer to, int stride, int[] order, int from, int B, int n) {
    int rows = Math.multiplyExact(B, n);
    int parts = (int) Math.max(1, Math.min(threads, (long) rows * I / SHARE));
    var batches = new Batches(to, stride, order, from, B);
    List<Future<?>> others = new ArrayList<>();
    for (int part = 1; part < parts; part++) {
      int first = first(rows, part, parts);
      int end = first(rows, part + 1, parts);
      others.add(helpers().submit(() -> copy(batches, first, end)));
    }
    try {
      copy(batches, 0, first(rows, 1, parts));
    } finally {
      others.forEach(
          HostGather::await); // even after a failure: the threads write to memory of the caller
    }
  }

  private static int first(int rows, int part, int parts) {
    return (int) ((long) rows * part / parts);
  }

  /** The arguments of {@link #gather} that its threads share. */
  private record Batches(ByteBuffer to, int stride, int[] order, int from, int B) {}

  /** Copies rows {@code first} … {@code end − 1}, counted over all batches. */
  private void copy(Batches batches, int first, int end) {
    ByteBuffer to = batches.to;
    int B = batches.B;
    int batch = first / B;
    int b = first % B;
    for (int r = first; r < end; r++) {
      int row = batches.order[batches.from + r];
      int at = batch * batches.stride;
      to.put(at + b * I, pixels, row * I, I);
      to.put(at + B * I + b, labels[row]);
      if (++b == B) {
        b = 0;
        batch++;
      }
    }
  }

  private ExecutorService helpers() {
    if (helpers == null) {
      helpers =
          Executors.newFixedThreadPool(
              threads - 1,
              work -> {
                var thread = new Thread(work, "gather");
                thread.setDaemon(true); // a program that ends because of a failure must end
                return thread;
              });
    }
    return helpers;
  }

  private static void await(Future<?> part) {
    boolean interrupted = false;
    while (true) {
      try {
        part.get();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // kept for the caller: the memory is still written to
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (helpers != null) {
      helpers.shutdown();
    }
  }
}
