package mlpcuda.random;

/**
 * Philox4x32-10, the counter-based random numbers of Salmon, Moraes, Dror and Shaw, "Parallel
 * random numbers: as easy as 1, 2, 3" (SC 2011). A number is a function of its counter and key
 * alone, so that every device and every order of evaluation sees the same one.
 *
 * <p>The key is the run's seed; the last word of the counter tells the uses apart, so that no two
 * of them share numbers.
 */
public final class Philox {
  /** The uses of the numbers: the last word of the counter, so that a new use must come last. */
  public enum Use {
    /** Initial weights: counter (block of 4 values, index of the tensor, 0). */
    INITIAL_WEIGHTS,
    /** Orders of examples: counter (block of 4 values, 0, epoch). */
    ORDER,
    /** Masks of dropout: counter (block of 4 values, layer, step). */
    DROPOUT,
    /** Splits of sets: counter (block of 4 values, 0, 0). */
    SPLIT,
    /** Permutations of a column's values: counter (block of 4 values, column, repetition). */
    IMPORTANCE,
    /** Distortions of images: counter (block of 4 values, example, epoch). */
    DISTORTION
  }

  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private Philox() {}

  /**
   * Fills {@code out} (4) with the block of counter ({@code c0}, {@code c1}, {@code c2}, {@code
   * use}) under the key {@code seed}.
   */
  public static void block(int[] out, int c0, int c1, int c2, Use use, long seed) {
    block(out, c0, c1, c2, use.ordinal(), (int) seed, (int) (seed >>> 32));
  }

  /** Fills {@code out} (4) with the block of counter (c0, c1, c2, c3) under the key (k0, k1). */
  static void block(int[] out, int c0, int c1, int c2, int c3, int k0, int k1) {
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = Integer.toUnsignedLong(M0) * Integer.toUnsignedLong(c0);
      long p1 = Integer.toUnsignedLong(M1) * Integer.toUnsignedLong(c2);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += W0;
      k1 += W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
  }

  /** A float in [0, 1), a multiple of 2⁻²⁴, from the upper bits of {@code word}. */
  public static float uniform(int word) {
    return (word >>> 8) * 0x1p-24f;
  }
}
