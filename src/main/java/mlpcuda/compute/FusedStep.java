package mlpcuda.compute;

import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * A whole training step at once, from features to updated weights: what the operations of {@link
 * Ops} do one by one, with the same results but for rounding. No gradients are left behind.
 */
public interface FusedStep extends AutoCloseable {
  /**
   * A layer: y = dropout(activation(x · wᵀ + b)).
   *
   * @param inputs the number of inputs, I
   * @param outputs the number of outputs, O
   * @param weight the element of the arenas at which its weights (O, I) begin
   * @param bias the element of the arenas at which its biases (O) begin
   * @param activation the activation that follows the affine map
   * @param dropout rate of dropout after it; 0: there is none
   */
  record Layer(
      int inputs, int outputs, int weight, int bias, Activation activation, float dropout) {}

  /**
   * What changes from step to step and lies on the device, so that a step can be recorded once and
   * replayed.
   *
   * @param position (3) INT32: as {@link Ops#advance} has it
   * @param rate (1) out: the step's learning rate
   * @param rates (S): the learning rates of the epoch's steps
   * @param log (S, 2): as {@link Ops#crossEntropyForward} has it
   * @param scaling {@link LossScale}'s state; empty where gradients are not scaled
   */
  record StepState(
      Buffer position, Buffer rate, Buffer rates, Buffer log, Optional<Buffer> scaling) {}

  /**
   * The numbers that are the same in all steps.
   *
   * @param scaling the map from a feature to an input
   * @param smoothing label smoothing, ε
   * @param seed the seed of dropout's masks
   */
  record Constants(InputScaling scaling, float smoothing, long seed) {}

  /**
   * The network, the buffers and the settings that a step works on.
   *
   * @param layers the layers, from the first to the last
   * @param arenas the weights and the optimizer's state
   * @param optimizer the optimizer that updates the weights
   * @param state what changes from step to step
   * @param constants what does not
   * @param needs the largest batch, and what else a device chooses its kind of step by
   */
  record Plan(
      List<Layer> layers,
      OptimizerState arenas,
      OptimizerSettings optimizer,
      StepState state,
      Constants constants,
      StepNeeds needs) {
    /** The largest batch. */
    public int maxB() {
      return needs.maxB();
    }

    /** The layer that reads the features. */
    public Layer first() {
      return layers.get(0);
    }
  }

  /**
   * Trains on {@code n} batches of {@code B} examples, one after another.
   *
   * @param batches the place of each, from 0 to n − 1
   */
  void run(IntFunction<Feed.Batch> batches, int B, int n);

  /** Whether a run is a single launch, however many its batches, so that none needs recording. */
  default boolean isOneLaunch() {
    return false;
  }

  @Override
  void close();
}
