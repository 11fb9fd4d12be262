package mlpcuda.compute.cpu;

/**
 * How the work of an operation is shared out among {@link Workers}, and the memory that each part
 * of it works in. Parts depend on sizes and the number of threads alone.
 */
final class Parts implements AutoCloseable {
  /** Floats of a block that loops work on: a few of them fit a 32 KiB first-level cache. */
  static final int BLOCK = 1024;

  /** What a part must have to do to be worth waking a thread for. */
  private static final long GRAIN_ELEMENTS = 4096;

  private static final long GRAIN_FLOPS = 50_000;

  private static final int SLOTS = 4;

  /** Work on the elements {@code from} … {@code from + n − 1}, at most {@link #BLOCK}. */
  interface BlockTask {
    void run(int part, int from, int n);
  }

  private final Workers workers;
  private final float[][][] floats; // by part, by slot
  private final int[][][] bits; // by part, by slot: (BLOCK)

  Parts(int threads) {
    workers = new Workers(threads);
    floats = new float[threads][SLOTS][BLOCK];
    bits = new int[threads][SLOTS][BLOCK];
  }

  /** The most parts that there are. */
  int most() {
    return workers.count();
  }

  /**
   * One part for each thread, as far as the work is worth waking them. Not more: every part of a
   * product packs its operands anew, which costs more than it evens out.
   */
  private int of(long work, long grain) {
    return (int) Math.max(1, Math.min(workers.count(), work / grain));
  }

  /** How many parts work on {@code elements} has. */
  int of(long elements) {
    return of(elements, GRAIN_ELEMENTS);
  }

  /** How many parts a product of so many operations has. */
  int ofProduct(long flops) {
    return of(flops, GRAIN_FLOPS);
  }

  /** Does so many parts of a task, and waits. */
  void run(int count, Workers.Task task) {
    workers.run(count, task);
  }

  /** Does a task for each block of {@code n} elements, and waits. */
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

  /** Floats for a part to use, {@code n} or more, the same for a slot: from 0 to 3. */
  float[] floats(int part, int slot, int n) {
    if (floats[part][slot].length < n) {
      floats[part][slot] = new float[n];
    }
    return floats[part][slot];
  }

  /** {@link #floats(int, int, int)}, a block of them or more. */
  float[] floats(int part, int slot) {
    return floats[part][slot];
  }

  /** A block of ints for a part to use. */
  int[] bits(int part, int slot) {
    return bits[part][slot];
  }

  @Override
  public void close() {
    workers.close();
  }
}
