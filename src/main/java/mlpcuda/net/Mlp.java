package mlpcuda.net;

import java.util.ArrayList;
import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;

/**
 * A multilayer perceptron for batches of up to {@code maxB} examples: a₀ = x, aₗ₊₁ = activationₗ(aₗ
 * · Wₗᵀ + bₗ), and the loss is the cross-entropy of the softmax of the last a.
 */
public final class Mlp implements AutoCloseable {
  private final Ops ops;
  private final MlpShape shape;
  private final Parameters parameters;
  private final List<Buffer> a = new ArrayList<>(); // L + 1: (maxB, sizes[l])
  private final Buffer losses; // (2, maxB)
  private final List<Buffer> dz = new ArrayList<>(); // L: (maxB, sizes[l + 1]); empty: no training

  private Mlp(Ops ops, MlpShape shape, Parameters parameters, int maxB, boolean training) {
    this.ops = ops;
    this.shape = shape;
    this.parameters = parameters;
    this.losses = ops.allocate("losses", Type.FLOAT32, size(maxB, 2));
    for (int l = 0; l <= shape.layers(); l++) {
      a.add(ops.allocate("a" + l, Type.FLOAT32, size(maxB, shape.sizes().get(l))));
      if (training && l > 0) {
        dz.add(ops.allocate("dz" + (l - 1), Type.FLOAT32, size(maxB, shape.sizes().get(l))));
      }
    }
  }

  private static int size(int maxB, int width) {
    long size = (long) maxB * width;
    if (size > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a batch of %dx%d values is too large: at most %d"
              .formatted(maxB, width, Integer.MAX_VALUE));
    }
    return (int) size;
  }

  /** A network that can learn. The caller closes it, and {@code parameters} after it. */
  public static Mlp forTraining(Ops ops, MlpShape shape, Parameters parameters, int maxB) {
    return new Mlp(ops, shape, parameters, maxB, true);
  }

  /** A network that only predicts. The caller closes it, and {@code parameters} after it. */
  public static Mlp forInference(Ops ops, MlpShape shape, Parameters parameters, int maxB) {
    return new Mlp(ops, shape, parameters, maxB, false);
  }

  /** What it is made of. */
  public MlpShape shape() {
    return shape;
  }

  /** (maxB, I): where a batch's inputs go. */
  public Buffer inputs() {
    return a.get(0);
  }

  /** (maxB, C): what {@link #forward} leaves. */
  public Buffer logits() {
    return a.get(shape.layers());
  }

  /** The logits of the first {@code B} rows of {@link #inputs}. */
  public void forward(int B) {
    for (int l = 0; l < shape.layers(); l++) {
      Parameters.Layer layer = parameters.layer(l);
      ops.linearForward(
          a.get(l + 1),
          a.get(l),
          layer.weight(),
          layer.bias(),
          B,
          shape.inputs(l),
          shape.outputs(l),
          shape.activation(l));
    }
  }

  /**
   * The loss of the logits against the classes {@code y} (B), into {@code log} as {@link
   * Ops#crossEntropyForward} says; while training also its gradient.
   */
  public void loss(Buffer log, Buffer y, Buffer step, int B) {
    Buffer dLogits = dz.isEmpty() ? null : dz.get(shape.layers() - 1);
    ops.crossEntropyForward(dLogits, log, losses, logits(), y, step, B, shape.classes(), 0);
  }

  /** The gradients of all parameters, after {@link #forward} and {@link #loss}. */
  public void backward(int B) {
    int last = shape.layers() - 1;
    if (shape.output() != Activation.NONE) {
      int n = B * shape.classes();
      ops.activationBackward(dz.get(last), dz.get(last), logits(), n, shape.output());
    }
    for (int l = last; l >= 0; l--) {
      Parameters.Layer gradient = parameters.gradient(l);
      ops.linearBackward(
          l == 0 ? null : dz.get(l - 1),
          gradient.weight(),
          gradient.bias(),
          dz.get(l),
          a.get(l),
          parameters.layer(l).weight(),
          B,
          shape.inputs(l),
          shape.outputs(l),
          l == 0 ? Activation.NONE : shape.activation(l - 1));
    }
  }

  @Override
  public void close() {
    a.forEach(Buffer::close);
    dz.forEach(Buffer::close);
    losses.close();
  }
}
