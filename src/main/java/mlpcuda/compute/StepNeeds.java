package mlpcuda.compute;

/**
 * The properties of a training that decide in which ways a device can run its steps.
 *
 * @param maxB the largest batch
 * @param widest the number of outputs of the widest layer
 * @param layers the number of layers
 * @param clips whether gradients are clipped by their norm, which needs all gradients before any
 *     weight is updated
 * @param weighted whether examples have weights, which the steps of several kernels lack
 * @param averages whether an average of the weights moves after each step, so that no two steps may
 *     be one launch
 */
public record StepNeeds(
    int maxB, int widest, int layers, boolean clips, boolean weighted, boolean averages) {
  /** A copy of these needs with or without an average of the weights. */
  public StepNeeds averaging(boolean averages) {
    return new StepNeeds(maxB, widest, layers, clips, weighted, averages);
  }
}
