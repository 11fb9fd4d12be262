package mlpcuda.compute;

import java.util.List;
import java.util.function.IntFunction;

/**
 * A whole training step at once, from images to updated weights: what the operations of {@link Ops}
 * do one by one, with the same results but for rounding. No gradients are left behind.
 */
public interface FusedStep extends AutoCloseable {
  /** The most outputs that a layer may have. */
  int WIDEST = 1024;

  /** The most layers. */
  int MOST_LAYERS = 32;

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
   * The buffers and settings that a step works on.
   *
   * @param layers the layers, from the first to the last
   * @param w the weights' arena
   * @param m the arena of the first moments, or velocities, laid out alike
   * @param v the arena of the second moments
   * @param optimizer the optimizer that updates the weights
   * @param smoothing label smoothing, ε
   * @param seed the seed of dropout's masks
   * @param position (3) INT32: as {@link Ops#advance} has it
   * @param rate (1) out: the step's learning rate
   * @param rates (S): the learning rates of the epoch's steps
   * @param log (S, 2): as {@link Ops#crossEntropyForward} has it
   * @param scaling {@link LossScale}'s state; null where there is none
   * @param scale the factor of a pixel: an input is pixel · scale + shift
   * @param needs the largest batch, and what else a device chooses its kind of step by
   */
  record Plan(
      List<Layer> layers,
      Buffer w,
      Buffer m,
      Buffer v,
      OptimizerSettings optimizer,
      float smoothing,
      long seed,
      Buffer position,
      Buffer rate,
      Buffer rates,
      Buffer log,
      Buffer scaling,
      float scale,
      float shift,
      StepNeeds needs) {
    /** The largest batch. */
    public int maxB() {
      return needs.maxB();
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
