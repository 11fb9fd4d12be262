package mlpcuda.compute;

import java.util.List;

/**
 * A whole training step at once, from images to updated weights: what the operations of {@link Ops}
 * do one by one, with the same results but for rounding. No gradients are left behind.
 */
public interface FusedStep extends AutoCloseable {
  /**
   * What a step works on.
   *
   * @param sizes width of the input, of each hidden layer, of the output
   * @param hidden activation of the hidden layers
   * @param output activation of the last layer
   * @param w the weights' arena
   * @param m the first moments', or velocities', laid out alike
   * @param v the second moments'
   * @param weights where each layer's weights (O, I) begin in the arenas
   * @param biases where each layer's biases (O) begin
   * @param optimizer what moves them
   * @param dropouts rates of dropout after each hidden layer; empty: there is none
   * @param smoothing of labels
   * @param seed of dropout's masks
   * @param position (3) INT32: as {@link Ops#advance} has it
   * @param rate (1) out: the step's learning rate
   * @param rates (S): the learning rates of the epoch's steps
   * @param log (S, 2): as {@link Ops#crossEntropyForward} has it
   * @param scaling {@link LossScale}'s state; null where there is none
   * @param scale with {@code shift}: an input is pixel · scale + shift
   * @param maxB the largest batch
   */
  record Plan(
      List<Integer> sizes,
      Activation hidden,
      Activation output,
      Buffer w,
      Buffer m,
      Buffer v,
      List<Integer> weights,
      List<Integer> biases,
      OptimizerSettings optimizer,
      List<Float> dropouts,
      float smoothing,
      long seed,
      Buffer position,
      Buffer rate,
      Buffer rates,
      Buffer log,
      Buffer scaling,
      float scale,
      float shift,
      int maxB) {
    /** Number of layers with weights, L. */
    public int layers() {
      return sizes.size() - 1;
    }

    /** Activation of layer {@code l}. */
    public Activation activation(int l) {
      return l == layers() - 1 ? output : hidden;
    }

    /** Rate of dropout after layer {@code l}. */
    public float dropout(int l) {
      return l < dropouts.size() ? dropouts.get(l) : 0;
    }
  }

  /** Learns from a batch of {@code B} examples. */
  void run(Feed.Batch batch, int B);

  @Override
  void close();
}
