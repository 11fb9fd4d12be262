package mlpcuda.train;

import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.StepNeeds;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Step;

/**
 * A training that gives the same on every device, but for rounding: initial weights, batches and
 * masks are functions of the seed.
 *
 * @param set the examples to learn from
 * @param B the number of examples of a step, at most those of {@code set}
 * @param clip the limit of the gradients' norm; 0: there is none
 * @param rate the learning rate
 */
public record Training(
    MlpShape shape,
    ImageSet set,
    Scaling scaling,
    int B,
    Regularisation regularisation,
    OptimizerSettings optimizer,
    double clip,
    double rate,
    long seed) {
  /** The number of whole batches of an epoch: the examples left over are not learnt from. */
  public int batches() {
    return set.size() / B;
  }

  /** What decides how a device runs its steps. */
  public StepNeeds needs() {
    return Step.needs(shape, B, clip > 0);
  }

  /** A copy of this training with another set, in batches of {@code B}. */
  public Training with(ImageSet set, int B) {
    return new Training(shape, set, scaling, B, regularisation, optimizer, clip, rate, seed);
  }
}
