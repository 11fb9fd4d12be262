package mlpcuda.conformance;

import java.util.function.Function;
import mlpcuda.compute.Buffer;
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

  /** A case at step 5 of a log of 3 rows: the second row is written, and the others stay. */
  static Case crossEntropy(int B, int C, double scale, float smoothing, boolean withDx) {
    String what =
        "logits ±%.0e smoothing=%s%s".formatted(scale, smoothing, withDx ? "" : ", without dx");
    Function<GuardedBuffers, Buffer> logits = uniform(B * C, -scale, scale);
    return crossEntropy(B, C, what, withDx, 3, logits, C, 5, null, smoothing);
  }

  static Case crossEntropyOfTies(int B, int C) {
    Function<GuardedBuffers, Buffer> logits = t -> t.ties("x", B * C);
    return crossEntropy(B, C, "with equal logits", true, 1, logits, C, 1, null, 0);
  }

  /**
   * A case in which the first of all classes is the answer, also among those of one lane of a warp.
   */
  static Case crossEntropyOfEqual(int B, int C) {
    Function<GuardedBuffers, Buffer> logits = uniform(B * C, 3, 3);
    return crossEntropy(B, C, "with one logit", true, 1, logits, 1, 1, null, 0);
  }

  /** A step below 1, as after 2^31 steps: its row must still lie in the log. */
  static Case crossEntropyBeforeTheFirstStep() {
    return crossEntropy(7, 10, "step -6", true, 3, uniform(70, -1, 1), 10, -6, null, 0);
  }

  /** A loss must be non-finite where the logits make it so: that is how divergence is seen. */
  static Case crossEntropyOfSpecial(int B, int C, float smoothing) {
    String what = "of NaN and infinity, smoothing=" + smoothing;
    Function<GuardedBuffers, Buffer> logits = t -> t.special("x", B * C);
    return crossEntropy(B, C, what, true, 1, logits, C, 1, null, smoothing);
  }

  static Case crossEntropyOfLargeButClose(float smoothing) {
    String what = "logits 1e4 ± 1 smoothing=" + smoothing;
    Function<GuardedBuffers, Buffer> logits = uniform(330, 9999, 10001);
    return crossEntropy(33, 10, what, true, 1, logits, 10, 1, null, smoothing);
  }

  static Case scaledCrossEntropy(int B, int C, float smoothing) {
    String what = "smoothing=%s, scaled".formatted(smoothing);
    float[] state = OptimizerCases.state(false);
    return crossEntropy(B, C, what, true, 1, uniform(B * C, -1, 1), C, 5, state, smoothing);
  }

  private static Function<GuardedBuffers, Buffer> uniform(int n, double low, double high) {
    return t -> t.uniform("x", n, low, high);
  }

  /**
   * A case of cross-entropy.
   *
   * @param rows the rows of the log: one, or some of which one is written
   * @param classes the number of classes that labels are drawn from
   * @param state the state of the loss scale; null: there is none
   */
  private static Case crossEntropy(
      int B,
      int C,
      String what,
      boolean withDx,
      int rows,
      Function<GuardedBuffers, Buffer> logits,
      int classes,
      int steps,
      float[] state,
      float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d %s".formatted(B, C, what),
        Cases.FP32,
        t -> {
          Buffer dx = withDx ? t.output("dx", B * C) : null;
          Buffer log = rows == 1 ? t.output("log", 2) : t.inOut("log", 2 * rows, 1, 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = logits.apply(t);
          Buffer y = t.integers("y", B, classes);
          Buffer step = t.given("step", steps);
          Buffer scaling = state == null ? null : t.given("scaling", state);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, scaling, B, C, smoothing);
        });
  }
}
