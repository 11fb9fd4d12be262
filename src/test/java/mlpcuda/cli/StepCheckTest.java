package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.AmbiguousReluCounter;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests that the limits of whole steps let right devices pass, and find those that round otherwise.
 */
class StepCheckTest {
  private static final int STEPS = 20;
  private static final ExampleSet IMAGES = EmbeddedMnist.load().train().first(640);
  private static final TrainingSetup TRAINING =
      new TrainingSetup(
          new MlpShape(List.of(784, 32, 16, 10), Activation.RELU, Activation.NONE),
          IMAGES,
          PixelScaling.of("z-score", IMAGES),
          32,
          new Update(AdamSettings.DEFAULT, 0, Regularisation.NONE),
          1e-3,
          1);

  private static List<StepCheck> run(Ops ops, Precision precision) {
    try (ops;
        var here = new Learner(ops, TRAINING);
        var reference = new AmbiguousReluCounter(precision);
        var there = new Learner(reference, TRAINING)) {
      return StepCheck.run(here, there, reference::ambiguous, STEPS, precision);
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void rightDevicesPass(Precision precision) {
    List<StepCheck> checks = run(new CpuOps(2, precision), precision);
    checks.forEach(check -> assertTrue(check.passed(), check.toString()));
    long judged = checks.stream().filter(StepCheck::judged).count();
    assertTrue(judged >= STEPS / 2, judged + " of " + STEPS + " could be judged");
  }

  /** A device that rounds its operands backward alone, or forward alone. */
  private static final class Half extends ReferenceOps {
    private final boolean forward;
    private boolean rounds;

    Half(Precision precision, boolean forward) {
      super(precision);
      this.forward = forward;
    }

    @Override
    protected double operand(Buffer buffer, int i) {
      return rounds ? super.operand(buffer, i) : value(buffer, i);
    }

    @Override
    protected void linearForwardK(
        Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
      rounds = forward;
      super.linearForwardK(y, x, w, b, B, I, O, activation);
    }

    @Override
    protected void linearBackwardK(
        LayerGradients gradients,
        Buffer dy,
        Buffer x,
        Buffer w,
        int B,
        int I,
        int O,
        Activation below) {
      rounds = !forward;
      super.linearBackwardK(gradients, dy, x, w, B, I, O, below);
    }
  }

  /**
   * Pairs of precisions with other numbers of bits; steps do not show how halves and TF32 differ in
   * ties and range.
   */
  static Stream<Arguments> others() {
    return Stream.of(
        Arguments.of(Precision.TF32, Precision.FP32),
        Arguments.of(Precision.TF32, Precision.BF16),
        Arguments.of(Precision.BF16, Precision.FP32),
        Arguments.of(Precision.BF16, Precision.TF32),
        Arguments.of(Precision.FP16, Precision.FP32),
        Arguments.of(Precision.FP16, Precision.BF16));
  }

  /** Weights whose gradient is noise are left out, and others are not. */
  @Test
  void weightsThatNoiseMovedAreNotJudged() {
    float[] weights = {1, -1, 1, 2};
    float[] gradients = {1, -2, 1, 1.5f};
    assertEquals(0, errorOfThird(weights, 1e-6f, -1e-6f, 1.02f, gradients));
    assertEquals(0, errorOfThird(weights, 0, -1e-6f, 1.02f, gradients));
    assertEquals(4e-4 / 7, errorOfThird(weights, 0, 0, 1.02f, gradients), 1e-8, "no gradient");
    assertEquals(4e-4 / 7, errorOfThird(weights, 1e-6f, 1, 1.02f, gradients), 1e-8, "a real one");
    assertFalse(errorOfThird(weights, 1e-6f, 1e-6f, Float.NaN, gradients) < 1);
  }

  /** The error of the weights where the third one, and its first moment, are others on a device. */
  private static double errorOfThird(
      float[] weights, float m, float rightM, float weight, float[] gradients) {
    float[] found = weights.clone();
    found[2] = weight;
    float[] moments = gradients.clone();
    moments[2] = m;
    float[] right = gradients.clone();
    right[2] = rightM;
    return StepCheck.weightsError(state(found, moments), state(weights, right));
  }

  private static Learner.State state(float[] weights, float[] m) {
    return new Learner.State(
        List.of(weights), new Parameters.State(List.of(m), List.of(new float[m.length])));
  }

  private static void assertFound(List<StepCheck> checks) {
    List<StepCheck> wrong = checks.stream().filter(check -> !check.passed()).toList();
    assertFalse(wrong.isEmpty(), checks.toString());
  }

  @ParameterizedTest(name = "{0}, but in {1}")
  @MethodSource("others")
  void anotherPrecisionIsFound(Precision precision, Precision found) {
    assertFound(run(new CpuOps(2, found), precision));
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, names = "FP32", mode = EnumSource.Mode.EXCLUDE)
  void halfARoundingIsFound(Precision precision) {
    assertFound(run(new Half(precision, true), precision));
    assertFound(run(new Half(precision, false), precision));
  }
}
