package mlpcuda.compute.cpu;

/**
 * The division of an operation's work among {@link Workers}, and the memory that each part of it
 * works in. Parts depend on sizes and the number of threads alone.
 */
final class WorkSplitter implements AutoCloseable {
  /** Floats of a block that loops work on: a few of them fit a 32 KiB first-level cache. */
  static final int BLOCK = 1024;

  /**
   * The least work that is worth waking a thread for: elements, and, next, operations of a product.
   */
  private static final long GRAIN_ELEMENTS = 4096;

  private static final long GRAIN_FLOPS = 50_000;

  private static final int SLOTS = 4;

  /** Work on the elements {@code from} … {@code from + n − 1}, at most {@link #BLOCK} of them. */
  interface BlockTask {
    void run(int part, int from, int n);
  }

  private final Workers workers;
  private final float[][][] floats; // by part, by slot
  private final int[][][] bits; // by part, by slot: (BLOCK)

  WorkSplitter(int threads) {
    workers = new Workers(threads);
    floats = new float[threads][SLOTS][BLOCK];
    bits = new int[threads][SLOTS][BLOCK];
  }

  /** The largest number of parts. */
  int most() {
    return workers.count();
  }

  /**
   * One part for each thread, as far as the work is worth waking them. More parts would cost more
   * than they even out: every part of a product packs its operands anew.
   */
  private int of(long work, long grain) {
    return (int) Math.max(1, Math.min(workers.count(), work / grain));
  }

  /** The number of parts for work on {@code elements}. */
  int of(long elements) {
    return of(elements, GRAIN_ELEMENTS);
  }

  /** The number of parts for a product of {@code flops} operations. */
  int ofProduct(long flops) {
    return of(flops, GRAIN_FLOPS);
  }

  /** Runs {@code count} parts of a task, and waits for them. */
  void run(int count, Workers.Task task) {
    workers.run(count, task);
  }

  /** Runs a task for each block of {@code n} elements, and waits for all. */
  void blocks(int n, BlockTask task) {
    run(
        of(n),
        (part, count) -> {
          int end = Workers.bound(n, BLOCK, part + 1, count);
          for (int i = Workers.bound(n, BLOCK, part, count); i < end; i += BLOCK) {
            task.run(part, i, Math.min(BLOCK, end - i));
          }
        });
  }

  /** An array of a part's own, of {@code n} floats or more; there is one for each slot, 0 … 3. */
  float[] floats(int part, int slot, int n) {
    if (floats[part][slot].length < n) {
      floats[part][slot] = new float[n];
    }
    return floats[part][slot];
  }

  /** An array of a part's own, of {@link #BLOCK} floats or more. */
  float[] floats(int part, int slot) {
    return floats[part][slot];
  }

  /** An array of a part's own, of {@link #BLOCK} ints. */
  int[] bits(int part, int slot) {
    return bits[part][slot];
  }

  @Override
  public void close() {
    workers.close();
  }
}
