package mlpcuda;

import mlpcuda.compute.LossScale;

/**
 * Averages what came out of the replicas of a round: their weights, both moments of their
 * optimizers and the losses of their steps. Wang et al. ("SlowMo: Improving communication-efficient
 * distributed SGD with slow momentum", 2020) compare averaging the moments with keeping and with
 * resetting them; averages need no replica to have a state of its own.
 *
 * <p>Sums of floats depend on their order: whoever adds rounds in the order of the workers gets the
 * same bytes each time. Means of groups of workers may be added as well.
 */
public final class RoundMean {
  private Replica.Round first; // null: nothing was added
  private double[] weights;
  private double[] m;
  private double[] v;
  private double[] losses;
  private float[] lossScale; // the state of the smallest scale
  private int workers;

  /**
   * Adds the result of a worker, or the mean of several.
   *
   * @throws IllegalArgumentException if it is of another round or another network than those before
   */
  public void add(Replica.Round round) {
    Replica.State state = round.state();
    if (first == null) {
      first = round;
      weights = new double[state.weights().length];
      m = new double[state.m().length];
      v = new double[state.v().length];
      losses = new double[round.losses().length];
      lossScale = state.lossScale();
    } else {
      check(state.steps() == first.state().steps(), "number of steps");
      check(state.weights().length == weights.length, "number of weights");
      check(state.m().length == m.length && state.v().length == v.length, "kind of optimizer");
      check(round.losses().length == losses.length, "number of losses");
      lossScale = smaller(lossScale, state.lossScale());
    }
    add(weights, state.weights(), round.workers());
    add(m, state.m(), round.workers());
    add(v, state.v(), round.workers());
    add(losses, round.losses(), round.workers());
    workers += round.workers();
  }

  private static void check(boolean fits, String what) {
    if (!fits) {
      throw new IllegalArgumentException(
          "the results of a round must have the same %s, found different ones".formatted(what));
    }
  }

  /**
   * The state with the smaller scale, which no worker's gradients are too large for. A device of
   * another precision has none.
   */
  private static float[] smaller(float[] a, float[] b) {
    if (a.length == 0 || b.length == 0) {
      return a.length == 0 ? b : a;
    }
    return b[LossScale.SCALE] < a[LossScale.SCALE] ? b : a;
  }

  private static void add(double[] sum, float[] values, int workers) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += (double) values[i] * workers;
    }
  }

  /**
   * The mean of all that was added, in which each worker counts the same.
   *
   * @throws IllegalStateException if nothing was added
   */
  public Replica.Round mean() {
    if (first == null) {
      throw new IllegalStateException("the mean of no results was asked for");
    }
    return new Replica.Round(
        new Replica.State(mean(weights), mean(m), mean(v), first.state().steps(), lossScale),
        mean(losses),
        workers);
  }

  private float[] mean(double[] sum) {
    float[] mean = new float[sum.length];
    for (int i = 0; i < sum.length; i++) {
      mean[i] = (float) (sum[i] / workers);
    }
    return mean;
  }
}
