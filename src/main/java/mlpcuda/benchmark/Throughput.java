package mlpcuda.benchmark;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.DeviceException;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.train.Evaluator;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;

/**
 * Measures how fast devices train and evaluate a network. Each device is compared with the
 * reference before it is timed. The reference's results are kept, because it is slow.
 */
public final class Throughput {
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
   *     moments and loss after a step, or of probabilities and loss of the answers; NaN where
   *     nothing was measured
   * @param lossAlone whether of a step the loss alone was compared with the reference, because a
   *     ReLU was at 0 and no image was left to take its image's place
   * @param speed the speed of the work; empty where the error passes the {@linkplain
   *     ReferenceComparison#limit limit}, or nothing was measured
   * @param failure the reason why nothing was measured, say because the batch does not fit the
   *     device; empty where nothing failed
   */
  public record Result(
      Work work,
      int batch,
      double error,
      boolean lossAlone,
      Optional<Speed> speed,
      Optional<DeviceException> failure) {}

  /**
   * The speed of a kind of work.
   *
   * @param timing the time of a batch
   * @param flops the multiplications and additions of a batch's products, without those that the
   *     device leaves out: see {@link Ops#multipliedInputs}
   * @param shares the shares of a batch's time
   */
  public record Speed(Timing timing, double flops, Shares shares) {}

  private final TrainingSetup training;
  private final ReferenceComparison reference;

  /**
   * Measures that training, in batches of any size.
   *
   * @param training the training in batches of the size that suits it
   */
  public Throughput(TrainingSetup training) {
    this.training = training;
    this.reference = new ReferenceComparison(training);
  }

  /** The comparison with the reference, without which nothing is timed. */
  public ReferenceComparison reference() {
    return reference;
  }

  /** The training that is measured, in batches of the size that suits it. */
  public TrainingSetup training() {
    return training;
  }

  /**
   * Measures a device. A failure is a result, too: smaller work that comes after it may fit.
   *
   * @param limits the limits of the device
   * @param sizes the sizes of batches; those that have more examples than the set repeat its
   *     examples
   * @param heard told of each result when it is there: training, then inference, size by size
   */
  public void measure(
      Ops ops, DeviceLimits limits, List<Integer> sizes, Timing.Plan plan, Consumer<Result> heard) {
    var brief = new Timing.Plan(plan.warmUp() / 4, plan.seconds() / 4, plan.repeats());
    double emptyStep = timeSteps(ops, empty(), brief).median();
    double emptyAnswer = timeAnswers(ops, empty(), brief).median();
    int inputs = ops.multipliedInputs(training.set().features());
    int learnt = training.augmentation().isPresent() ? training.shape().inputs() : inputs;
    // The JIT compilers share the processors at first, and return for each new network.
    Timing.Plan first = plan.withWarmUp(5 * plan.warmUp());
    for (int B : sizes) {
      ExampleSet set = training.set();
      TrainingSetup batches = training.with(B <= set.size() ? set : set.repeated(B), B);
      Timing.Plan steps = B == sizes.get(0) ? first : plan;
      heard.accept(
          orFailure(
              Work.TRAINING,
              B,
              () -> {
                int checked = reference.checkedStep(B);
                double error = reference.trainingError(ops, checked);
                boolean lossAlone = reference.comparesLossAlone(ops.precision(), checked);
                Supplier<Speed> speed =
                    () ->
                        speed(
                            limits,
                            Work.TRAINING,
                            batches,
                            learnt,
                            timeSteps(ops, batches, steps),
                            emptyStep);
                return result(ops, Work.TRAINING, B, error, lossAlone, speed);
              }));
      heard.accept(
          orFailure(
              Work.INFERENCE,
              B,
              () -> {
                double error = reference.inferenceError(ops, reference.checkedAnswers(B));
                Supplier<Speed> speed =
                    () ->
                        speed(
                            limits,
                            Work.INFERENCE,
                            batches,
                            inputs,
                            timeAnswers(ops, batches, plan),
                            emptyAnswer);
                return result(ops, Work.INFERENCE, B, error, false, speed);
              }));
    }
  }

  private static Result orFailure(Work work, int B, Supplier<Result> measurement) {
    try {
      return measurement.get();
    } catch (DeviceException e) {
      return new Result(work, B, Double.NaN, false, Optional.empty(), Optional.of(e));
    }
  }

  /** Measures the speed, unless the error passes the limit or is NaN. */
  private static Result result(
      Ops ops, Work work, int B, double error, boolean lossAlone, Supplier<Speed> speed) {
    boolean right = error <= ReferenceComparison.limit(ops.precision());
    Optional<Speed> measured = right ? Optional.of(speed.get()) : Optional.empty();
    return new Result(work, B, error, lossAlone, measured, Optional.empty());
  }

  /**
   * The speed of a kind of work.
   *
   * @param inputs the inputs of the network that are multiplied
   * @param empty the seconds of a batch with nothing to compute
   */
  private Speed speed(
      DeviceLimits limits, Work work, TrainingSetup of, int inputs, Timing timing, double empty) {
    double seconds = timing.median();
    double flops = flops(work, of.B(), inputs);
    var shares =
        new Shares(
            flops / limits.flops() / seconds,
            limits.seconds(bytes(work, of.B())) / seconds,
            empty / seconds);
    return new Speed(timing, flops, shares);
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

  // ---- the clock

  /** A training with one image of one pixel a batch, and layers of one unit: nothing to compute. */
  private TrainingSetup empty() {
    MlpShape shape = training.shape();
    var ones = Collections.nCopies(shape.sizes().size(), 1);
    return new TrainingSetup(
        new MlpShape(ones, shape.hidden(), shape.output()),
        ExampleSet.images(1, 1, new byte[EMPTY_BATCHES], new byte[EMPTY_BATCHES]),
        new PixelScaling("unit", 0, 1),
        1,
        training.update(),
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

  private static Timing timeSteps(Ops ops, TrainingSetup of, Timing.Plan plan) {
    try (var learner = new Learner(ops, of)) {
      return Timing.of(plan, steps(learner));
    }
  }

  /** Times whole batches, as an evaluation has them. */
  private static Timing timeAnswers(Ops ops, TrainingSetup of, Timing.Plan plan) {
    int batches = Math.max(1, Math.min(of.set().size(), EVALUATED) / of.B());
    TrainingSetup some = of.with(of.set().first(batches * of.B()), of.B());
    try (var parameters = Parameters.forInference(ops, of.shape())) {
      parameters.initialise(of.seed());
      try (var evaluator = new Evaluator(parameters, some.set(), some.scaling(), some.B())) {
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
