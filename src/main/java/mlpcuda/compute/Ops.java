package mlpcuda.compute;

import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import mlpcuda.compute.Buffer.Type;

/**
 * The operations of a multilayer perceptron on one device: the seam between training and hardware.
 *
 * <p>Each public method checks its arguments once and calls its unchecked twin, whose name ends in
 * K and which a device implements. Arguments are outputs, inputs, sizes, scalars, in that order;
 * matrices are row-major; {@code B} is the batch, {@code I} inputs, {@code O} outputs, {@code C}
 * classes. Buffers may be longer than a call needs, and slices may begin anywhere. What changes
 * from step to step (the step count, the learning rate, the losses) lives in buffers, so that a
 * step can be recorded once and replayed. Not thread-safe: one thread drives a device.
 */
public abstract class Ops extends DeviceMemory {
  /** Elements of {@link #clipNorm}'s norm: the norm itself, and memory for its parts. */
  public static final int NORM_LENGTH = 1 + 256;

  private final Precision precision;

  /** Operations in single precision. */
  protected Ops() {
    this(Precision.FP32);
  }

  /** Operations whose products have operands of that precision. */
  protected Ops(Precision precision) {
    this.precision = precision;
  }

  /** {@link #description}, and how the device runs the steps of a training with those needs. */
  public String description(StepNeeds needs) {
    return description();
  }

  /** The format to which the layers' products round their operands. */
  public final Precision precision() {
    return precision;
  }

  /** Versions of the driver and the libraries that it computes with, by their names. */
  public Map<String, String> versions() {
    return Map.of();
  }

  // ---- how a training loop uses a device ----

  /**
   * Makes a way to read up to {@code length} floats while later operations run; close it when done,
   * and before the buffers that it reads.
   */
  public Readback readback(int length) {
    return new Readback.Immediate(this, length);
  }

  /**
   * Makes a feed that brings batches of a set of images to this device, in the way that suits the
   * device; close it when done. The arrays must not change while the feed lives.
   *
   * @param pixels (N, I)
   * @param labels (N)
   * @param maxB the largest batch
   * @param atOnce the most batches that are staged at once
   */
  public Feed feed(byte[] pixels, byte[] labels, int maxB, int atOnce) {
    return new ResidentFeed(this, pixels, labels);
  }

  /**
   * Makes a feed as {@link #feed} does, whose batches are the input of a layer with these weights.
   * A device may take advantage of that, and keep both in an order of its own: what is read from a
   * buffer does not show it.
   *
   * @param weights (O, I)
   */
  public Feed feedFor(Buffer weights, byte[] pixels, byte[] labels, int maxB, int atOnce) {
    return feed(pixels, labels, maxB, atOnce);
  }

  /**
   * Makes a feed of images that the caller may change before each {@link Feed#begin}, without
   * labels; close it when done. A device that does not keep the array of a {@link #constant} must
   * override this.
   *
   * @param pixels (N, I)
   * @param maxB the largest batch
   */
  public Feed changingFeed(byte[] pixels, int I, int maxB) {
    return new ResidentFeed(this, pixels, new byte[pixels.length / I]);
  }

  /**
   * The number of an image's inputs that a product of {@link #feedFor}'s batches multiplies by
   * weights one by one: a device may leave out inputs that are nearly always 0. A benchmark counts
   * operations by it.
   *
   * @param pixels (N, I)
   */
  public int multipliedInputs(byte[] pixels, int I) {
    return I;
  }

  /** The number of training steps with those needs that this device is best given at once. */
  public int stepsAtOnce(StepNeeds needs) {
    return 1;
  }

  /**
   * Tells {@code listener}, in one line each, what the device has to do that takes a user's time:
   * what it did before this call, and from now on.
   */
  public void tellNotes(Consumer<String> listener) {}

  /** Whether {@link #fusedStep} makes a step for a training with those needs. */
  public boolean fusesSteps(StepNeeds needs) {
    return false;
  }

  /** Makes a step that runs as a whole, closed by the caller; empty where this device has none. */
  public Optional<FusedStep> fusedStep(FusedStep.Plan plan) {
    return Optional.empty();
  }

  /** Makes a replay of operations; close it before the buffers that the operations use. */
  public Replay replay() {
    return Replay.direct();
  }

  // ---- operations ----

  /**
   * Gathers a batch and normalises it: x[b, i] = images[row, i] · scale + shift, and y[b] =
   * labels[row], where row = rows[end[0] − B + b].
   *
   * @param x (B, I) out
   * @param y (B) out, INT32
   * @param images (N, I) UINT8
   * @param labels (N) UINT8
   * @param rows (N or more) INT32, each below N: the caller's promise; the batch's are those before
   *     {@code end}[0]; null: the batch is rows 0 … B − 1
   * @param end (1) INT32, from B to the length of {@code rows}: the caller's promise; null with it
   */
  public final void gatherForward(
      Buffer x,
      Buffer y,
      Buffer images,
      Buffer labels,
      Buffer rows,
      Buffer end,
      int B,
      int I,
      float scale,
      float shift) {
    String op = "gatherForward";
    sizes(op, B, I);
    need(op, "x", x, Type.FLOAT32, (long) B * I);
    need(op, "y", y, Type.INT32, B);
    need(op, "labels", labels, Type.UINT8, 1);
    need(op, "images", images, Type.UINT8, (long) labels.length() * I);
    if (rows != null) {
      need(op, "rows", rows, Type.INT32, B);
      need(op, "end", end, Type.INT32, 1);
    } else {
      need(op, "labels", labels, Type.UINT8, B);
    }
    gatherForwardK(x, y, images, labels, rows, end, B, I, scale, shift);
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
   * @param dx (B, I) out: the gradient before the activation that made x; null where none is wanted
   * @param dw (O, I) out
   * @param db (O) out
   * @param dy (B, O): the gradient before this layer's activation
   * @param x (B, I): the layer's input, which is the output of the activation {@code below}
   * @param w (O, I)
   */
  public final void linearBackward(
      Buffer dx,
      Buffer dw,
      Buffer db,
      Buffer dy,
      Buffer x,
      Buffer w,
      int B,
      int I,
      int O,
      Activation below) {
    String op = "linearBackward";
    sizes(op, B, I, O);
    if (dx != null) {
      need(op, "dx", dx, Type.FLOAT32, (long) B * I);
    }
    need(op, "dw", dw, Type.FLOAT32, (long) O * I);
    need(op, "db", db, Type.FLOAT32, O);
    need(op, "dy", dy, Type.FLOAT32, (long) B * O);
    need(op, "x", x, Type.FLOAT32, (long) B * I);
    need(op, "w", w, Type.FLOAT32, (long) O * I);
    linearBackwardK(dx, dw, db, dy, x, w, B, I, O, below);
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
   * the first of equals. The row (step[0] − 1) mod S of {@code log} becomes (sum of the B losses,
   * number right).
   *
   * @param dx (B, C) out: the gradient of the batch's mean loss; null where none is wanted
   * @param log (S, 2) out
   * @param losses (2, B) out: each row's loss, then 1 for each right answer and 0 for the others
   * @param x (B, C): the logits
   * @param y (B) INT32: the classes, each below C: the caller's promise
   * @param step (1) INT32, at least 1
   * @param scaling {@link LossScale}'s state: dx is multiplied by its scale; null: it is not
   * @param smoothing ε, in [0, 1)
   */
  public final void crossEntropyForward(
      Buffer dx,
      Buffer log,
      Buffer losses,
      Buffer x,
      Buffer y,
      Buffer step,
      Buffer scaling,
      int B,
      int C,
      float smoothing) {
    String op = "crossEntropyForward";
    sizes(op, B, C);
    if (dx != null) {
      need(op, "dx", dx, Type.FLOAT32, (long) B * C);
    }
    need(op, "log", log, Type.FLOAT32, 2);
    need(op, "losses", losses, Type.FLOAT32, 2L * B);
    need(op, "x", x, Type.FLOAT32, (long) B * C);
    need(op, "y", y, Type.INT32, B);
    need(op, "step", step, Type.INT32, 1);
    needScaling(op, scaling);
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(op + ": smoothing must lie in [0, 1), found " + smoothing);
    }
    crossEntropyForwardK(dx, log, losses, x, y, step, scaling, B, C, smoothing);
  }

  /**
   * A step of Adam as {@link AdamSettings} defines it.
   *
   * @param w (n) in and out: the weights
   * @param m (n) in and out: the running mean of the gradients
   * @param v (n) in and out: the running mean of their squares
   * @param dw (n): the gradients
   * @param step (1) INT32: this step's number, from 1
   * @param rate (1): the learning rate
   * @param scaling {@link LossScale}'s state: nothing moves where it says that this step is
   *     skipped, and steps that were skipped are not counted; null: none is
   */
  public final void adamStep(
      Buffer w,
      Buffer m,
      Buffer v,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Buffer scaling,
      int n,
      AdamSettings settings) {
    String op = "adamStep";
    sizes(op, n);
    need(op, "w", w, Type.FLOAT32, n);
    need(op, "m", m, Type.FLOAT32, n);
    need(op, "v", v, Type.FLOAT32, n);
    need(op, "dw", dw, Type.FLOAT32, n);
    need(op, "step", step, Type.INT32, 1);
    need(op, "rate", rate, Type.FLOAT32, 1);
    needScaling(op, scaling);
    adamStepK(w, m, v, dw, step, rate, scaling, n, settings);
  }

  /**
   * A step of stochastic gradient descent as {@link SgdSettings} defines it.
   *
   * @param w (n) in and out: the weights
   * @param velocity (n) in and out: zeros before the first step
   * @param dw (n): the gradients
   * @param rate (1): the learning rate
   * @param scaling {@link LossScale}'s state: see {@link #adamStep}
   */
  public final void sgdStep(
      Buffer w,
      Buffer velocity,
      Buffer dw,
      Buffer rate,
      Buffer scaling,
      int n,
      SgdSettings settings) {
    String op = "sgdStep";
    sizes(op, n);
    need(op, "w", w, Type.FLOAT32, n);
    need(op, "velocity", velocity, Type.FLOAT32, n);
    need(op, "dw", dw, Type.FLOAT32, n);
    need(op, "rate", rate, Type.FLOAT32, 1);
    needScaling(op, scaling);
    sgdStepK(w, velocity, dw, rate, scaling, n, settings);
  }

  /**
   * Clips gradients by their norm, in a fixed order, as {@code torch.nn.utils.clip_grad_norm_} with
   * {@code error_if_nonfinite=False}: norm[0] = ‖dw‖₂ and dw = dw · min(1, limit / (norm[0] +
   * 1e-6)). Where the norm is NaN, so is all of dw; where it is infinite, dw is 0, and NaN where it
   * was infinite.
   *
   * <p>With a loss scale dw is divided by it first. Where the norm is not finite then, the state
   * says that this step is skipped, and dw is left alone: what lies between tensors must stay zero.
   *
   * @param dw (n) in and out: the gradients
   * @param norm ({@link #NORM_LENGTH}) out: the norm before clipping; what the others hold
   *     afterwards is the device's affair
   * @param scaling in and out: {@link LossScale}'s state; null: there is none
   * @param limit above 0; infinite: nothing is clipped
   */
  public final void clipNorm(Buffer dw, Buffer norm, Buffer scaling, int n, float limit) {
    String op = "clipNorm";
    sizes(op, n);
    need(op, "dw", dw, Type.FLOAT32, n);
    need(op, "norm", norm, Type.FLOAT32, NORM_LENGTH);
    needScaling(op, scaling);
    if (!(limit > 0)) {
      throw new IllegalArgumentException(op + ": limit must be above 0, found " + limit);
    }
    clipNormK(dw, norm, scaling, n, limit);
  }

  /**
   * Moves a run's position on by a batch and takes that batch's learning rate: all that changes
   * from step to step is made here, on the device, and so a recorded step stays right. The
   * operation is apart from the step's other work, because no thread may read a count that another
   * one increments.
   *
   * @param position (3) INT32 in and out: steps begun, plus 1; examples of the epoch taken, plus B;
   *     batches of the epoch begun, plus 1
   * @param rate (1) out: {@code rates}[position[2]], by the position before
   * @param rates (S): the learning rates of the epoch's steps; position[2] lies in 0 … S − 1: the
   *     caller's promise
   * @param scaling in and out: {@link LossScale}'s state, {@linkplain LossScale#settle settled}
   *     where a step has begun before; null: there is none
   */
  public final void advance(Buffer position, Buffer rate, Buffer rates, Buffer scaling, int B) {
    String op = "advance";
    sizes(op, B);
    need(op, "position", position, Type.INT32, 3);
    need(op, "rate", rate, Type.FLOAT32, 1);
    need(op, "rates", rates, Type.FLOAT32, 1);
    needScaling(op, scaling);
    advanceK(position, rate, rates, scaling, B);
  }

  // ---- what a device implements, without checks ----

  /** {@link #gatherForward}; {@code rows} and {@code end} may be null. */
  protected abstract void gatherForwardK(
      Buffer x,
      Buffer y,
      Buffer images,
      Buffer labels,
      Buffer rows,
      Buffer end,
      int B,
      int I,
      float scale,
      float shift);

  /** {@link #linearForward}. */
  protected abstract void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation);

  /** {@link #linearBackward}; {@code dx} may be null. */
  protected abstract void linearBackwardK(
      Buffer dx,
      Buffer dw,
      Buffer db,
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

  /** {@link #crossEntropyForward}; {@code dx} and {@code scaling} may be null. */
  protected abstract void crossEntropyForwardK(
      Buffer dx,
      Buffer log,
      Buffer losses,
      Buffer x,
      Buffer y,
      Buffer step,
      Buffer scaling,
      int B,
      int C,
      float smoothing);

  /** {@link #adamStep}; {@code scaling} may be null. */
  protected abstract void adamStepK(
      Buffer w,
      Buffer m,
      Buffer v,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Buffer scaling,
      int n,
      AdamSettings settings);

  /** {@link #sgdStep}; {@code scaling} may be null. */
  protected abstract void sgdStepK(
      Buffer w,
      Buffer velocity,
      Buffer dw,
      Buffer rate,
      Buffer scaling,
      int n,
      SgdSettings settings);

  /** {@link #clipNorm}; {@code scaling} may be null. */
  protected abstract void clipNormK(Buffer dw, Buffer norm, Buffer scaling, int n, float limit);

  /** {@link #advance}; {@code scaling} may be null. */
  protected abstract void advanceK(
      Buffer position, Buffer rate, Buffer rates, Buffer scaling, int B);

  // ---- checks ----

  private static void sizes(String op, int... sizes) {
    for (int size : sizes) {
      if (size < 1) {
        throw new IllegalArgumentException(op + ": sizes must be at least 1, found " + size);
      }
    }
  }

  private void needScaling(String op, Buffer scaling) {
    if (scaling != null) {
      need(op, "scaling", scaling, Type.FLOAT32, LossScale.LENGTH);
    }
  }
}
