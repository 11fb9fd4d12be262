package mlpcuda.data;

import mlpcuda.random.Philox;

/**
 * Orders of examples, such as that in which an epoch visits them. An order is a function of the
 * seed and of what it is for, and of nothing else.
 */
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
    return shuffled(size, new Draws(Philox.Use.ORDER, seed, 0, epoch));
  }

  /** The order whose last examples become the validation set; it belongs to no epoch. */
  static int[] forSplit(int size, long seed) {
    return shuffled(size, new Draws(Philox.Use.SPLIT, seed, 0, 0));
  }

  /** The order whose first examples of each class become the test set; it belongs to no epoch. */
  static int[] forTest(int size, long seed) {
    return shuffled(size, new Draws(Philox.Use.SPLIT, seed, 0, 1));
  }

  /** The order in which the values of a column are permuted over the examples. */
  public static int[] forColumn(int size, long seed, int column, int repetition) {
    return shuffled(size, new Draws(Philox.Use.IMPORTANCE, seed, column, repetition));
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

  /** A generator of Philox's 32-bit words for one order. */
  private static final class Draws {
    private final Philox.Use use;
    private final long seed;
    private final int column; // 0 where the use has none
    private final int
        epoch; // another number that tells the use's orders apart, if it has no epochs
    private final int[] words = new int[4];
    private int taken;

    Draws(Philox.Use use, long seed, int column, int epoch) {
      this.use = use;
      this.seed = seed;
      this.column = column;
      this.epoch = epoch;
    }

    private long word() {
      if ((taken & 3) == 0) {
        Philox.block(words, taken >>> 2, column, epoch, use, seed);
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
