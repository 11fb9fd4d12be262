package mlpcuda.conformance;

import java.util.Optional;
import java.util.function.Function;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.SgdSettings;
import mlpcuda.conformance.Cases.Case;

/** Cases of the weights' update: optimizers, clipping, the loss scale, the position. */
final class OptimizerCases {
  private OptimizerCases() {}

  static Case adam(int n, int steps, AdamSettings settings) {
    return adam(
        n, "step=%d %s".formatted(steps, settings), Cases.FP32, steps, Optional.empty(), settings);
  }

  /**
   * A skipped step must change no bit; another step's number leaves the skipped ones before it out.
   */
  static Case scaledAdam(int n, AdamSettings settings, boolean skips) {
    return adam(n, scaled(settings, skips), limit(skips), 5, Optional.of(state(skips)), settings);
  }

  /** A case whose weights are small beside the update, so that the update is seen in the result. */
  private static Case adam(
      int n, String what, double limit, int steps, Optional<float[]> state, AdamSettings settings) {
    return new Case(
        "adamStep",
        "n=%d %s".formatted(n, what),
        limit,
        t -> {
          Buffer w = t.inOut("w", n, -0.01, 0.01);
          Buffer m = t.inOut("m", n, -0.01, 0.01);
          Buffer v = t.inOut("v", n, 0, 1e-4);
          var arenas = new OptimizerState(w, m, v);
          Buffer dw = t.normal("dw", n, 0.01);
          Buffer step = t.given("step", steps);
          Buffer rate = t.given("rate", 0.1f);
          Optional<Buffer> scaling = state.map(of -> t.given("scaling", of));
          return () -> t.ops().adamStep(arenas, dw, step, rate, scaling, n, settings);
        });
  }

  /** Weight decay alone, without a gradient, so that nothing hides the decay. */
  static Case decay(boolean decoupled) {
    var settings = new AdamSettings(0.9, 0.999, 1e-2, 0.3, decoupled);
    return new Case(
        "adamStep",
        "without gradient, " + settings,
        Cases.FP32,
        t -> {
          Buffer w = t.inOut("w", 33, -1, 1);
          Buffer m = t.inOut("m", 33, 0, 0);
          Buffer v = t.inOut("v", 33, 0, 0);
          var arenas = new OptimizerState(w, m, v);
          Buffer dw = t.uniform("dw", 33, 0, 0);
          Buffer step = t.given("step", 2);
          Buffer rate = t.given("rate", 0.1f);
          return () -> t.ops().adamStep(arenas, dw, step, rate, Optional.empty(), 33, settings);
        });
  }

  static Case sgd(int n, SgdSettings settings) {
    return sgd(n, settings.toString(), Cases.FP32, Optional.empty(), settings);
  }

  /** A skipped step of SGD must change no bit; see {@link #scaledAdam}. */
  static Case scaledSgd(int n, boolean skips) {
    var settings = new SgdSettings(0.9, true, 0.01);
    return sgd(n, scaled(settings, skips), limit(skips), Optional.of(state(skips)), settings);
  }

  private static Case sgd(
      int n, String what, double limit, Optional<float[]> state, SgdSettings settings) {
    return new Case(
        "sgdStep",
        "n=%d %s".formatted(n, what),
        limit,
        t -> {
          Buffer w = t.inOut("w", n, -0.01, 0.01);
          Buffer velocity = t.inOut("velocity", n, -0.01, 0.01);
          Buffer dw = t.normal("dw", n, 0.01);
          Buffer rate = t.given("rate", 0.1f);
          Optional<Buffer> scaling = state.map(of -> t.given("scaling", of));
          return () -> t.ops().sgdStep(w, velocity, dw, rate, scaling, n, settings);
        });
  }

  private static String scaled(OptimizerSettings settings, boolean skips) {
    return settings + (skips ? ", skipped" : ", after 3 that were skipped");
  }

  private static double limit(boolean skips) {
    return skips ? Cases.EXACT : Cases.FP32;
  }

  /** A state of {@link LossScale} for a step before which 3 others were skipped. */
  static float[] state(boolean skips) {
    return new float[] {1024, 7, 3, skips ? 1 : 0};
  }

  static Case average(int n, int step, double decay) {
    return new Case(
        "averageStep",
        "n=%d step=%d decay=%s".formatted(n, step, decay),
        Cases.FP32,
        t -> {
          Buffer average = t.inOut("average", n, -0.01, 0.01);
          Buffer w = t.uniform("w", n, -10, 10); // large, so that a small share of it is seen
          Buffer number = t.given("step", step);
          return () -> t.ops().averageStep(average, w, number, n, decay);
        });
  }

  static Case clip(int n, double scale, float limit) {
    String what = "n=%d gradients ±%.0e limit=%s".formatted(n, scale, limit);
    return clip(what, n, t -> t.inOut("dw", n, -scale, scale), Optional.empty(), limit);
  }

  static Case clipOf(String what, float limit, float... gradients) {
    return clip("of " + what, gradients.length, given(gradients), Optional.empty(), limit);
  }

  /** Clipping with a state that skips the step: the operation must set it anew to not skipped. */
  static Case scaledClip(int n, float limit) {
    String what = "n=%d limit=%s, scaled".formatted(n, limit);
    return clip(what, n, t -> t.inOut("dw", n, -1024, 1024), Optional.of(state(true)), limit);
  }

  static Case scaledClipOf(String what, float limit, float... gradients) {
    String sizes = "of %s, limit=%s, scaled".formatted(what, limit);
    return clip(sizes, gradients.length, given(gradients), Optional.of(state(false)), limit);
  }

  private static Function<GuardedBuffers, Buffer> given(float[] gradients) {
    return t -> t.givenInOut("dw", gradients);
  }

  private static Case clip(
      String sizes,
      int n,
      Function<GuardedBuffers, Buffer> gradients,
      Optional<float[]> state,
      float limit) {
    return new Case(
        "clipNorm",
        sizes,
        Cases.ROUNDED,
        t -> {
          Buffer dw = gradients.apply(t);
          Buffer norm = t.outputAndScratch("norm", 1, Ops.NORM_LENGTH - 1);
          Optional<Buffer> scaling = state.map(of -> t.givenInOut("scaling", of));
          return () -> t.ops().clipNorm(dw, norm, scaling, n, limit);
        });
  }

  static Case advance() {
    return advance("", 41, Optional.empty());
  }

  static Case scaledAdvance(String when, int steps, float... state) {
    return advance(when + ", scaled", steps, Optional.of(state));
  }

  private static Case advance(String sizes, int steps, Optional<float[]> state) {
    return new Case(
        "advance",
        sizes,
        Cases.EXACT,
        t -> {
          int[] before = {steps, 640, 6};
          Buffer position = t.intOutput("position", before);
          Buffer rate = t.output("rate", 1);
          Buffer rates = t.uniform("rates", 9, 0, 1);
          Optional<Buffer> scaling = state.map(of -> t.givenInOut("scaling", of));
          return () -> {
            // without it, repeated runs would leave the rates
            t.ops().write(position, before, 0, 3);
            t.ops().advance(position, rate, rates, scaling, 37);
          };
        });
  }
}
