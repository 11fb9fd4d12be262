package mlpcuda.benchmark;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.AmbiguousReluCounter;
import mlpcuda.conformance.Conformance;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.error.DeviceException;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.train.Evaluator;
import mlpcuda.train.Learner;
import mlpcuda.train.Predictions;
import mlpcuda.train.Score;
import mlpcuda.train.Training;

/**
 * Measures how fast devices train and evaluate a network. Each device is compared with the
 * reference before it is timed. The reference's results are kept, because it is slow.
 */
public final class Throughput {
  /** The largest error of a {@link Result} in single precision, which stays far below. */
  public static final double LIMIT = 1e-9;

  // The limits where outputs of layers are rounded to 10 bits after the point, and to 7, for the
  // next layer. Outputs at a tie but for FP32's rounding come out a unit apart on devices that are
  // right, and Adam's first step makes as much of the smallest gradient as of any. Five presets in
  // batches of 32, 64 and 1024 on a CPU came to 2.4e-8 and 6e-10; a device that does not round is
  // above 3e-7 and 3e-5.
  private static final double LIMIT_10_BITS = 1e-7;
  private static final double LIMIT_7_BITS = 1e-6;

  /** The examples that the reference is given; a larger batch repeats them. */
  private static final int CHECKED = 128;

  /**
   * The most examples of a batch that the reference is given whole, if it cannot be made of fewer.
   */
  private static final int CHECKED_WHOLE = 512;

  private static final int READ_EVERY = 100; // steps, as the trainer reads its log
  private static final int EVALUATED = 10_000; // images, unless a batch has more
  private static final int EMPTY_BATCHES = 50;

  /** The work that is measured. */
  public enum Work {
    /** Training steps: a batch made ready, forward, loss, backward, the optimizer. */
    TRAINING,
    /**
     * Predictions: a batch made ready, forward, loss, the logits read and the largest one found.
     */
    INFERENCE
  }

  /**
   * The result of a measurement.
   *
   * @param batch the number of images of a batch
   * @param error the largest normalised mean squared error against the reference: of weights,
   *     moments and loss after a step, or of probabilities and loss of the answers
   * @param lossAlone whether of a step the loss alone was compared with the reference, because a
   *     ReLU was at 0 and no image was left to take its image's place
   * @param timing the time of a batch; null where the error passes the {@link #limit}
   * @param flops the multiplications and additions of a batch's products, without those that the
   *     device leaves out: see {@link Ops#multipliedInputs}
   * @param shares the shares of its time; null with the timing
   * @param failure the reason why nothing was measured, say because the batch does not fit the
   *     device; null where nothing failed
   */
  public record Result(
      Work work,
      int batch,
      double error,
      boolean lossAlone,
      Timing timing,
      double flops,
      Shares shares,
      DeviceException failure) {}

  private final Training training;
  private final Map<Checked, FirstStep> firstSteps = new HashMap<>(); // the reference's
  private final Map<Checked, Answered> answers = new HashMap<>();

  /** The key of a reference result: the number of examples, and the precision. */
  private record Checked(int examples, Precision precision) {}

  /**
   * Measures that training, in batches of any size.
   *
   * @param training the training in batches of the size that suits it
   */
  public Throughput(Training training) {
    this.training = training;
  }

  /** The largest error of a right device in that precision. */
  public static double limit(Precision precision) {
    return switch (precision) {
      case FP32 -> LIMIT;
      case TF32, FP16 -> LIMIT_10_BITS;
      case BF16 -> LIMIT_7_BITS;
    };
  }

  /** The training that is measured, in batches of the size that suits it. */
  public Training training() {
    return training;
  }

  /**
   * Measures a device. A failure is a result, too: smaller work that comes after it may fit.
   *
   * @param limits the limits of the device
   * @param sizes the sizes of batches, at most the set's
   * @param heard told of each result when it is there: training, then inference, size by size
   */
  public void measure(
      Ops ops, DeviceLimits limits, List<Integer> sizes, Timing.Plan plan, Consumer<Result> heard) {
    var brief = new Timing.Plan(plan.warmUp() / 4, plan.seconds() / 4, plan.repeats());
    double emptyStep = timeSteps(ops, empty(), brief).median();
    double emptyAnswer = timeAnswers(ops, empty(), brief).median();
    byte[] pixels = training.set().pixels();
    int inputs = ops.multipliedInputs(pixels, training.shape().inputs());
    double limit = limit(ops.precision());
    // The JIT compilers share the processors at first, and return for each new network.
    var first = new Timing.Plan(5 * plan.warmUp(), plan.seconds(), plan.repeats());
    for (int B : sizes) {
      Training batches = training.with(training.set(), B);
      Timing.Plan steps = B == sizes.get(0) ? first : plan;
      heard.accept(
          orFailure(
              Work.TRAINING,
              B,
              () -> {
                double error = trainingError(ops, checkedStep(B));
                boolean lossAlone = expectedStep(checkedStep(B), ops.precision()).kinks;
                Timing timing = error <= limit ? timeSteps(ops, batches, steps) : null; // nor NaN
                return result(
                    limits, Work.TRAINING, B, inputs, error, lossAlone, timing, emptyStep);
              }));
      heard.accept(
          orFailure(
              Work.INFERENCE,
              B,
              () -> {
                double error = inferenceError(ops, checkedAnswers(B));
                Timing timing = error <= limit ? timeAnswers(ops, batches, plan) : null;
                return result(limits, Work.INFERENCE, B, inputs, error, false, timing, emptyAnswer);
              }));
    }
  }

  private static Result orFailure(Work work, int B, Supplier<Result> measurement) {
    try {
      return measurement.get();
    } catch (DeviceException e) {
      return new Result(work, B, Double.NaN, false, null, 0, null, e);
    }
  }

  private Result result(
      DeviceLimits limits,
      Work work,
      int B,
      int inputs,
      double error,
      boolean lossAlone,
      Timing timing,
      double empty) {
    if (timing == null) {
      return new Result(work, B, error, lossAlone, null, 0, null, null);
    }
    double seconds = timing.median();
    double flops = flops(work, B, inputs);
    var shares =
        new Shares(
            flops / limits.flops() / seconds,
            limits.seconds(bytes(work, B)) / seconds,
            empty / seconds);
    return new Result(work, B, error, lossAlone, timing, flops, shares, null);
  }

  /**
   * Multiplications and additions of a batch's products.
   *
   * @param inputs the inputs of the network that are multiplied
   */
  double flops(Work work, int B, int inputs) {
    MlpShape shape = training.shape();
    double products = 0;
    for (int l = 0; l < shape.layers(); l++) {
      double product = 2.0 * B * (l == 0 ? inputs : shape.inputs(l)) * shape.outputs(l);
      // Backward there are gradients of the weights, and of the inputs but for the first layer's.
      products += work == Work.INFERENCE ? product : l == 0 ? 2 * product : 3 * product;
    }
    return products;
  }

  /** Bytes that a batch reads and writes at least, each buffer counted where it is passed. */
  double bytes(Work work, int B) {
    MlpShape shape = training.shape();
    double parameters = shape.parameters();
    double pixels = (double) B * shape.inputs();
    double values = 0; // the number of the layers' outputs
    for (int l = 0; l < shape.layers(); l++) {
      values += (double) B * shape.outputs(l);
    }
    if (work == Work.INFERENCE) { // inputs and outputs written and read, weights read
      return pixels + Float.BYTES * (2 * pixels + parameters + 2 * values);
    }
    // Inputs are written, and read forward and backward; weights are read forward, and backward
    // but for the first layer's; gradients are written, and Adam passes seven arrays. Outputs and
    // their gradients are written once and read three times.
    double weights = 2 * parameters - shape.parameters(0) + (1 + 7) * parameters;
    return pixels + Float.BYTES * (3 * pixels + weights + (4 + 4) * values);
  }

  // ---- against the reference

  /**
   * The number of examples that a batch may be made of, each as often as the others: gradients and
   * losses are means, so that the reference need not see all of a large batch. It is all of the
   * batch where that is not possible, as with most primes.
   */
  private static int distinct(int B) {
    int n = Math.min(B, CHECKED);
    while (B % n != 0) {
      n--;
    }
    return n < CHECKED / 8 ? B : n;
  }

  /** The number of distinct examples for a step: all where dropout has a mask for each place. */
  private int distinctOfStep(int B) {
    return drops() ? B : distinct(B);
  }

  private boolean drops() {
    return training.regularisation().dropouts().stream().anyMatch(rate -> rate > 0);
  }

  /**
   * The size of batch that is checked before steps of {@code B} are timed: a minute is too long.
   */
  int checkedStep(int B) {
    return distinctOfStep(B) <= CHECKED_WHOLE ? B : CHECKED_WHOLE;
  }

  /** The size of batch that is checked before evaluations in batches of {@code B} are timed. */
  static int checkedAnswers(int B) {
    return distinct(B) <= CHECKED_WHOLE ? B : CHECKED_WHOLE;
  }

  /**
   * A step from the initial weights.
   *
   * @param set the examples that the step learnt from
   * @param kinks whether a ReLU was at 0 but for rounding
   */
  private record FirstStep(ImageSet set, double loss, Learner.State state, boolean kinks) {
    static FirstStep of(Ops ops, Training training) {
      try (var learner = new Learner(ops, training)) {
        learner.run();
        boolean kinks = ops instanceof AmbiguousReluCounter counter && counter.ambiguous() > 0;
        return new FirstStep(training.set(), learner.loss(), learner.state(), kinks);
      }
    }

    double error(FirstStep expected) {
      if (expected.kinks) { // right devices part in weights and moments
        return relativeSquare(loss, expected.loss);
      }
      Parameters.State moments = state.moments();
      Parameters.State right = expected.state.moments();
      return Collections.max(
          List.of(
              relativeSquare(loss, expected.loss),
              Conformance.normalisedError(state.weights(), expected.state.weights()),
              Conformance.normalisedError(moments.m(), right.m()),
              Conformance.normalisedError(moments.v(), right.v())));
    }
  }

  private static double relativeSquare(double found, double expected) {
    double relative = (found - expected) / expected;
    return relative * relative;
  }

  /**
   * The error of a device's first step from the initial weights: the largest of those of its loss,
   * weights and moments against the reference's. It is at most {@link #limit} on a right device, as
   * the batch is made of examples with which right devices agree; where the set has too few of
   * them, the loss alone is compared.
   */
  public double trainingError(Ops ops, int B) {
    FirstStep expected = expectedStep(B, ops.precision());
    return FirstStep.of(ops, training.with(repeated(expected.set, B), B)).error(expected);
  }

  private FirstStep expectedStep(int B, Precision precision) {
    return firstSteps.computeIfAbsent(
        new Checked(distinctOfStep(B), precision), this::referenceStep);
  }

  /**
   * The reference's step of as many examples with which no ReLU is at 0 but for rounding: where one
   * is, right devices have gradients that differ. Examples are exchanged as far as the set has
   * enough.
   */
  private FirstStep referenceStep(Checked checked) {
    int n = checked.examples;
    ImageSet all = training.set();
    var chosen = new ArrayList<Integer>();
    for (int i = 0; i < n; i++) {
      chosen.add(i);
    }
    int[] order = ExampleOrder.shuffled(n, training.seed(), 1); // the learner's
    for (int next = n; ; ) {
      try (var reference = new AmbiguousReluCounter(checked.precision)) {
        FirstStep step = FirstStep.of(reference, training.with(chosen(all, chosen), n));
        BitSet kinks = reference.rows();
        if (kinks.isEmpty() || next + kinks.cardinality() > all.size()) {
          return step;
        }
        for (int row = kinks.nextSetBit(0); row >= 0; row = kinks.nextSetBit(row + 1)) {
          chosen.set(order[row], next++);
        }
      }
    }
  }

  /** The images with those numbers. */
  private static ImageSet chosen(ImageSet all, List<Integer> images) {
    int each = all.pixelsPerImage();
    byte[] pixels = new byte[images.size() * each];
    byte[] labels = new byte[images.size()];
    for (int i = 0; i < labels.length; i++) {
      System.arraycopy(all.pixels(), images.get(i) * each, pixels, i * each, each);
      labels[i] = all.labels()[images.get(i)];
    }
    return new ImageSet(all.rows(), all.cols(), pixels, labels);
  }

  /** The images repeated, one round after another, to {@code B} in all. */
  private static ImageSet repeated(ImageSet some, int B) {
    var images = new ArrayList<Integer>();
    for (int i = 0; i < B; i++) {
      images.add(i % some.size());
    }
    return chosen(some, images);
  }

  /** The answers of a network that is not trained yet. */
  private record Answered(double loss, float[] probabilities) {}

  private double inferenceError(Ops ops, int B) {
    int n = distinct(B);
    ImageSet some = training.set().first(n);
    Answered expected =
        answers.computeIfAbsent(
            new Checked(n, ops.precision()),
            checked -> {
              try (Ops reference = new ReferenceOps(checked.precision)) {
                return answered(reference, training.with(some, n));
              }
            });
    Answered found = answered(ops, training.with(repeated(some, B), B));
    float[] right = new float[B];
    for (int i = 0; i < B; i++) {
      right[i] = expected.probabilities[i % n];
    }
    return Math.max(
        relativeSquare(found.loss, expected.loss),
        Conformance.normalisedError(List.of(found.probabilities), List.of(right)));
  }

  private static Answered answered(Ops ops, Training of) {
    var answers = new Predictions(of.set().size());
    try (var parameters = parameters(ops, of)) {
      parameters.initialise(of.seed());
      try (Evaluator evaluator = evaluator(parameters, of)) {
        Score evaluation = evaluator.run(answers);
        return new Answered(evaluation.loss(), answers.probabilities());
      }
    }
  }

  private static Parameters parameters(Ops ops, Training of) {
    return Parameters.forInference(ops, of.shape());
  }

  private static Evaluator evaluator(Parameters parameters, Training of) {
    return new Evaluator(parameters, of.set(), of.scaling(), of.B());
  }

  // ---- the clock

  /** A training with one image of one pixel a batch, and layers of one unit: nothing to compute. */
  private Training empty() {
    MlpShape shape = training.shape();
    var ones = Collections.nCopies(shape.sizes().size(), 1);
    return new Training(
        new MlpShape(ones, shape.hidden(), shape.output()),
        new ImageSet(1, 1, new byte[EMPTY_BATCHES], new byte[EMPTY_BATCHES]),
        new Scaling("unit", 0, 1),
        1,
        training.regularisation(),
        training.optimizer(),
        training.clip(),
        training.rate(),
        training.seed());
  }

  /** Takes steps as a trainer takes them, and waits for them. */
  public static IntConsumer steps(Learner learner) {
    return steps -> {
      for (int done = 0; done < steps; ) {
        int n = Math.min(READ_EVERY, steps - done);
        learner.run(n);
        learner.readOn();
        done += n;
      }
      learner.loss(); // waits
    };
  }

  private static Timing timeSteps(Ops ops, Training of, Timing.Plan plan) {
    try (var learner = new Learner(ops, of)) {
      return Timing.of(plan, steps(learner));
    }
  }

  /** Times whole batches, as an evaluation has them. */
  private static Timing timeAnswers(Ops ops, Training of, Timing.Plan plan) {
    int batches = Math.max(1, Math.min(of.set().size(), EVALUATED) / of.B());
    Training some = of.with(of.set().first(batches * of.B()), of.B());
    try (var parameters = parameters(ops, of)) {
      parameters.initialise(of.seed());
      try (Evaluator evaluator = evaluator(parameters, some)) {
        return Timing.of(
                plan,
                runs -> {
                  for (int i = 0; i < runs; i++) {
                    evaluator.run();
                  }
                })
            .each(batches);
      }
    }
  }
}
