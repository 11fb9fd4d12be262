package mlpcuda.net;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.OptionalInt;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Readback;
import mlpcuda.compute.Replay;
import mlpcuda.compute.Resources;
import mlpcuda.compute.StepNeeds;
import mlpcuda.compute.Targets;

/**
 * A training step: it takes a batch, updates the parameters and notes the loss on the device. It
 * has the same lines on every device, and one that can records them once and replays them.
 */
public final class Step implements AutoCloseable {
  /** The number of steps whose losses the device keeps until a read of them is enqueued. */
  public static final int LOG_ROWS = 1024;

  /** The most reads of the log that may be under way. */
  public static final int READS = 2;

  /**
   * The device's notes of the steps between two reads of the log.
   *
   * @param steps the number of the last of them
   * @param rows (n, 2): for each of the n steps the sum of the batch's losses and the number of its
   *     right answers
   * @param lossScale {@link LossScale}'s state after the last; empty where there is none
   */
  public record Log(int steps, float[] rows, float[] lossScale) {}

  /** A read under way of the rows of steps {@code from + 1} to {@code to}. */
  private record Read(Readback copy, int from, int to) {}

  private final Resources resources = new Resources();
  private final Ops ops;
  private final MlpShape shape;
  private final Regularisation regularisation;
  private final Optimizer optimizer;
  private final Batches examples;
  private final Buffer position; // (3) INT32: see Ops.advance
  private final Buffer step; // slice of position: the step's number
  private final Buffer end; // slice of position: the epoch's examples up to this step's last
  private final Buffer rates; // (maxSteps)
  private final Buffer notes; // the log, then the loss scale's state: a read copies both
  private final Buffer log; // (LOG_ROWS, 2): loss sum and number right of the last steps
  private final Optional<Buffer> scaling; // LossScale's state
  private final FusedStep fused; // null where the step runs operation by operation
  private final Mlp mlp; // null in a fused step
  private final Targets targets; // null in a fused step
  private final Replay replay;
  private int known; // number of steps that begin gave rates for
  private int left; // number of those steps that are not enqueued yet
  private int steps; // number of steps enqueued
  private int asked; // number of steps of whose rows a read is enqueued
  private final Deque<Read> reads = new ArrayDeque<>(); // under way, the oldest first
  private final Deque<Readback> idle = new ArrayDeque<>();

  /**
   * A step of the network that the optimizer's parameters are of, on those examples; the caller
   * closes optimizer and examples.
   *
   * @param maxSteps the most steps of an epoch
   */
  public Step(Optimizer optimizer, Batches examples, Regularisation regularisation, int maxSteps) {
    this.ops = optimizer.parameters().ops();
    this.shape = optimizer.parameters().shape();
    this.regularisation = regularisation;
    this.optimizer = optimizer;
    this.examples = examples;
    regularisation.check(shape);
    this.position = resources.open(() -> ops.allocate("position", Type.INT32, 3));
    this.rates = resources.open(() -> ops.allocate("rates", Type.FLOAT32, maxSteps));
    boolean scales = ops.precision().needsLossScale();
    int length = 2 * LOG_ROWS + (scales ? LossScale.LENGTH : 0);
    this.notes = resources.open(() -> ops.allocate("log", Type.FLOAT32, length));
    this.log = notes.slice("log", 0, 2 * LOG_ROWS);
    this.scaling =
        scales
            ? Optional.of(notes.slice("scaling", 2 * LOG_ROWS, LossScale.LENGTH))
            : Optional.empty();
    scaling.ifPresent(of -> resources.attempt(() -> ops.write(of, LossScale.initial())));
    for (int i = 0; i < READS; i++) {
      idle.add(resources.open(() -> ops.readback(length)));
    }
    this.fused = resources.openIfAny(() -> ops.fusedStep(plan())).orElse(null);
    this.mlp = fused == null ? resources.open(() -> layered()) : null;
    this.targets = fused == null ? targets() : null;
    // added last and so closed first: it must end before what it uses
    this.replay = resources.open(() -> isOneLaunch() ? Replay.direct() : ops.replay());
    this.step = position.slice("step", 0, 1);
    this.end = position.slice("end", 1, 1);
  }

  private Mlp layered() {
    return Mlp.forTraining(optimizer.parameters(), examples.maxB(), regularisation);
  }

  private Targets targets() {
    int maxB = examples.maxB();
    Buffer y = resources.open(() -> ops.allocate("y", Type.INT32, maxB));
    return new Targets(
        y,
        examples.isWeighted()
            ? Optional.of(resources.open(() -> ops.allocate("weights", Type.FLOAT32, maxB)))
            : Optional.empty());
  }

  private FusedStep.Plan plan() {
    Parameters parameters = optimizer.parameters();
    var layers = new ArrayList<FusedStep.Layer>();
    for (int l = 0; l < shape.layers(); l++) {
      layers.add(
          new FusedStep.Layer(
              shape.inputs(l),
              shape.outputs(l),
              parameters.tensors().get(2 * l).offset(),
              parameters.tensors().get(2 * l + 1).offset(),
              shape.activation(l),
              l + 1 < shape.layers() ? regularisation.dropout(l + 1) : 0));
    }
    return new FusedStep.Plan(
        layers,
        optimizer.state(),
        optimizer.settings(),
        new FusedStep.StepState(position, optimizer.rate(), rates, log, scaling),
        new FusedStep.Constants(
            examples.scaling(), regularisation.smoothing(), regularisation.seed()),
        needs(shape, examples.maxB(), optimizer.clips(), examples.isWeighted())
            .averaging(parameters.average().isPresent()));
  }

  /**
   * The properties of a training without an average of its weights that decide how a device runs
   * its steps.
   *
   * @param maxB the largest batch
   * @param clips whether gradients are clipped by their norm
   * @param weighted whether examples have weights
   */
  public static StepNeeds needs(MlpShape shape, int maxB, boolean clips, boolean weighted) {
    return new StepNeeds(maxB, shape.widestOutput(), shape.layers(), clips, weighted, false);
  }

  /**
   * Goes on with a run that has done {@code steps} steps.
   *
   * @param lossScale the state that {@link #lossScale} returned after them
   */
  public void resume(int steps, float[] lossScale) {
    int needed = scaling.isPresent() ? LossScale.LENGTH : 0;
    if (lossScale.length != needed) {
      throw new IllegalArgumentException(
          "a loss scale's state must have %d elements, found %d"
              .formatted(needed, lossScale.length));
    }
    scaling.ifPresent(of -> ops.write(of, lossScale));
    ops.write(step, new int[] {steps}, 0, 1);
    this.steps = steps;
    asked = steps;
  }

  /**
   * Says which epoch's distortions the images of the next epochs have, where they are distorted.
   *
   * @param epoch the epoch, from 1
   * @param epochs the epochs of the whole run
   */
  public void distort(int epoch, int epochs) {
    examples.distort(epoch, epochs);
  }

  /**
   * Begins an epoch, or goes on with one: the next steps learn from its examples, one batch after
   * another.
   *
   * @param order the epoch's examples
   * @param from the examples of the order that were taken before: 0 at its beginning
   * @param rates (up to maxSteps): the learning rate of each step from here on
   */
  public void begin(int[] order, int from, float[] rates) {
    examples.begin(order, from);
    ops.write(position.slice("of the epoch", 1, 2), new int[] {from, 0}, 0, 2);
    ops.write(this.rates, rates);
    known = rates.length;
    left = known;
  }

  /** Sets the learning rate of the next step, in place of the one that {@link #begin} gave. */
  public void rate(float rate) {
    if (left == 0) {
      throw new IllegalStateException("a rate without a step: begin gave fewer");
    }
    ops.write(rates.slice("the next rate", known - left, 1), new float[] {rate});
  }

  /** The most steps that the device is given at once. */
  public int atOnce() {
    return examples.atOnce();
  }

  /**
   * Enqueues steps on the next {@code n} batches of {@code B} examples: n up to {@link #atOnce}.
   */
  public void run(int B, int n) {
    if (steps - asked > LOG_ROWS - n) {
      throw new IllegalStateException(
          "the losses of at most %d steps are kept: read them".formatted(LOG_ROWS));
    }
    if (left < n) {
      throw new IllegalStateException("a step without a learning rate: begin gave fewer");
    }
    int slot = examples.stage(B, n);
    replay.run(
        slot,
        B,
        n,
        () -> {
          if (fused != null) {
            fuse(B, n);
            return;
          }
          for (int i = 0; i < n; i++) {
            learn(i, B);
          }
        });
    steps += n;
    left -= n;
  }

  /**
   * The device's work on the staged batches in a fused step, one by one if weights are averaged.
   */
  private void fuse(int B, int n) {
    Parameters parameters = optimizer.parameters();
    if (parameters.average().isEmpty()) {
      fused.run(i -> examples.batch(i, B), B, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      int batch = i;
      fused.run(first -> examples.batch(batch, B), B, 1);
      parameters.moveAverage(step);
    }
  }

  /**
   * The device's work on staged batch {@code i}. It is recorded, and so nothing here may depend on
   * more than the slot, i and B.
   */
  private void learn(int i, int B) {
    ops.advance(position, optimizer.rate(), rates, scaling, B);
    examples.gather(i, mlp.inputs(), targets, end, B);
    mlp.forward(step, B);
    mlp.loss(log, targets, step, scaling, B);
    mlp.backward(step, B);
    optimizer.update(step, scaling);
  }

  /**
   * Enqueues a read of the rows of the steps that no read was asked for before, and does not wait:
   * further steps may be enqueued before {@link #takeLog}.
   */
  public void askLog() {
    if (idle.isEmpty()) {
      throw new IllegalStateException("at most %d reads are under way: take one".formatted(READS));
    }
    Readback copy = idle.remove();
    copy.begin(notes, notes.length());
    reads.add(new Read(copy, asked, steps));
    asked = steps;
  }

  /** The number of reads that were asked for and not taken. */
  public int reads() {
    return reads.size();
  }

  /** Whether there is a read under way whose taking does not wait. */
  public boolean isLogThere() {
    return !reads.isEmpty() && reads.element().copy.isDone();
  }

  /**
   * Waits for the oldest read that was asked for, but for no step that was enqueued after it, and
   * returns what it found.
   */
  public Log takeLog() {
    Read read = reads.remove();
    float[] values = new float[notes.length()];
    read.copy.end(values);
    idle.add(read.copy);
    float[] rows = new float[2 * (read.to - read.from)];
    for (int i = 0; i < rows.length; i += 2) {
      int row = (read.from + i / 2) % LOG_ROWS;
      rows[i] = values[2 * row];
      rows[i + 1] = values[2 * row + 1];
    }
    return new Log(read.to, rows, Arrays.copyOfRange(values, log.length(), values.length));
  }

  /**
   * Waits for the enqueued steps and returns {@link LossScale}'s state, empty where there is none.
   */
  public float[] lossScale() {
    float[] state = new float[scaling.isPresent() ? LossScale.LENGTH : 0];
    scaling.ifPresent(of -> ops.read(of, state));
    return state;
  }

  /**
   * Whether all steps of a {@link #run} are one launch of the device, of which none is recorded.
   */
  public boolean isOneLaunch() {
    return fused != null && fused.isOneLaunch();
  }

  /** The number of nodes of the recorded step; empty where the device records none. */
  public OptionalInt nodes() {
    return replay.nodes();
  }

  @Override
  public void close() {
    resources.close();
  }
}
