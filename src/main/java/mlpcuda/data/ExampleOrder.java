package mlpcuda.data;

import mlpcuda.random.Philox;

/** The order in which an epoch visits the examples: a function of seed and epoch alone. */
public final class ExampleOrder {
  private ExampleOrder() {}

  /** The order 0, 1, … {@code size} − 1. */
  public static int[] sequential(int size) {
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      order[i] = i;
    }
    return order;
  }

  /**
   * A uniform permutation of 0 … {@code size} − 1 (Fisher and Yates, in Durstenfeld's form; Lemire,
   * "Fast random integer generation in an interval", 2019, for draws without bias).
   */
  public static int[] shuffled(int size, long seed, int epoch) {
    return shuffled(size, new Draws(Philox.Use.ORDER, seed, epoch));
  }

  /** The order whose last examples become the validation set; it belongs to no epoch. */
  static int[] forSplit(int size, long seed) {
    return shuffled(size, new Draws(Philox.Use.SPLIT, seed, 0));
  }

  /** The order whose first examples of each class become the test set; it belongs to no epoch. */
  static int[] forTest(int size, long seed) {
    return shuffled(size, new Draws(Philox.Use.SPLIT, seed, 1));
  }

  private static int[] shuffled(int size, Draws draws) {
    int[] order = sequential(size);
    for (int i = size - 1; i > 0; i--) {
      int j = draws.below(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  /** A generator of Philox's 32-bit words for one use and one epoch. */
  private static final class Draws {
    private final Philox.Use use;
    private final long seed;
    private final int epoch;
    private final int[] words = new int[4];
    private int taken;

    Draws(Philox.Use use, long seed, int epoch) {
      this.use = use;
      this.seed = seed;
      this.epoch = epoch;
    }

    private long word() {
      if ((taken & 3) == 0) {
        Philox.block(words, taken >>> 2, 0, epoch, use, seed);
      }
      return Integer.toUnsignedLong(words[taken++ & 3]);
    }

    int below(int bound) {
      long product = word() * bound;
      if ((int) product >= 0 || Integer.toUnsignedLong((int) product) >= bound) {
        return (int) (product >>> 32);
      }
      // Low words under 2³² mod bound would make some results more likely, and are drawn again.
      long surplus = (1L << 32) % bound;
      while (Integer.toUnsignedLong((int) product) < surplus) {
        product = word() * bound;
      }
      return (int) (product >>> 32);
    }
  }
}
