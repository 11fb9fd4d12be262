package mlpcuda;

/**
 * Moves the common weights of replicas between two rounds: the mean change of the replicas' weights
 * takes a step of SGD with Nesterov's momentum, as a gradient would (DiLoCo: Douillard et al.,
 * 2023). With rate 1 and momentum 0 the new weights are the mean of the replicas', as in local SGD.
 * An outer step belongs to one training, whose momentum it keeps.
 */
public final class OuterStep {
  private final double rate;
  private final double momentum;
  private float[] velocity; // (P); null: there was no step yet, or there is no momentum

  /**
   * An outer optimizer at rest.
   *
   * @param rate the learning rate, above 0: 1 takes the mean change itself
   * @param momentum the momentum, in [0, 1)
   * @throws IllegalArgumentException if a number is out of range
   */
  public OuterStep(double rate, double momentum) {
    if (!(rate > 0 && rate <= Double.MAX_VALUE)) {
      throw new IllegalArgumentException("the outer rate must be above 0, found " + rate);
    }
    if (!(momentum >= 0 && momentum < 1)) {
      throw new IllegalArgumentException("the outer momentum must be in [0, 1), found " + momentum);
    }
    this.rate = rate;
    this.momentum = momentum;
  }

  /**
   * The state that the next round begins with.
   *
   * @param before the state that the round began with
   * @param mean what came out of it on average
   */
  public Replica.State next(Replica.State before, Replica.Round mean) {
    Replica.State after = mean.state();
    float[] weights = new float[before.weights().length];
    if (momentum > 0 && velocity == null) {
      velocity = new float[weights.length];
    }
    for (int i = 0; i < weights.length; i++) {
      double change = (double) after.weights()[i] - before.weights()[i];
      double step = change;
      if (momentum > 0) {
        velocity[i] = (float) (momentum * velocity[i] + change);
        step += momentum * velocity[i];
      }
      weights[i] = (float) (before.weights()[i] + rate * step);
    }
    return new Replica.State(weights, after.m(), after.v(), after.steps(), after.lossScale());
  }
}
