package mlpcuda.train;

import mlpcuda.compute.OptimizerSettings;
import mlpcuda.net.Regularisation;

/**
 * How a step changes the weights.
 *
 * @param optimizer the optimizer
 * @param clip the limit of the norm of all gradients; 0 if there is none
 * @param regularisation dropout and label smoothing
 */
public record Update(OptimizerSettings optimizer, double clip, Regularisation regularisation) {}
