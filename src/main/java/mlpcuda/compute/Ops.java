package mlpcuda.compute;

import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.features.Features;

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
public abstract class Ops extends LayerOps {
  /** Elements of {@link #clipNorm}'s norm: the norm itself, and memory for its parts. */
  public static final int NORM_LENGTH = 1 + 256;

  /** Operations in single precision. */
  protected Ops() {
    this(Precision.FP32);
  }

  /** Operations whose products have operands of that precision. */
  protected Ops(Precision precision) {
    super(precision);
  }

  /** {@link #description}, and how the device runs the steps of a training with those needs. */
  public String description(StepNeeds needs) {
    return description();
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
   * Makes a feed that brings batches of a set to this device, in the way that suits the device;
   * close it when done.
   *
   * @param maxB the largest batch
   * @param atOnce the most batches that are staged at once
   */
  public Feed feed(HostExamples examples, int maxB, int atOnce) {
    return new ResidentFeed(this, examples);
  }

  /**
   * Makes a feed as {@link #feed} does, whose batches are the input of a layer with these weights.
   * A device may take advantage of that, and keep both in an order of its own: what is read from a
   * buffer does not show it.
   *
   * @param weights (O, I)
   */
  public Feed feedFor(Buffer weights, HostExamples examples, int maxB, int atOnce) {
    return feed(examples, maxB, atOnce);
  }

  /**
   * Makes a feed as {@link #feedFor} does, whose images are distorted anew in each pass: {@link
   * Feed#distort} says how. Its batches are inputs of the network already, so that gathering them
   * scales nothing. A device whose operations run later than they are asked for must override this.
   *
   * @param weights (O, I)
   * @param examples images of bytes
   */
  public Feed distortedFeedFor(
      Buffer weights, HostExamples examples, Distorting distorting, int maxB, int atOnce) {
    return new DistortedFeed(this, examples, distorting, maxB);
  }

  /**
   * The bytes that batches take on the device on their way to a step: those of {@link #feed}, or of
   * {@link #distortedFeedFor} if the images are distorted. A set that lies there as a whole is not
   * counted.
   */
  public long feedBytes(HostExamples examples, boolean distorted, int maxB, int atOnce) {
    return distorted ? DistortedFeed.bytes(examples, maxB) : 0;
  }

  /**
   * Tells the device that batches of {@link #feedFor} these weights are multiplied by others, too,
   * so that it can keep both in one order.
   *
   * @param others (O, I): weights of the same layer
   */
  public void feedsToo(Buffer others, Buffer weights) {}

  /**
   * Makes a feed of images that the caller may change before each {@link Feed#begin}, without
   * labels; close it when done. A device that does not keep the array of a {@link #constant} must
   * override this.
   *
   * @param pixels (N, I)
   * @param maxB the largest batch
   */
  public Feed changingFeed(byte[] pixels, int I, int maxB) {
    return new ResidentFeed(this, HostExamples.of(pixels, new byte[pixels.length / I]));
  }

  /**
   * The number of an example's inputs that a product of {@link #feedFor}'s batches multiplies by
   * weights one by one: a device may leave out inputs that are nearly always 0. A benchmark counts
   * operations by it.
   */
  public int multipliedInputs(Features features) {
    return features.width();
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

  // ---- updates of the weights ----

  /**
   * A step of Adam as {@link AdamSettings} defines it.
   *
   * @param state (n) each, in and out: the weights, the running mean of the gradients and that of
   *     their squares
   * @param dw (n): the gradients
   * @param step (1) INT32: this step's number, from 1
   * @param rate (1): the learning rate
   * @param scaling {@link LossScale}'s state: nothing moves where it says that this step is
   *     skipped, and steps that were skipped are not counted; empty: none is
   */
  public final void adamStep(
      OptimizerState state,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      AdamSettings settings) {
    String op = "adamStep";
    sizes(op, n);
    need(op, "w", state.w(), Type.FLOAT32, n);
    need(op, "m", state.m(), Type.FLOAT32, n);
    need(op, "v", state.v(), Type.FLOAT32, n);
    need(op, "dw", dw, Type.FLOAT32, n);
    need(op, "step", step, Type.INT32, 1);
    need(op, "rate", rate, Type.FLOAT32, 1);
    needScaling(op, scaling);
    adamStepK(state, dw, step, rate, scaling, n, settings);
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
      Optional<Buffer> scaling,
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
   * A step of the exponential moving average of the weights, after a step of the optimizer: average
   * += (1 − d) · (w − average), d = min(decay, (1 + t) / (10 + t)), so that early steps are soon
   * forgotten. TensorFlow's {@code ExponentialMovingAverage} with {@code num_updates} computes the
   * same (the average itself: Polyak and Juditsky, 1992).
   *
   * @param average (n) in and out: the initial weights before the first step
   * @param w (n): the weights after the step
   * @param step (1) INT32: t, the step's number, from 1
   * @param decay above 0 and below 1
   */
  public final void averageStep(Buffer average, Buffer w, Buffer step, int n, double decay) {
    String op = "averageStep";
    sizes(op, n);
    need(op, "average", average, Type.FLOAT32, n);
    need(op, "w", w, Type.FLOAT32, n);
    need(op, "step", step, Type.INT32, 1);
    if (!(decay > 0 && decay < 1)) {
      throw new IllegalArgumentException(
          op + ": decay must be above 0 and below 1, found " + decay);
    }
    averageStepK(average, w, step, n, decay);
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
   * @param scaling in and out: {@link LossScale}'s state; empty: there is none
   * @param limit above 0; infinite: nothing is clipped
   */
  public final void clipNorm(Buffer dw, Buffer norm, Optional<Buffer> scaling, int n, float limit) {
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
   *     where a step has begun before; empty: there is none
   */
  public final void advance(
      Buffer position, Buffer rate, Buffer rates, Optional<Buffer> scaling, int B) {
    String op = "advance";
    sizes(op, B);
    need(op, "position", position, Type.INT32, 3);
    need(op, "rate", rate, Type.FLOAT32, 1);
    need(op, "rates", rates, Type.FLOAT32, 1);
    needScaling(op, scaling);
    advanceK(position, rate, rates, scaling, B);
  }

  // ---- what a device implements, without checks ----

  /** {@link #adamStep}. */
  protected abstract void adamStepK(
      OptimizerState state,
      Buffer dw,
      Buffer step,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      AdamSettings settings);

  /** {@link #sgdStep}. */
  protected abstract void sgdStepK(
      Buffer w,
      Buffer velocity,
      Buffer dw,
      Buffer rate,
      Optional<Buffer> scaling,
      int n,
      SgdSettings settings);

  /** {@link #averageStep}. */
  protected abstract void averageStepK(Buffer average, Buffer w, Buffer step, int n, double decay);

  /** {@link #clipNorm}. */
  protected abstract void clipNormK(
      Buffer dw, Buffer norm, Optional<Buffer> scaling, int n, float limit);

  /** {@link #advance}. */
  protected abstract void advanceK(
      Buffer position, Buffer rate, Buffer rates, Optional<Buffer> scaling, int B);
}
