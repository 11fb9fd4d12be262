package mlpcuda.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Resources;
import mlpcuda.compute.Targets;
import mlpcuda.error.DeviceException;

/**
 * A multilayer perceptron for batches of up to {@code maxB} examples: a₀ = x, aₗ₊₁ = activationₗ(aₗ
 * · Wₗᵀ + bₗ), and the loss is the cross-entropy of the softmax of the last a.
 */
public final class Mlp implements AutoCloseable {
  private final Resources resources = new Resources();
  private final Ops ops;
  private final MlpShape shape;
  private final Parameters parameters;
  private final List<Buffer> a = new ArrayList<>(); // L + 1: (maxB, sizes[l])
  private final Buffer losses; // (2, maxB)
  private final List<LayerGradients> gradients = new ArrayList<>(); // L; empty: no training
  private final Regularisation regularisation;
  private final List<Buffer> h = new ArrayList<>(); // L: a[l], or a[l] after dropout
  private final List<Buffer> dz = new ArrayList<>(); // L: (maxB, sizes[l + 1]); empty: no training

  private Mlp(Parameters parameters, int maxB, boolean training, Regularisation regularisation) {
    this.ops = parameters.ops();
    this.shape = parameters.shape();
    this.parameters = parameters;
    this.regularisation = regularisation;
    regularisation.check(shape);
    if (training) {
      resources.attempt(parameters::needGradients);
    }
    this.losses = allocate("losses", maxB, 2);
    for (int l = 0; l <= shape.layers(); l++) {
      int width = shape.sizes().get(l);
      a.add(allocate("a" + l, maxB, width));
      if (l < shape.layers()) {
        h.add(drops(l) ? allocate("h" + l, maxB, width) : a.get(l));
      }
      if (training && l > 0) {
        dz.add(allocate("dz" + (l - 1), maxB, width));
      }
    }
    for (int l = 0; training && l < shape.layers(); l++) {
      Parameters.Layer layer = parameters.gradient(l);
      Optional<Buffer> dx = l == 0 ? Optional.empty() : Optional.of(dz.get(l - 1));
      gradients.add(new LayerGradients(dx, layer.weight(), layer.bias()));
    }
  }

  private Buffer allocate(String name, int maxB, int width) {
    return resources.open(() -> ops.allocate(name, Type.FLOAT32, size(maxB, width)));
  }

  /** Whether dropout stands between a[l] and the layer that it is the input of. */
  private boolean drops(int l) {
    return regularisation.dropout(l) > 0;
  }

  private static int size(int maxB, int width) {
    long size = (long) maxB * width;
    if (size > Integer.MAX_VALUE) {
      throw new DeviceException(
          "Out of memory for a batch of %d: %d values in a layer, and a buffer may have %d"
              .formatted(maxB, size, Integer.MAX_VALUE),
          "Lower the widths of the hidden layers, the batch size or the test batch size.");
    }
    return (int) size;
  }

  /**
   * A network that can learn: the parameters get gradients. The caller closes it, and {@code
   * parameters} after it.
   */
  public static Mlp forTraining(Parameters parameters, int maxB, Regularisation regularisation) {
    return new Mlp(parameters, maxB, true, regularisation);
  }

  /** A network that only predicts. The caller closes it, and {@code parameters} after it. */
  public static Mlp forInference(Parameters parameters, int maxB) {
    return new Mlp(parameters, maxB, false, Regularisation.NONE);
  }

  /** The buffer for a batch's inputs, (maxB, I). */
  public Buffer inputs() {
    return a.get(0);
  }

  /** The logits that {@link #forward} computes, (maxB, C). */
  public Buffer logits() {
    return a.get(shape.layers());
  }

  /**
   * Computes the logits of the first {@code B} rows of {@link #inputs}.
   *
   * @param step (1) INT32: the step's number, which dropout's masks depend on
   */
  public void forward(Buffer step, int B) {
    for (int l = 0; l < shape.layers(); l++) {
      Parameters.Layer layer = parameters.layer(l);
      ops.linearForward(
          a.get(l + 1),
          h.get(l),
          layer.weight(),
          layer.bias(),
          B,
          shape.inputs(l),
          shape.outputs(l),
          shape.activation(l));
      if (l + 1 < shape.layers() && drops(l + 1)) {
        drop(h.get(l + 1), a.get(l + 1), step, l + 1, B);
      }
    }
  }

  private void drop(Buffer y, Buffer x, Buffer step, int l, int B) {
    int n = B * shape.inputs(l);
    ops.dropoutForward(y, x, step, n, regularisation.dropout(l), l, regularisation.seed());
  }

  /**
   * Computes the loss of the logits against the targets into {@code log}, as {@link
   * Ops#crossEntropyForward} does, and while training its gradient, too.
   *
   * @param scaling {@link mlpcuda.compute.LossScale}'s state, for the gradient; empty where there
   *     is none
   */
  public void loss(Buffer log, Targets targets, Buffer step, Optional<Buffer> scaling, int B) {
    Optional<Buffer> dLogits =
        dz.isEmpty() ? Optional.empty() : Optional.of(dz.get(shape.layers() - 1));
    var outputs = new LossOutputs(dLogits, log, losses);
    int C = shape.classes();
    ops.crossEntropyForward(
        outputs, logits(), targets, step, scaling, B, C, regularisation.smoothing());
  }

  /** Computes the gradients of all parameters, after {@link #forward} and {@link #loss}. */
  public void backward(Buffer step, int B) {
    int last = shape.layers() - 1;
    if (shape.output() != Activation.NONE) {
      int n = B * shape.classes();
      ops.activationBackward(dz.get(last), dz.get(last), logits(), n, shape.output());
    }
    for (int l = last; l >= 0; l--) {
      ops.linearBackward(
          gradients.get(l),
          dz.get(l),
          h.get(l),
          parameters.layer(l).weight(),
          B,
          shape.inputs(l),
          shape.outputs(l),
          l == 0 || drops(l) ? Activation.NONE : shape.activation(l - 1));
      if (l > 0 && drops(l)) {
        // The gradient goes through the mask and then through the activation, whose output is a.
        Buffer d = dz.get(l - 1);
        drop(d, d, step, l, B);
        ops.activationBackward(d, d, a.get(l), B * shape.inputs(l), shape.activation(l - 1));
      }
    }
  }

  @Override
  public void close() {
    resources.close();
  }
}
