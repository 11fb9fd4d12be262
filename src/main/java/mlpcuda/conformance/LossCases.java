package mlpcuda.conformance;

import java.util.Optional;
import java.util.function.Function;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.Targets;
import mlpcuda.conformance.Cases.Case;

/** Cases of log-softmax and cross-entropy. */
final class LossCases {
  private LossCases() {}

  static Case logSoftmax(int B, int C, double scale) {
    return logSoftmax(B, C, "logits ±%.0e".formatted(scale), -scale, scale);
  }

  /**
   * Differences that are small beside the logits must be right: the largest is subtracted first.
   */
  static Case logSoftmaxOfLargeButClose() {
    return logSoftmax(33, 10, "logits 1e4 ± 1", 9999, 10001);
  }

  private static Case logSoftmax(int B, int C, String what, double low, double high) {
    return new Case(
        "logSoftmaxForward",
        "B=%d C=%d %s".formatted(B, C, what),
        Cases.FP32,
        t -> {
          Buffer y = t.output("y", B * C);
          Buffer x = t.uniform("x", B * C, low, high);
          return () -> t.ops().logSoftmaxForward(y, x, B, C);
        });
  }

  /**
   * What a case of cross-entropy has besides its sizes, logits and smoothing.
   *
   * @param rows the rows of the log: one, or some of which one is written
   * @param classes the number of classes that labels are drawn from
   * @param weighted whether examples have weights
   * @param state the state of the loss scale; empty: there is none
   */
  private record How(
      boolean withDx, int rows, int classes, int step, boolean weighted, Optional<float[]> state) {
    /** A gradient, a log of one row, no loss scale. */
    static How plain(int classes) {
      return new How(true, 1, classes, 1, false, Optional.empty());
    }

    How without(boolean dx) {
      return new How(withDx && !dx, rows, classes, step, weighted, state);
    }

    How at(int step, int rows) {
      return new How(withDx, rows, classes, step, weighted, state);
    }

    How weightedToo() {
      return new How(withDx, rows, classes, step, true, state);
    }

    How scaled(float[] state) {
      return new How(withDx, rows, classes, step, weighted, Optional.of(state));
    }
  }

  /** A case at step 5 of a log of 3 rows: the second row is written, and the others stay. */
  static Case crossEntropy(int B, int C, double scale, float smoothing, boolean withDx) {
    String what =
        "logits ±%.0e smoothing=%s%s".formatted(scale, smoothing, withDx ? "" : ", without dx");
    How how = How.plain(C).without(!withDx).at(5, 3);
    return crossEntropy(B, C, what, uniform(B * C, -scale, scale), smoothing, how);
  }

  static Case crossEntropyOfTies(int B, int C) {
    Function<GuardedBuffers, Buffer> logits = t -> t.ties("x", B * C);
    return crossEntropy(B, C, "with equal logits", logits, 0, How.plain(C));
  }

  /**
   * A case in which the first of all classes is the answer, also among those of one lane of a warp.
   */
  static Case crossEntropyOfEqual(int B, int C) {
    return crossEntropy(B, C, "with one logit", uniform(B * C, 3, 3), 0, How.plain(1));
  }

  /** A step below 1, as after 2^31 steps: its row must still lie in the log. */
  static Case crossEntropyBeforeTheFirstStep() {
    return crossEntropy(7, 10, "step -6", uniform(70, -1, 1), 0, How.plain(10).at(-6, 3));
  }

  /** A loss must be non-finite where the logits make it so: that is how divergence is seen. */
  static Case crossEntropyOfSpecial(int B, int C, float smoothing) {
    String what = "of NaN and infinity, smoothing=" + smoothing;
    Function<GuardedBuffers, Buffer> logits = t -> t.special("x", B * C);
    return crossEntropy(B, C, what, logits, smoothing, How.plain(C));
  }

  static Case crossEntropyOfLargeButClose(float smoothing) {
    String what = "logits 1e4 ± 1 smoothing=" + smoothing;
    return crossEntropy(33, 10, what, uniform(330, 9999, 10001), smoothing, How.plain(10));
  }

  static Case scaledCrossEntropy(int B, int C, float smoothing) {
    String what = "smoothing=%s, scaled".formatted(smoothing);
    How how = How.plain(C).at(5, 1).scaled(OptimizerCases.state(false));
    return crossEntropy(B, C, what, uniform(B * C, -1, 1), smoothing, how);
  }

  /** Weights from 0 to 3: the loss and its gradient have them, the count of right answers not. */
  static Case weightedCrossEntropy(int B, int C, float smoothing) {
    String what = "smoothing=%s, weighted".formatted(smoothing);
    How how = How.plain(C).at(5, 3).weightedToo();
    return crossEntropy(B, C, what, uniform(B * C, -3, 3), smoothing, how);
  }

  static Case scaledAndWeightedCrossEntropy(int B, int C) {
    How how = How.plain(C).scaled(OptimizerCases.state(false)).weightedToo();
    return crossEntropy(B, C, "scaled and weighted", uniform(B * C, -1, 1), 0, how);
  }

  private static Function<GuardedBuffers, Buffer> uniform(int n, double low, double high) {
    return t -> t.uniform("x", n, low, high);
  }

  private static Case crossEntropy(
      int B,
      int C,
      String what,
      Function<GuardedBuffers, Buffer> logits,
      float smoothing,
      How how) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d %s".formatted(B, C, what),
        Cases.FP32,
        t -> {
          Optional<Buffer> dx = how.withDx ? Optional.of(t.output("dx", B * C)) : Optional.empty();
          Buffer log = how.rows == 1 ? t.output("log", 2) : t.inOut("log", 2 * how.rows, 1, 2);
          var outputs = new LossOutputs(dx, log, t.output("losses", 2 * B));
          Buffer x = logits.apply(t);
          Buffer y = t.integers("y", B, how.classes);
          Optional<Buffer> weights =
              how.weighted ? Optional.of(t.uniform("weights", B, 0, 3)) : Optional.empty();
          var targets = new Targets(y, weights);
          Buffer step = t.given("step", how.step);
          Optional<Buffer> scaling = how.state.map(state -> t.given("scaling", state));
          return () ->
              t.ops().crossEntropyForward(outputs, x, targets, step, scaling, B, C, smoothing);
        });
  }
}
