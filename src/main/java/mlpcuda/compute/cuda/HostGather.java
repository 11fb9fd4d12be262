package mlpcuda.compute.cuda;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import mlpcuda.compute.HostExamples;

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

  /**
   * What is gathered besides labels and weights.
   *
   * @param features whether the features are
   * @param numbers whether the numbers of the examples in the set are
   */
  record Content(boolean features, boolean numbers) {
    /** All that an example consists of. */
    static final Content EXAMPLES = new Content(true, false);
  }

  private final HostExamples examples;
  private final Content content;
  private final int rowBytes;
  private final int threads;
  private ExecutorService helpers; // null until a gather is long enough for them

  /** A gather of a set by as many threads as suit this machine. */
  HostGather(HostExamples examples, Content content) {
    this(examples, content, Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()));
  }

  /**
   * A gather of all of a set, which must not change during a call of {@link #gather}.
   *
   * @param threads the most threads, the caller's included
   */
  public HostGather(HostExamples examples, int threads) {
    this(examples, Content.EXAMPLES, threads);
  }

  private HostGather(HostExamples examples, Content content, int threads) {
    this.examples = examples;
    this.content = content;
    this.rowBytes = content.features ? examples.inputs() * examples.features().type().bytes() : 0;
    this.threads = threads;
  }

  /** The set. */
  HostExamples examples() {
    return examples;
  }

  /**
   * The layout of a batch of {@code B} in memory: features (B, I), numbers (B), weights (B), labels
   * (B), as far as they are gathered and the set has any.
   *
   * @param rowBytes the bytes of an example's features
   */
  public record Layout(int B, int rowBytes, boolean numbered, boolean weighted) {
    /** A batch begins at a multiple of this many bytes, as the widest loads of a kernel need it. */
    private static final int ALIGNMENT = 256;

    /** The byte at which the numbers begin, which are ints. */
    int numbers() {
      return (B * rowBytes + Integer.BYTES - 1) / Integer.BYTES * Integer.BYTES;
    }

    /** The byte at which the weights begin, which are floats. */
    int weights() {
      return numbers() + (numbered ? B * Integer.BYTES : 0);
    }

    /** The byte at which the labels begin. */
    public int labels() {
      return numbered || weighted ? weights() + (weighted ? B * Float.BYTES : 0) : B * rowBytes;
    }

    /** The bytes of a batch. */
    int bytes() {
      return labels() + B;
    }

    /** The bytes between the beginnings of two batches; more than an int holds for a long one. */
    public long stride() {
      int words = (numbered ? Integer.BYTES : 0) + (weighted ? Float.BYTES : 0);
      long bytes = B * (rowBytes + 1L + words) + (words > 0 ? Integer.BYTES : 0);
      return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
  }

  /** The layout of batches of {@code B}. */
  public Layout layout(int B) {
    return new Layout(B, rowBytes, content.numbers, examples.weights().isPresent());
  }

  /**
   * Gathers {@code n} batches of {@code B} rows.
   *
   * @param to for each batch, at multiples of its stride, what its {@link #layout} says
   * @param order the rows' numbers from element {@code from} on
   */
  public void gather(ByteBuffer to, int[] order, int from, int B, int n) {
    int rows = Math.multiplyExact(B, n);
    int parts = (int) Math.max(1, Math.min(threads, (long) rows * rowBytes / SHARE));
    var batches = new Batches(to, layout(B), order, from);
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
  private record Batches(ByteBuffer to, Layout layout, int[] order, int from) {}

  /** Copies rows {@code first} … {@code end − 1}, counted over all batches. */
  private void copy(Batches batches, int first, int end) {
    ByteBuffer to = batches.to;
    Layout layout = batches.layout;
    int B = layout.B;
    int stride = (int) layout.stride();
    int batch = first / B;
    int b = first % B;
    Optional<float[]> weights = examples.weights();
    for (int r = first; r < end; r++) {
      int row = batches.order[batches.from + r];
      int at = batch * stride;
      if (content.features) {
        examples.features().copy(row, to, at + b * rowBytes);
      }
      if (content.numbers) {
        to.putInt(at + layout.numbers() + b * Integer.BYTES, row);
      }
      if (weights.isPresent()) {
        to.putFloat(at + layout.weights() + b * Float.BYTES, weights.get()[row]);
      }
      to.put(at + layout.labels() + b, examples.labels()[row]);
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
