package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import mlpcuda.compute.Precision;
import mlpcuda.conformance.Conformance;
import mlpcuda.report.Tables;
import mlpcuda.train.Learner;

/**
 * The comparison of a training step on a device with the same step on the reference in its
 * precision: on the same batch, from the weights and moments that the device had before it. If each
 * went on from its own, the first ReLU that rounding puts on the other side of 0 would part them
 * for good.
 *
 * @param step the step's number, from 1
 * @param loss the mean loss of its batch, on the device
 * @param expected the mean loss of its batch, on the reference
 * @param weightsError the normalised mean squared error of the weights after the step, without
 *     those whose gradient is rounding noise
 * @param momentsError the normalised mean squared error of the optimizer's moments after the step
 * @param kinks the number of inputs of a ReLU that are 0 but for rounding: where there is one,
 *     gradients may differ, and the loss alone is judged
 * @param precision the precision of the device and of the reference
 */
record StepCheck(
    int step,
    double loss,
    double expected,
    double weightsError,
    double momentsError,
    long kinks,
    Precision precision) {
  // The errors of 6,500 steps of five presets on 2 threads of a CPU stayed below 1.5e-7, 1e-11 and
  // 5e-13 where no ReLU was at 0.
  private static final Limits LIMITS = new Limits(1e-6, 1e-9, 1e-10);

  // Where a layer's outputs are rounded for the next one, some of them lie at a tie but for FP32's
  // rounding, and devices that are right find them on different sides of it: a unit in the last
  // place apart. In 140 steps of three presets on that CPU this came to 7e-6 in the loss and 2e-9
  // in the moments with 10 bits after the point, and to 3e-5 and 4e-8 with 7; a device that does
  // not round at all is above 4e-5 and 4e-5, and above 4e-4 and 6e-4, in some step of each preset.
  // In most steps the weights are as near as in FP32, but Adam's first step moves a weight by the
  // whole learning rate, however small its gradient is: 2e-8 was seen.
  private static final Limits LIMITS_10_BITS = new Limits(3e-5, 1e-7, 3e-8);
  private static final Limits LIMITS_7_BITS = new Limits(2e-4, 1e-6, 1e-6);

  // The first moment of a gradient that is rounding noise, in units of its tensor's root mean
  // square. Sums in single precision are some 1e-7 apart; of evenly spread gradients one in 100,000
  // is as small as this.
  private static final double NOISE = 1e-5;

  /** The largest errors of a right device. */
  record Limits(double loss, double weights, double moments) {
    /** The limits of a right device in that precision. */
    static Limits of(Precision precision) {
      return switch (precision) {
        case FP32 -> LIMITS;
        case TF32, FP16 -> LIMITS_10_BITS;
        case BF16 -> LIMITS_7_BITS;
      };
    }
  }

  /**
   * Takes steps on the device and on the reference, and compares each.
   *
   * @param kinks the number of kinks that the reference has counted
   * @param precision the precision of the device and of the reference
   */
  static List<StepCheck> run(
      Learner device, Learner reference, LongSupplier kinks, int steps, Precision precision) {
    var checks = new ArrayList<StepCheck>();
    for (int step = 1; step <= steps; step++) {
      reference.start(device.state());
      long before = kinks.getAsLong();
      device.run();
      reference.run();
      double found = device.loss();
      double expected = reference.loss();
      Learner.State after = device.state();
      Learner.State right = reference.state();
      checks.add(
          new StepCheck(
              step,
              found,
              expected,
              weightsError(after, right),
              momentsError(after, right),
              kinks.getAsLong() - before,
              precision));
    }
    return checks;
  }

  /**
   * The error of the weights whose gradient is more than rounding noise. Adam's first step moves a
   * weight by the whole learning rate, up or down, however small its gradient is.
   */
  static double weightsError(Learner.State found, Learner.State expected) {
    var judged = new ArrayList<float[]>();
    for (int t = 0; t < expected.weights().size(); t++) {
      float[] weights = found.weights().get(t).clone();
      float[] right = expected.weights().get(t);
      float[] m = found.moments().m().get(t);
      float[] rightM = expected.moments().m().get(t);
      double noise = NOISE * rootMeanSquare(rightM);
      for (int i = 0; i < weights.length; i++) {
        double largest = Math.max(Math.abs(m[i]), Math.abs(rightM[i]));
        if (largest > 0 && largest <= noise && Float.isFinite(weights[i])) {
          weights[i] = right[i];
        }
      }
      judged.add(weights);
    }
    return Conformance.normalisedError(judged, expected.weights());
  }

  private static double rootMeanSquare(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum / values.length);
  }

  /** The larger one of the errors of the optimizer's first and second moments. */
  private static double momentsError(Learner.State found, Learner.State expected) {
    return Math.max(
        Conformance.normalisedError(found.moments().m(), expected.moments().m()),
        Conformance.normalisedError(found.moments().v(), expected.moments().v()));
  }

  /** The difference of the losses, in units of the reference's loss or of 1 if that is smaller. */
  private double lossError() {
    return Double.compare(loss, expected) == 0
        ? 0
        : Math.abs(loss - expected) / Math.max(1, expected);
  }

  boolean lossPassed() {
    return lossError() <= Limits.of(precision).loss; // false for NaN
  }

  /** Whether weights and moments can be judged, and not the loss alone. */
  boolean judged() {
    return kinks == 0;
  }

  boolean weightsPassed() {
    return !judged() || weightsError <= Limits.of(precision).weights;
  }

  boolean momentsPassed() {
    return !judged() || momentsError <= Limits.of(precision).moments;
  }

  boolean passed() {
    return lossPassed() && weightsPassed() && momentsPassed();
  }

  /** The checks to show: 1, 2, 5, 10, 20, 50 …, the last, and the first that exceeds a limit. */
  static List<StepCheck> shown(List<StepCheck> checks) {
    var shown = new ArrayList<StepCheck>();
    boolean right = true;
    for (StepCheck check : checks) {
      boolean firstWrong = right && !check.passed();
      right &= check.passed();
      int leading = check.step;
      while (leading % 10 == 0) {
        leading /= 10;
      }
      if (firstWrong || List.of(1, 2, 5).contains(leading) || check.step == checks.size()) {
        shown.add(check);
      }
    }
    return shown;
  }

  /** The table of at least one check, with the limits and what was judged below. */
  static List<String> table(List<StepCheck> checks, Precision precision) {
    var lines = new ArrayList<>(List.of(HEADER));
    shown(checks).forEach(check -> lines.add(check.toString()));
    Limits limits = Limits.of(precision);
    lines.add(
        "%-34s %9.1e %9.1e %9.1e".formatted("limit", limits.loss, limits.weights, limits.moments));
    long judged = checks.stream().filter(StepCheck::judged).count();
    lines.add(
        "Weights and moments were judged in %d of %s%s"
            .formatted(
                judged,
                Tables.count(checks.size(), "step"),
                judged == checks.size()
                    ? ""
                    : ": in the others a ReLU was at 0, but for rounding, and the loss alone was"));
    return lines;
  }

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("step", step);
    json.put("loss", Tables.number(loss));
    json.put("reference_loss", Tables.number(expected));
    json.put("loss_error", Tables.number(lossError()));
    json.put("weights_error", Tables.number(weightsError));
    json.put("moments_error", Tables.number(momentsError));
    json.put("kinks", kinks);
    return json;
  }

  private static final String HEADER =
      "%-8s %12s %12s %9s %9s %9s"
          .formatted("step", "loss", "reference's", "error", "weights", "moments");

  @Override
  public String toString() {
    return "%-8d %12.8f %12.8f %9.1e %9.1e %9.1e  %s"
        .formatted(
            step,
            loss,
            expected,
            lossError(),
            weightsError,
            momentsError,
            !passed() ? "WRONG" : judged() ? "ok" : "ok, a ReLU at 0");
  }
}
