package mlpcuda.compute;

import java.util.Optional;
import mlpcuda.compute.Buffer.Type;

/**
 * The operations of a network's layers and of its loss: what {@link Ops} has besides the updates of
 * the weights. Its documentation says what holds for all operations.
 */
public abstract class LayerOps extends DeviceMemory {
  private final Precision precision;

  /** Operations whose products have operands of that precision. */
  LayerOps(Precision precision) {
    this.precision = precision;
  }

  /** The format to which the layers' products round their operands. */
  public final Precision precision() {
    return precision;
  }

  /**
   * Gathers a batch and normalises it: x[b, i] = features[row, i], scaled, y[b] = labels[row], and
   * the same with weights where the targets have any, where row = rows[end[0] − B + b].
   *
   * @param x (B, I) out
   * @param targets out
   * @param examples the set
   * @param order the order that the batch is a part of; empty: the batch is rows 0 … B − 1
   */
  public final void gatherForward(
      Buffer x,
      Targets targets,
      DeviceExamples examples,
      Optional<Order> order,
      int B,
      int I,
      InputScaling scaling) {
    String op = "gatherForward";
    sizes(op, B, I);
    need(op, "x", x, Type.FLOAT32, (long) B * I);
    needTargets(op, targets, B);
    int N = examples.labels().length();
    need(op, "labels", examples.labels(), Type.UINT8, order.isPresent() ? 1 : B);
    Buffer features = examples.features();
    boolean floats = features.type() == Type.FLOAT32;
    need(op, "features", features, floats ? Type.FLOAT32 : Type.UINT8, (long) N * I);
    if (targets.weights().isPresent()) {
      need(op, "weights of the set", examples.weights().orElseThrow(), Type.FLOAT32, N);
    }
    if (order.isPresent()) {
      need(op, "rows", order.get().rows(), Type.INT32, B);
      need(op, "end", order.get().end(), Type.INT32, 1);
    }
    if (scaling instanceof InputScaling.PerColumn columns) {
      need(op, "centre", columns.centre(), Type.FLOAT32, I);
      need(op, "factor", columns.factor(), Type.FLOAT32, I);
    }
    gatherForwardK(x, targets, examples, order, B, I, scaling);
  }

  /**
   * Distorts images and scales them to inputs: x[b] is image b of the originals as {@link
   * Distortion} and {@link DistortionDraws} define it for the number of its example.
   *
   * @param x (B, I) out
   * @param originals images (N, I) UINT8 and numbers (B) INT32
   * @param epoch the epoch that the random numbers are of
   */
  public final void distortForward(
      Buffer x, Originals originals, int B, Distorting distorting, int epoch) {
    String op = "distortForward";
    int I = distorting.inputs();
    sizes(op, B, I);
    need(op, "x", x, Type.FLOAT32, (long) B * I);
    need(op, "images", originals.images(), Type.UINT8, originals.staged() ? (long) B * I : I);
    need(op, "numbers", originals.numbers(), Type.INT32, B);
    distortForwardK(x, originals, B, distorting, epoch);
  }

  /**
   * A layer: y = activation(x · wᵀ + b), where x and w are rounded to {@link #precision}.
   *
   * @param y (B, O) out
   * @param x (B, I)
   * @param w (O, I), as in {@code torch.nn.Linear}
   * @param b (O)
   */
  public final void linearForward(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    String op = "linearForward";
    sizes(op, B, I, O);
    need(op, "y", y, Type.FLOAT32, (long) B * O);
    need(op, "x", x, Type.FLOAT32, (long) B * I);
    need(op, "w", w, Type.FLOAT32, (long) O * I);
    need(op, "b", b, Type.FLOAT32, O);
    linearForwardK(y, x, w, b, B, I, O, activation);
  }

  /**
   * The gradients of a layer: dw = dyᵀ · x, db = the column sums of dy, and dx = (dy · w) ⊙
   * below′(x), where the products' operands are rounded to {@link #precision}.
   *
   * @param gradients out
   * @param dy (B, O): the gradient before this layer's activation
   * @param x (B, I): the layer's input, which is the output of the activation {@code below}
   * @param w (O, I)
   */
  public final void linearBackward(
      LayerGradients gradients,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below) {
    String op = "linearBackward";
    sizes(op, B, I, O);
    if (gradients.dx().isPresent()) {
      need(op, "dx", gradients.dx().get(), Type.FLOAT32, (long) B * I);
    }
    need(op, "dw", gradients.dw(), Type.FLOAT32, (long) O * I);
    need(op, "db", gradients.db(), Type.FLOAT32, O);
    need(op, "dy", dy, Type.FLOAT32, (long) B * O);
    need(op, "x", x, Type.FLOAT32, (long) B * I);
    need(op, "w", w, Type.FLOAT32, (long) O * I);
    linearBackwardK(gradients, dy, x, w, B, I, O, below);
  }

  /**
   * The gradient of an activation alone: dx = dy ⊙ activation′(y). {@code dx} may be {@code dy}.
   *
   * @param dx (n) out
   * @param dy (n)
   * @param y (n): the activation's output
   */
  public final void activationBackward(
      Buffer dx, Buffer dy, Buffer y, int n, Activation activation) {
    String op = "activationBackward";
    sizes(op, n);
    need(op, "dx", dx, Type.FLOAT32, n);
    need(op, "dy", dy, Type.FLOAT32, n);
    need(op, "y", y, Type.FLOAT32, n);
    activationBackwardK(dx, dy, y, n, activation);
  }

  /**
   * The factor of {@link #dropoutForward} for what it keeps: 1 / (1 − rate), in single precision.
   */
  public static float dropoutScale(float rate) {
    return (float) (1 / (1.0 - rate));
  }

  /**
   * Dropout: y = x / (1 − rate) where kept, 0 elsewhere. Element i is kept where the Philox float
   * of counter (i / 4, layer, step[0]), word i mod 4, key {@code seed}, is at least {@code rate}:
   * the mask is never stored. {@code y} may be {@code x}. The gradient is the same operation:
   * {@code dropoutForward(dx, dy, …)} with the same counter.
   *
   * @param y (n) out
   * @param x (n)
   * @param step (1) INT32
   * @param rate the rate of dropout, in [0, 1)
   */
  public final void dropoutForward(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    String op = "dropoutForward";
    sizes(op, n);
    need(op, "y", y, Type.FLOAT32, n);
    need(op, "x", x, Type.FLOAT32, n);
    need(op, "step", step, Type.INT32, 1);
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(op + ": rate must lie in [0, 1), found " + rate);
    }
    dropoutForwardK(y, x, step, n, rate, layer, seed);
  }

  /**
   * Log-softmax of each row, x − log Σ eˣ, stable for logits of any finite size.
   *
   * @param y (B, C) out
   * @param x (B, C)
   */
  public final void logSoftmaxForward(Buffer y, Buffer x, int B, int C) {
    String op = "logSoftmaxForward";
    sizes(op, B, C);
    need(op, "y", y, Type.FLOAT32, (long) B * C);
    need(op, "x", x, Type.FLOAT32, (long) B * C);
    logSoftmaxForwardK(y, x, B, C);
  }

  /**
   * Log-softmax, cross-entropy, its gradient and the count of right answers in one, as {@code
   * torch.nn.CrossEntropyLoss} with {@code label_smoothing} ε: a row's loss is −Σ target ·
   * log-softmax, where target = (1 − ε) · one-hot(y) + ε / C. A row's answer is its largest logit,
   * the first of equals. An example's loss and its gradient are multiplied by its weight; the mean
   * is still a B-th of the sum, as Keras has it, and right answers are counted without weights. The
   * row (step[0] − 1) mod S of {@code log} becomes (sum of the B losses, number right).
   *
   * @param outputs out
   * @param x (B, C): the logits
   * @param targets the classes, each below C: the caller's promise; and the weights
   * @param step (1) INT32, at least 1
   * @param scaling {@link LossScale}'s state: dx is multiplied by its scale; empty: it is not
   * @param smoothing ε, in [0, 1)
   */
  public final void crossEntropyForward(
      LossOutputs outputs,
      Buffer x,
      Targets targets,
      Buffer step,
      Optional<Buffer> scaling,
      int B,
      int C,
      float smoothing) {
    String op = "crossEntropyForward";
    sizes(op, B, C);
    if (outputs.dx().isPresent()) {
      need(op, "dx", outputs.dx().get(), Type.FLOAT32, (long) B * C);
    }
    need(op, "log", outputs.log(), Type.FLOAT32, 2);
    need(op, "losses", outputs.losses(), Type.FLOAT32, 2L * B);
    need(op, "x", x, Type.FLOAT32, (long) B * C);
    needTargets(op, targets, B);
    need(op, "step", step, Type.INT32, 1);
    needScaling(op, scaling);
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(op + ": smoothing must lie in [0, 1), found " + smoothing);
    }
    crossEntropyForwardK(outputs, x, targets, step, scaling, B, C, smoothing);
  }

  // ---- what a device implements, without checks ----

  /** {@link #gatherForward}. */
  protected abstract void gatherForwardK(
      Buffer x,
      Targets targets,
      DeviceExamples examples,
      Optional<Order> order,
      int B,
      int I,
      InputScaling scaling);

  /** {@link #distortForward}. */
  protected abstract void distortForwardK(
      Buffer x, Originals originals, int B, Distorting distorting, int epoch);

  /** {@link #linearForward}. */
  protected abstract void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation);

  /** {@link #linearBackward}. */
  protected abstract void linearBackwardK(
      LayerGradients gradients,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below);

  /** {@link #activationBackward}. */
  protected abstract void activationBackwardK(
      Buffer dx, Buffer dy, Buffer y, int n, Activation activation);

  /** {@link #dropoutForward}. */
  protected abstract void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed);

  /** {@link #logSoftmaxForward}. */
  protected abstract void logSoftmaxForwardK(Buffer y, Buffer x, int B, int C);

  /** {@link #crossEntropyForward}. */
  protected abstract void crossEntropyForwardK(
      LossOutputs outputs,
      Buffer x,
      Targets targets,
      Buffer step,
      Optional<Buffer> scaling,
      int B,
      int C,
      float smoothing);

  // ---- checks ----

  static void sizes(String op, int... sizes) {
    for (int size : sizes) {
      if (size < 1) {
        throw new IllegalArgumentException(op + ": sizes must be at least 1, found " + size);
      }
    }
  }

  private void needTargets(String op, Targets targets, int B) {
    need(op, "y", targets.y(), Type.INT32, B);
    if (targets.weights().isPresent()) {
      need(op, "weights", targets.weights().get(), Type.FLOAT32, B);
    }
  }

  final void needScaling(String op, Optional<Buffer> scaling) {
    if (scaling.isPresent()) {
      need(op, "scaling", scaling.get(), Type.FLOAT32, LossScale.LENGTH);
    }
  }
}
