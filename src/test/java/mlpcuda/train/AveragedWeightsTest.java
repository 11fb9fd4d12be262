package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests the exponential moving average of the weights while a network learns. */
class AveragedWeightsTest {
  private static final int I = 23; // the first ten have a background of 0
  private static final int STEPS = 12;
  private static final double DECAY = 0.5; // a bound from step 8 on
  private static final PixelScaling SCALING = new PixelScaling("centred", 0.5, 0.5);

  private static ExampleSet bordered(int n) {
    var random = new Random(n);
    byte[] pixels = new byte[n * I];
    byte[] labels = new byte[n];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i % I < 10 && random.nextInt(100) > 0 ? 0 : random.nextInt(256));
    }
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) random.nextInt(3);
    }
    return ExampleSet.images(1, I, pixels, labels);
  }

  private static TrainingSetup training(double ema) {
    return new TrainingSetup(
        new MlpShape(List.of(I, 9, 3), Activation.LECUN_TANH, Activation.NONE),
        bordered(400),
        SCALING,
        32,
        new Update(AdamSettings.DEFAULT, 0, Regularisation.NONE, ema),
        0.05,
        3);
  }

  private static Ops gpu(StepKind step, Precision precision) {
    var options = CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.GRAPH);
    return new CudaOps(
        new EmulatedDriver(EmulatedPolicy.LATEST), options.with(step).with(precision));
  }

  static Stream<Arguments> devices() {
    return Stream.of(
        device("reference", ReferenceOps::new),
        device("CPU", () -> new CpuOps(2)),
        device("CPU in halves", () -> new CpuOps(1, Precision.FP16)),
        device("layered", () -> gpu(StepKind.LAYERED, Precision.FP32)),
        device("layered in halves", () -> gpu(StepKind.LAYERED, Precision.FP16)),
        device("fused", () -> gpu(StepKind.FUSED, Precision.FP32)),
        device("fused in halves", () -> gpu(StepKind.FUSED, Precision.FP16)),
        device("persistent if possible", () -> gpu(StepKind.PERSISTENT, Precision.FP32)));
  }

  private static Arguments device(String name, Supplier<Ops> opens) {
    return Arguments.of(name, opens);
  }

  /** Moves an average as the definition says. */
  private static void move(double[][] average, List<float[]> weights, int t) {
    double d = Math.min(DECAY, (1.0 + t) / (10.0 + t));
    for (int i = 0; i < average.length; i++) {
      for (int j = 0; j < average[i].length; j++) {
        average[i][j] = d * average[i][j] + (1 - d) * weights.get(i)[j];
      }
    }
  }

  private static double[][] doubles(List<float[]> tensors) {
    double[][] all = new double[tensors.size()][];
    for (int i = 0; i < all.length; i++) {
      all[i] = new double[tensors.get(i).length];
      for (int j = 0; j < all[i].length; j++) {
        all[i][j] = tensors.get(i)[j];
      }
    }
    return all;
  }

  private static void assertNear(double[][] expected, List<float[]> found, String what) {
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        assertEquals(expected[i][j], found.get(i)[j], 2e-7, what + ", tensor " + i);
      }
    }
  }

  /** The average is that of the weights, after each step, and moves none of them. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("devices")
  void isTheAverageOfTheWeights(String name, Supplier<Ops> opens) {
    List<float[]> raw;
    List<float[]> averaged;
    double[][] expected;
    try (Ops ops = opens.get();
        var learner = new Learner(ops, training(DECAY))) {
      Parameters parameters = learner.parameters();
      expected = doubles(parameters.read());
      assertNear(expected, parameters.answering().read(), "at the beginning");
      for (int t = 1; t <= STEPS; t++) {
        learner.run();
        move(expected, parameters.read(), t);
        assertNear(expected, parameters.answering().read(), "after step " + t);
      }
      raw = parameters.read();
      averaged = parameters.answering().read();
    }
    assertFalse(Arrays.equals(raw.get(0), averaged.get(0)));
    try (Ops ops = opens.get();
        var learner = new Learner(ops, training(DECAY))) {
      learner.run(STEPS); // several in a recorded graph
      assertSameBits(averaged, learner.parameters().answering().read());
    }
    TrainingSetup without = training(0);
    try (Ops ops = opens.get();
        var learner = new Learner(ops, without)) {
      learner.run(STEPS);
      assertSame(learner.parameters(), learner.parameters().answering());
      if (!name.startsWith("persistent")) { // without an average it sums up in another order
        assertSameBits(raw, learner.parameters().read());
      }
    }
  }

  private static void assertSameBits(List<float[]> expected, List<float[]> found) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i));
    }
  }

  /** An evaluation between steps sees and leaves the average. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("devices")
  void isEvaluatedBetweenSteps(String name, Supplier<Ops> opens) {
    List<float[]> averaged;
    try (Ops ops = opens.get();
        var learner = new Learner(ops, training(DECAY))) {
      learner.run(STEPS);
      averaged = learner.parameters().answering().read();
    }
    ExampleSet set = bordered(70);
    try (Ops ops = opens.get();
        var learner = new Learner(ops, training(DECAY));
        var evaluator = new Evaluator(learner.parameters().answering(), set, SCALING, 32)) {
      double loss = Double.NaN;
      for (int t = 1; t <= STEPS; t++) {
        learner.run();
        loss = evaluator.run().loss();
      }
      assertSameBits(averaged, learner.parameters().answering().read());
      try (var weights = new Parameters(ops, learner.parameters().shape())) {
        weights.write(averaged);
        assertEquals(Evaluator.evaluate(weights, set, SCALING, 32).loss(), loss, 1e-6);
        weights.write(learner.parameters().read());
        double ofRaw = Evaluator.evaluate(weights, set, SCALING, 32).loss();
        assertTrue(Math.abs(ofRaw - loss) > 1e-3, "raw %s, average %s".formatted(ofRaw, loss));
      }
    }
  }

  /** A device that was asked for many steps in one launch takes them one by one, and says so. */
  @Test
  void noTwoStepsAreOneLaunch() {
    try (Ops ops = gpu(StepKind.PERSISTENT, Precision.FP32)) {
      TrainingSetup averaged = training(DECAY);
      String line = ops.description(averaged.needs());
      assertTrue(
          line.contains(
              "fused steps (not persistent: the weights are averaged after each step), resident"),
          line);
      assertTrue(line.endsWith("CUDA graph"), line);
      assertTrue(ops.description(training(0).needs()).contains("persistent steps"));
    }
  }

  /** Where gradients overflow, the weights stay, and their average goes on towards them. */
  @Test
  void aSkippedStepMovesTheAverageAlone() {
    TrainingSetup training = training(DECAY);
    try (Ops ops = gpu(StepKind.LAYERED, Precision.FP16);
        var learner = new Learner(ops, training)) {
      Parameters parameters = learner.parameters();
      List<float[]> weights = parameters.read();
      for (float[] tensor : weights) {
        for (int i = 0; i < tensor.length; i++) {
          tensor[i] *= 1e6f; // beyond halves
        }
      }
      parameters.write(weights);
      weights.forEach(tensor -> Arrays.fill(tensor, 0));
      parameters.answering().write(weights);
      List<float[]> before = parameters.read();
      learner.run();
      assertSameBits(before, parameters.read());
      double d = 2 / 11.0;
      List<float[]> found = parameters.answering().read();
      for (int i = 0; i < found.size(); i++) {
        for (int j = 0; j < found.get(i).length; j++) {
          double right = (1 - d) * before.get(i)[j];
          assertEquals(right, found.get(i)[j], 1e-6 * Math.abs(right));
        }
      }
    }
  }
}
