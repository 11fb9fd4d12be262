package mlpcuda.train;

import mlpcuda.compute.OptimizerSettings;
import mlpcuda.net.Regularisation;

/**
 * How a step changes the weights.
 *
 * @param optimizer the optimizer
 * @param clip the limit of the norm of all gradients; 0 if there is none
 * @param regularisation dropout and label smoothing
 * @param ema the decay of the weights' exponential moving average; 0 if there is none
 */
public record Update(
    OptimizerSettings optimizer, double clip, Regularisation regularisation, double ema) {
  /** A step without an average of the weights. */
  public Update(OptimizerSettings optimizer, double clip, Regularisation regularisation) {
    this(optimizer, clip, regularisation, 0);
  }
}
