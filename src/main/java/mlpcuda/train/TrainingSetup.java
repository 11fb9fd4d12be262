package mlpcuda.train;

import mlpcuda.compute.StepNeeds;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Step;

/**
 * A training that gives the same on every device, but for rounding: initial weights, batches and
 * masks are functions of the seed.
 *
 * @param set the examples to learn from
 * @param B the number of examples of a step, at most those of {@code set}
 * @param update how a step changes the weights
 * @param rate the learning rate
 */
public record TrainingSetup(
    MlpShape shape, ExampleSet set, Scaling scaling, int B, Update update, double rate, long seed) {
  /** The number of whole batches of an epoch: the examples left over are not learnt from. */
  public int batches() {
    return set.size() / B;
  }

  /** What decides how a device runs its steps. */
  public StepNeeds needs() {
    return Step.needs(shape, B, update.clip() > 0, set.weights().isPresent())
        .averaging(update.ema() > 0);
  }

  /** A copy of this training with another set, in batches of {@code B}. */
  public TrainingSetup with(ExampleSet set, int B) {
    return new TrainingSetup(shape, set, scaling, B, update, rate, seed);
  }
}
