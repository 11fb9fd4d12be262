package mlpcuda.conformance;

import mlpcuda.compute.Buffer;
import mlpcuda.conformance.Cases.Case;

/** Cases of log-softmax and cross-entropy. */
final class LossCases {
  private LossCases() {}

  static Case logSoftmax(int B, int C, double scale) {
    return new Case(
        "logSoftmaxForward",
        "B=%d C=%d logits ±%.0e".formatted(B, C, scale),
        Cases.FP32,
        t -> {
          Buffer y = t.output("y", B * C);
          Buffer x = t.uniform("x", B * C, -scale, scale);
          return () -> t.ops().logSoftmaxForward(y, x, B, C);
        });
  }

  static Case crossEntropy(int B, int C, double scale, float smoothing, boolean withDx) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d logits ±%.0e smoothing=%s%s"
            .formatted(B, C, scale, smoothing, withDx ? "" : ", without dx"),
        Cases.FP32,
        t -> {
          Buffer dx = withDx ? t.output("dx", B * C) : null;
          // Step 5 of a log of 3 rows: the second is written, the others keep.
          Buffer log = t.inOut("log", 6, 1, 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.uniform("x", B * C, -scale, scale);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 5);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, smoothing);
        });
  }

  static Case crossEntropyOfTies(int B, int C) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d with equal logits".formatted(B, C),
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.ties("x", B * C);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 1);
          return () -> t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, 0);
        });
  }

  /** The first of all classes is the answer, also of those that one lane of a warp looks at. */
  static Case crossEntropyOfEqual(int B, int C) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d with one logit".formatted(B, C),
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.uniform("x", B * C, 3, 3);
          Buffer y = t.integers("y", B, 1);
          Buffer step = t.given("step", 1);
          return () -> t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, 0);
        });
  }

  /** A step below 1, as after 2^31 steps: the row of the log is in the log still. */
  static Case crossEntropyBeforeTheFirstStep() {
    return new Case(
        "crossEntropyForward",
        "B=7 C=10 step -6",
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", 70);
          Buffer log = t.inOut("log", 6, 1, 2);
          Buffer losses = t.output("losses", 14);
          Buffer x = t.uniform("x", 70, -1, 1);
          Buffer y = t.integers("y", 7, 10);
          Buffer step = t.given("step", -6);
          return () -> t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, 7, 10, 0);
        });
  }

  /** A loss must be NaN or infinite where the logits make it so: that is how divergence is seen. */
  static Case crossEntropyOfSpecial(int B, int C, float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d of NaN and infinity, smoothing=%s".formatted(B, C, smoothing),
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.special("x", B * C);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 1);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, smoothing);
        });
  }

  /** What is small beside the logits is right still: the largest is subtracted first. */
  static Case logSoftmaxOfLargeButClose() {
    return new Case(
        "logSoftmaxForward",
        "B=33 C=10 logits 1e4 ± 1",
        Cases.FP32,
        t -> {
          Buffer y = t.output("y", 330);
          Buffer x = t.uniform("x", 330, 9999, 10001);
          return () -> t.ops().logSoftmaxForward(y, x, 33, 10);
        });
  }

  static Case crossEntropyOfLargeButClose(float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=33 C=10 logits 1e4 ± 1 smoothing=" + smoothing,
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", 330);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 66);
          Buffer x = t.uniform("x", 330, 9999, 10001);
          Buffer y = t.integers("y", 33, 10);
          Buffer step = t.given("step", 1);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, 33, 10, smoothing);
        });
  }

  static Case scaledCrossEntropy(int B, int C, float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d smoothing=%s, scaled".formatted(B, C, smoothing),
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.uniform("x", B * C, -1, 1);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 5);
          Buffer scaling = t.given("scaling", OptimizerCases.state(false));
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, scaling, B, C, smoothing);
        });
  }
}
