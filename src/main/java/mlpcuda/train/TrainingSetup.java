package mlpcuda.train;

import java.util.Optional;
import mlpcuda.compute.StepNeeds;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.net.Augmentation;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Step;

/**
 * A training that gives the same on every device, but for rounding: initial weights, batches and
 * masks are functions of the seed.
 *
 * @param set the examples to learn from
 * @param B the number of examples of a step, at most those of {@code set}
 * @param update how a step changes the weights
 * @param rate the learning rate
 * @param augmentation how the images are distorted; empty: they are not
 */
public record TrainingSetup(
    MlpShape shape,
    ExampleSet set,
    Scaling scaling,
    int B,
    Update update,
    double rate,
    long seed,
    Optional<Augmentation> augmentation) {
  /** A training whose images are not distorted. */
  public TrainingSetup(
      MlpShape shape,
      ExampleSet set,
      Scaling scaling,
      int B,
      Update update,
      double rate,
      long seed) {
    this(shape, set, scaling, B, update, rate, seed, Optional.empty());
  }

  /**
   * The batches of the set for a network on a device, of which {@code atOnce} are staged at once.
   */
  Batches batches(Parameters parameters, int atOnce) {
    return augmentation.isEmpty()
        ? new Batches(parameters, set, scaling, B, atOnce)
        : new Batches(parameters, set, (PixelScaling) scaling, B, atOnce, augmentation.get(), seed);
  }

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
    return new TrainingSetup(shape, set, scaling, B, update, rate, seed, augmentation);
  }
}
