package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import mlpcuda.conformance.Conformance;
import mlpcuda.train.Learner;

/**
 * A step of training on a device, and the same step on the reference: the same batch, from the
 * weights and moments that the device had before it. Were each to go on from its own, the first
 * ReLU that rounding puts on the other side of 0 would part them for good.
 *
 * @param step its number, from 1
 * @param loss mean of its batch, on the device
 * @param expected the reference's
 * @param lossError their difference, in units of the reference's or of 1 if it is smaller
 * @param weightsError normalised mean squared error of all weights after it
 * @param momentsError of the optimizer's moments after it
 * @param kinks inputs of a ReLU that are 0 but for rounding: where there is one, gradients may
 *     differ, and the loss alone is judged
 */
record StepCheck(
    int step,
    double loss,
    double expected,
    double lossError,
    double weightsError,
    double momentsError,
    long kinks) {
  // 6,500 steps of five presets on 2 threads of a CPU stayed below 1.5e-7,
  // 1e-11 and 5e-13 where no ReLU was at 0.
  static final double LOSS_LIMIT = 1e-6;
  static final double WEIGHTS_LIMIT = 1e-9;
  static final double MOMENTS_LIMIT = 1e-10;

  /**
   * Takes that many steps on both.
   *
   * @param kinks how many the reference has counted
   */
  static List<StepCheck> run(Learner device, Learner reference, LongSupplier kinks, int steps) {
    var checks = new ArrayList<StepCheck>();
    for (int step = 1; step <= steps; step++) {
      reference.start(device.state());
      long before = kinks.getAsLong();
      device.run();
      reference.run();
      double found = device.loss();
      double expected = reference.loss();
      double error =
          Double.compare(found, expected) == 0
              ? 0
              : Math.abs(found - expected) / Math.max(1, expected);
      Learner.State after = device.state();
      Learner.State right = reference.state();
      checks.add(
          new StepCheck(
              step,
              found,
              expected,
              error,
              weightsError(after, right),
              momentsError(after, right),
              kinks.getAsLong() - before));
    }
    return checks;
  }

  private static double weightsError(Learner.State found, Learner.State expected) {
    return Conformance.normalisedError(found.weights(), expected.weights());
  }

  /** The larger one of the errors of the optimizer's first and second moments. */
  private static double momentsError(Learner.State found, Learner.State expected) {
    return Math.max(
        Conformance.normalisedError(found.moments().m(), expected.moments().m()),
        Conformance.normalisedError(found.moments().v(), expected.moments().v()));
  }

  boolean lossPassed() {
    return lossError <= LOSS_LIMIT; // not so for NaN
  }

  /** Whether weights and moments can tell right from wrong, and not the loss alone. */
  boolean judged() {
    return kinks == 0;
  }

  boolean weightsPassed() {
    return !judged() || weightsError <= WEIGHTS_LIMIT;
  }

  boolean momentsPassed() {
    return !judged() || momentsError <= MOMENTS_LIMIT;
  }

  boolean passed() {
    return lossPassed() && weightsPassed() && momentsPassed();
  }

  /** Those to show: 1, 2, 5, 10, 20, 50 …, the last, and the first that passed a limit. */
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

  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("step", step);
    json.put("loss", Tables.number(loss));
    json.put("reference_loss", Tables.number(expected));
    json.put("loss_error", Tables.number(lossError));
    json.put("weights_error", Tables.number(weightsError));
    json.put("moments_error", Tables.number(momentsError));
    json.put("kinks", kinks);
    return json;
  }

  static final String HEADER =
      "%-8s %12s %12s %9s %9s %9s"
          .formatted("step", "loss", "reference's", "error", "weights", "moments");

  @Override
  public String toString() {
    return "%-8d %12.8f %12.8f %9.1e %9.1e %9.1e  %s"
        .formatted(
            step,
            loss,
            expected,
            lossError,
            weightsError,
            momentsError,
            !passed() ? "WRONG" : judged() ? "ok" : "ok, a ReLU at 0");
  }
}
