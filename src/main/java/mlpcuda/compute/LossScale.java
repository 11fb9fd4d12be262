package mlpcuda.compute;

/**
 * Dynamic loss scaling (Micikevicius et al., "Mixed precision training", ICLR 2018), with the rules
 * and defaults of {@code torch.amp.GradScaler}: the gradient of the loss is multiplied by a scale
 * before it goes back through the layers, so that small ones survive half precision, and the
 * parameters' gradients are divided by it again. If one of these is not finite, the step moves
 * nothing and the scale is halved; after {@link #GROWTH_INTERVAL} steps without that it is doubled.
 * It stays between {@link #LEAST} and {@link #MOST}, which GradScaler does not know.
 *
 * <p>Its state is a FLOAT32 buffer of {@link #LENGTH} on the device: {@link Ops#advance} settles
 * the step before, {@link Ops#clipNorm} judges this one.
 */
public final class LossScale {
  /** The number of elements of the state. */
  public static final int LENGTH = 4;

  /** Index in the state of the scale, a power of two. */
  public static final int SCALE = 0;

  /**
   * Index in the state of the steps with finite gradients since the scale changed, without this
   * one.
   */
  public static final int CLEAN = 1;

  /** Index in the state of the number of steps before this one that were skipped. */
  public static final int SKIPPED = 2;

  /** Index in the state of the flag that is 1 if this step is skipped, else 0. */
  public static final int SKIPS = 3;

  /** Steps with finite gradients after which the scale is doubled. */
  public static final int GROWTH_INTERVAL = 2000;

  /**
   * The least scale: gradients that half precision does not hold with it are above 10¹², and will
   * not come back.
   */
  public static final float LEAST = 0x1p-24f;

  /** The largest scale: the last that can be doubled and is finite still. */
  public static final float MOST = 0x1p126f;

  private static final float INITIAL = 65536;

  private LossScale() {}

  /** The state before the first step. */
  public static float[] initial() {
    return new float[] {INITIAL, 0, 0, 0};
  }

  /** The state before the first step in that precision; empty where it needs no loss scale. */
  public static float[] initial(Precision precision) {
    return precision.needsLossScale() ? initial() : new float[0];
  }

  /** Whether an array may be the state of a run: its scale a power of two, the others counts. */
  public static boolean isState(float[] state) {
    return state.length == LENGTH
        && state[SCALE] >= LEAST
        && state[SCALE] <= MOST
        && Math.scalb(1.0f, Math.getExponent(state[SCALE])) == state[SCALE]
        && isCount(state[CLEAN])
        && state[CLEAN] < GROWTH_INTERVAL
        && isCount(state[SKIPPED])
        && (state[SKIPS] == 0 || state[SKIPS] == 1);
  }

  private static boolean isCount(float number) {
    return number >= 0 && number == (int) number;
  }

  /** The number of skipped steps that a state has counted, the current one included. */
  public static int skipped(float[] state) {
    return (int) (state[SKIPPED] + state[SKIPS]);
  }

  /** Whether no scale is small enough any more: the run will not learn again. */
  public static boolean isExhausted(float[] state) {
    return state[SCALE] == LEAST && state[SKIPS] != 0;
  }

  /**
   * Ends the step of {@code state}: adjusts the scale and the counts, so that the next may begin.
   */
  public static void settle(float[] state) {
    if (state[SKIPS] != 0) {
      state[SCALE] = Math.max(state[SCALE] / 2, LEAST);
      state[CLEAN] = 0;
      state[SKIPPED]++;
      state[SKIPS] = 0;
    } else if (++state[CLEAN] == GROWTH_INTERVAL) {
      state[SCALE] = Math.min(state[SCALE] * 2, MOST);
      state[CLEAN] = 0;
    }
  }
}
