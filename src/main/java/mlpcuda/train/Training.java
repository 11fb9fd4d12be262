package mlpcuda.train;

import mlpcuda.compute.OptimizerSettings;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;

/**
 * Training that every device can be asked to do alike: initial weights, batches and masks are
 * functions of the seed.
 *
 * @param set the examples to learn from
 * @param B examples of a step, at most those of {@code set}
 * @param clip limit of the gradient's norm; 0: none
 * @param rate learning rate
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
  /** Whole batches of an epoch: what is left over is not learnt from. */
  public int batches() {
    return set.size() / B;
  }

  /** The same with another set, in batches of {@code B}. */
  public Training with(ImageSet set, int B) {
    return new Training(shape, set, scaling, B, regularisation, optimizer, clip, rate, seed);
  }
}
