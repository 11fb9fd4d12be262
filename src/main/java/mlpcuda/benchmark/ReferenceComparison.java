package mlpcuda.benchmark;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.AmbiguousReluCounter;
import mlpcuda.conformance.Conformance;
import mlpcuda.data.ExampleOrder;
import mlpcuda.data.ExampleSet;
import mlpcuda.net.Parameters;
import mlpcuda.train.Evaluator;
import mlpcuda.train.Learner;
import mlpcuda.train.Predictions;
import mlpcuda.train.Score;
import mlpcuda.train.TrainingSetup;

/**
 * Compares a training on a device with the reference, in batches of any size. The reference's
 * results are kept, because it is slow.
 */
public final class ReferenceComparison {
  /** The largest error of a right device in single precision, which stays far below. */
  public static final double LIMIT = 1e-9;

  // The limits where outputs of layers are rounded to 10 bits after the point, and to 7, for the
  // next layer. Outputs at a tie but for FP32's rounding come out a unit apart on devices that are
  // right, and Adam's first step makes as much of the smallest gradient as of any. Five presets in
  // batches of 32, 64 and 1024 on a CPU came to 2.4e-8 and 6e-10; a device that does not round is
  // above 3e-7 and 3e-5.
  private static final double LIMIT_10_BITS = 1e-7;
  private static final double LIMIT_7_BITS = 1e-6;

  /** The most examples that the reference is given; a larger batch repeats them. */
  private static final int CHECKED = 128;

  /**
   * How many times as many examples of a batch the reference is given, if the batch cannot be made
   * of fewer.
   */
  private static final int WHOLE = 4;

  /**
   * The multiplications and additions of a step that the reference is asked for: it does some 1e9
   * of them a second.
   */
  private static final double OPERATIONS = 1e9;

  private final TrainingSetup training;
  private final int most; // distinct examples that the reference is given
  private final Map<Checked, FirstStep> firstSteps = new HashMap<>(); // the reference's
  private final Map<Checked, Answered> answers = new HashMap<>();

  /** The key of a reference result: the number of examples, and the precision. */
  private record Checked(int examples, Precision precision) {}

  /** A comparison of that training. */
  public ReferenceComparison(TrainingSetup training) {
    this.training = training;
    most = Math.min(CHECKED, most(training));
  }

  /** The largest error of a right device in that precision. */
  public static double limit(Precision precision) {
    return switch (precision) {
      case FP32 -> LIMIT;
      case TF32, FP16 -> LIMIT_10_BITS;
      case BF16 -> LIMIT_7_BITS;
    };
  }

  /**
   * The most examples of a training with which a step of the reference takes seconds, at least 8 if
   * the training has them.
   */
  public static int most(TrainingSetup training) {
    double affordable = OPERATIONS / operations(training, 1);
    return (int) Math.min(Math.max(8, affordable), training.set().size());
  }

  /** The multiplications and additions of a step of {@code B} examples, but for a few. */
  public static double operations(TrainingSetup training, int B) {
    return 6.0 * training.shape().parameters() * B;
  }

  /**
   * The number of examples that a batch may be made of, each as often as the others, at most {@code
   * most}: gradients and losses are means, so that the reference need not see all of a large batch.
   * Where no such number divides B, as with most primes, it is B itself.
   */
  public static int distinct(int B, int most) {
    int n = Math.min(B, most);
    while (B % n != 0) {
      n--;
    }
    return n < Math.min(B, Math.max(2, most / 8)) ? B : n;
  }

  /**
   * Whether batches of that training may repeat examples: dropout has a mask for each place, and
   * distortion another image.
   */
  public static boolean mayRepeat(TrainingSetup training) {
    return training.augmentation().isEmpty()
        && training.update().regularisation().dropouts().stream().allMatch(rate -> rate == 0);
  }

  /** The number of distinct examples for a step of {@code B}. */
  private int distinctOfStep(int B) {
    return mayRepeat(training) ? distinct(B, most) : B;
  }

  /**
   * The size of batch that is checked before steps of {@code B} are timed: a minute is too long.
   */
  int checkedStep(int B) {
    return checked(B, distinctOfStep(B));
  }

  /** The size of batch that is checked before evaluations in batches of {@code B} are timed. */
  int checkedAnswers(int B) {
    return checked(B, distinct(B, most));
  }

  private int checked(int B, int distinct) {
    int whole = Math.min(WHOLE * most, training.set().size());
    return distinct <= whole ? B : whole;
  }

  /**
   * A step from the initial weights.
   *
   * @param set the examples that the step learnt from
   * @param ambiguous whether a ReLU was at 0 but for rounding
   */
  private record FirstStep(ExampleSet set, double loss, Learner.State state, boolean ambiguous) {
    static FirstStep of(Ops ops, TrainingSetup training) {
      try (var learner = new Learner(ops, training)) {
        learner.run();
        boolean ambiguous = ops instanceof AmbiguousReluCounter counter && counter.ambiguous() > 0;
        return new FirstStep(training.set(), learner.loss(), learner.state(), ambiguous);
      }
    }

    double error(FirstStep expected) {
      if (expected.ambiguous) { // right devices part in weights and moments
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
    return FirstStep.of(ops, training.with(expected.set.repeated(B), B)).error(expected);
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
    ExampleSet all = training.set();
    var chosen = new ArrayList<Integer>();
    for (int i = 0; i < n; i++) {
      chosen.add(i);
    }
    int[] order = ExampleOrder.shuffled(n, training.seed(), 1); // the learner's
    for (int next = n; ; ) {
      try (var reference = new AmbiguousReluCounter(checked.precision)) {
        FirstStep step = FirstStep.of(reference, training.with(chosen(all, chosen), n));
        BitSet ambiguous = reference.rows();
        if (ambiguous.isEmpty() || next + ambiguous.cardinality() > all.size()) {
          return step;
        }
        for (int row = ambiguous.nextSetBit(0); row >= 0; row = ambiguous.nextSetBit(row + 1)) {
          chosen.set(order[row], next++);
        }
      }
    }
  }

  /** The images with those numbers. */
  private static ExampleSet chosen(ExampleSet all, List<Integer> images) {
    return all.chosen(images.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The answers of a network that is not trained yet. */
  private record Answered(double loss, float[] probabilities) {}

  /** Whether the loss alone of a step of {@code B} examples is compared. */
  boolean comparesLossAlone(Precision precision, int B) {
    return expectedStep(B, precision).ambiguous;
  }

  /** The error of a device's answers, of which it gives {@code B} at once. */
  double inferenceError(Ops ops, int B) {
    int n = distinct(B, most);
    ExampleSet some = training.set().first(n);
    Answered expected =
        answers.computeIfAbsent(
            new Checked(n, ops.precision()),
            checked -> {
              try (Ops reference = new ReferenceOps(checked.precision)) {
                return answered(reference, training.with(some, n));
              }
            });
    Answered found = answered(ops, training.with(some.repeated(B), B));
    float[] right = new float[B];
    for (int i = 0; i < B; i++) {
      right[i] = expected.probabilities[i % n];
    }
    return Math.max(
        relativeSquare(found.loss, expected.loss),
        Conformance.normalisedError(List.of(found.probabilities), List.of(right)));
  }

  private static Answered answered(Ops ops, TrainingSetup of) {
    var answers = new Predictions(of.set().size());
    try (var parameters = Parameters.forInference(ops, of.shape())) {
      parameters.initialise(of.seed());
      try (var evaluator = new Evaluator(parameters, of.set(), of.scaling(), of.B())) {
        Score evaluation = evaluator.run(Optional.of(answers));
        return new Answered(evaluation.loss(), answers.probabilities());
      }
    }
  }
}
