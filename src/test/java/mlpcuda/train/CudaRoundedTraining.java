package mlpcuda.train;

import static mlpcuda.train.CudaTraining.assertSameBits;
import static mlpcuda.train.CudaTraining.normalisedError;
import static mlpcuda.train.CudaTraining.validationLosses;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import mlpcuda.compute.Activation;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.error.DivergedException;
import mlpcuda.net.MlpShape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests whole runs with rounded operands on the GPU that a subclass opens, against a CPU that
 * rounds them alike.
 */
abstract class CudaRoundedTraining {
  /**
   * The number of times that a scale of 2²⁴ is halved until half precision has all gradients of
   * everything.
   */
  private static final int HALVINGS = 5;

  /** The kinds of steps that round operands, each of which is asked for by name. */
  static Set<StepKind> roundingSteps() {
    return EnumSet.of(StepKind.LAYERED, StepKind.FUSED);
  }

  /** Opens a device that no other test uses. */
  abstract CudaDriver open();

  /** Asserts that a run took the steps of the CPU's: its losses, its validations, its weights. */
  void assertTakesTheStepsOf(Run cpu, Run gpu, String what) {
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5, what + ": losses");
    assertArrayEquals(
        validationLosses(cpu), validationLosses(gpu), 1e-5, what + ": validation losses");
    double error = normalisedError(cpu, gpu);
    assertTrue(error <= 1e-9, what + ": normalised mean squared error of the weights: " + error);
  }

  private Ops ops(CudaOptions options) {
    return new CudaOps(open(), options);
  }

  private static CudaOptions options(Multiplier gemm, StepKind step, Precision precision) {
    return CudaOptions.layered(gemm, FeedKind.PINNED, Launching.GRAPH).with(step).with(precision);
  }

  /** All steps agree with the CPU's: a sum that rounds to the other side is rare here. */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "FP32")
  void everythingAtOnceTakesTheCpusSteps(Precision precision) {
    Run cpu = Run.ofEverything(new CpuOps(1, precision), 0);
    assertApart(cpu, Run.ofEverything(new CpuOps(1), 0));
    for (CudaOptions options : everyWay(precision)) {
      Run gpu = Run.ofEverything(ops(options), 0);
      assertEquals(30, gpu.steps.size());
      assertTakesTheStepsOf(cpu, gpu, options.toString());
      assertArrayEquals(cpu.lossScale, gpu.lossScale, options.toString());
    }
  }

  /** Tests the test itself: single precision must not pass it. */
  private static void assertApart(Run rounded, Run single) {
    double error = normalisedError(single, rounded);
    assertTrue(error > 1e-6, "of single precision: " + error);
  }

  private static List<CudaOptions> everyWay(Precision precision) {
    return List.of(
        options(Multiplier.PTX, StepKind.LAYERED, precision),
        options(Multiplier.PTX, StepKind.FUSED, precision),
        options(Multiplier.CUBLAS, StepKind.LAYERED, precision));
  }

  /**
   * Some of so many activations are rounded to the other side of where the CPU rounds them: two
   * runs part a little, but are a hundred times closer than to single precision.
   */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "FP32")
  void theDefaultNetworkTakesTheCpusSteps(Precision precision) {
    Run single = mnist(new CpuOps(2));
    Run cpu = mnist(new CpuOps(2, precision));
    double apart = normalisedError(single, cpu);
    for (StepKind step : roundingSteps()) {
      Run gpu = mnist(ops(options(Multiplier.PTX, step, precision)));
      double error = normalisedError(cpu, gpu);
      assertTrue(
          error <= apart / 100, "%s: %s, of single precision %s".formatted(step, error, apart));
      assertArrayEquals(cpu.losses(), gpu.losses(), 1e-3, step.toString());
      boolean judges = precision.needsLossScale(); // the gradients' norm, in two launches
      int nodes = step == StepKind.FUSED ? 3 : judges ? 17 : 15;
      assertEquals(nodes, gpu.nodes.orElseThrow(), step.toString());
    }
  }

  static Run mnist(Ops ops) {
    ExampleSet train = EmbeddedMnist.load().train().first(200);
    Scaling scaling = PixelScaling.of("z-score", train);
    // the second epoch is replayed from graphs
    var settings = Run.settings(2, 64, true, 1, Integer.MAX_VALUE, 1);
    return new Run()
        .of(ops, Run.mnistShape(128, 64), scaling, train, train.first(70), 1e-3, settings);
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "FP32")
  void feedsGraphsAndStepsAtOnceMakeTheSameBits(Precision precision) {
    for (StepKind step : roundingSteps()) {
      CudaOptions base =
          CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.SINGLE)
              .with(step)
              .with(precision);
      Run expected = startingHigh(ops(base), 0);
      for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
        for (int atOnce : new int[] {1, 3, 8}) {
          CudaOptions options =
              CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH)
                  .with(step)
                  .with(precision)
                  .withStepsAtOnce(atOnce);
          Run found = startingHigh(ops(options), 0);
          assertSameBits(expected, found, options.toString());
          assertArrayEquals(expected.lossScale, found.lossScale, options.toString());
        }
      }
    }
  }

  /**
   * A run of everything, with a loss scale, if there is one, that is halved at first and doubled
   * later.
   */
  private static Run startingHigh(Ops ops, double clip) {
    var run = new Run();
    run.firstLossScale = highScale(ops.precision());
    return run.onEverything(ops, clip);
  }

  private static float[] highScale(Precision precision) {
    return precision.needsLossScale() ? new float[] {0x1p24f, 0, 0, 0} : null;
  }

  /** Gradients that half precision cannot hold make a step move nothing and not count. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void stepsWithoutFiniteGradientsAreSkipped(StepKind step) {
    for (Multiplier gemm :
        step == StepKind.FUSED
            ? List.of(Multiplier.PTX)
            : List.of(Multiplier.PTX, Multiplier.CUBLAS)) {
      for (double clip : step == StepKind.FUSED ? new double[] {0} : new double[] {0, 0.5}) {
        Run cpu = startingHigh(new CpuOps(1, Precision.FP16), clip);
        Run gpu = startingHigh(ops(options(gemm, step, Precision.FP16)), clip);
        assertEquals(HALVINGS, LossScale.skipped(cpu.lossScale), Arrays.toString(cpu.lossScale));
        assertArrayEquals(cpu.lossScale, gpu.lossScale);
        assertTakesTheStepsOf(cpu, gpu, step.toString());
      }
    }
  }

  /** Without a hidden layer only the loss's own gradients can be out of range. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void stepsOfOneLayerAreSkipped(StepKind step) {
    var shape = new MlpShape(List.of(6, 3), Activation.RELU, Activation.NONE);
    var settings = Run.settings(2, 16, true, 3, Integer.MAX_VALUE, 1);
    Run cpu = ofOneLayer(new CpuOps(1, Precision.FP16), shape, settings);
    Run gpu = ofOneLayer(ops(options(Multiplier.PTX, step, Precision.FP16)), shape, settings);
    assertTrue(LossScale.skipped(cpu.lossScale) > 0, Arrays.toString(cpu.lossScale));
    assertArrayEquals(cpu.lossScale, gpu.lossScale);
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
  }

  private static Run ofOneLayer(Ops ops, MlpShape shape, Trainer.Settings settings) {
    var run = new Run();
    run.firstLossScale = highScale(Precision.FP16);
    ExampleSet train = Run.easyImages(75);
    return run.of(ops, shape, new PixelScaling("unit", 0, 1), train, train, 0.01, settings);
  }

  /**
   * Activations that half precision cannot hold, behind which loss and gradients are finite: only
   * the gradients of the last layer's weights are not.
   */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void activationsTooLargeAreNotLearntFrom(StepKind step) {
    Run cpu = ofLargeActivations(new CpuOps(1, Precision.FP16), 5);
    Run gpu = ofLargeActivations(ops(options(Multiplier.PTX, step, Precision.FP16)), 5);
    assertArrayEquals(new float[] {4096, 0, 4, 1}, cpu.lossScale);
    assertArrayEquals(cpu.lossScale, gpu.lossScale);
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
    for (int t = 0; t < cpu.weights.size(); t++) {
      assertArrayEquals(cpu.weights.get(t), gpu.weights.get(t), "tensor " + t);
    }
  }

  /** Gradients below the last layer alone are too large, because of its weights. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void gradientsTooLargeBelowAreNotLearntFrom(StepKind step) {
    Run cpu = ofWeights(new CpuOps(1, Precision.FP16), 1e-3f, 200, Activation.NONE, 10);
    Ops ops = ops(options(Multiplier.PTX, step, Precision.FP16));
    Run gpu = ofWeights(ops, 1e-3f, 200, Activation.NONE, 10);
    int skipped = LossScale.skipped(cpu.lossScale);
    assertTrue(skipped > 0 && skipped < 10, Arrays.toString(cpu.lossScale));
    assertArrayEquals(cpu.lossScale, gpu.lossScale);
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-4);
  }

  /** Activations of a layer in the middle, whose outputs are not the first's, are out of range. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void activationsTooLargeInTheMiddleAreNotLearntFrom(StepKind step) {
    Run cpu = ofLargeMiddle(new CpuOps(1, Precision.FP16));
    Run gpu = ofLargeMiddle(ops(options(Multiplier.PTX, step, Precision.FP16)));
    assertArrayEquals(new float[] {4096, 0, 4, 1}, cpu.lossScale);
    assertArrayEquals(cpu.lossScale, gpu.lossScale);
    for (int t = 0; t < cpu.weights.size(); t++) {
      assertArrayEquals(cpu.weights.get(t), gpu.weights.get(t), "tensor " + t);
    }
  }

  private static Run ofLargeMiddle(Ops ops) {
    var run = new Run();
    run.firstWeights =
        List.of(
            filled(30, 1e3f),
            new float[5],
            filled(20, 1e3f),
            new float[4],
            filled(12, -0.5f),
            new float[3]);
    var shape = new MlpShape(List.of(6, 5, 4, 3), Activation.RELU, Activation.SIGMOID);
    ExampleSet train = Run.easyImages(75);
    var settings = Run.settings(20, 16, true, 3, 5, 1);
    return run.of(ops, shape, new PixelScaling("unit", 0, 1), train, train, 0.01, settings);
  }

  private static float[] filled(int n, float value) {
    float[] values = new float[n];
    Arrays.fill(values, value);
    return values;
  }

  /** Adam makes the same of gradients whatever their scale, but plain descent does not. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void plainDescentSeesTheScaleOfGradients(StepKind step) {
    for (double momentum : new double[] {0, 0.9}) {
      var runs = new ArrayList<Run>();
      for (Ops ops :
          List.of(
              new CpuOps(1, Precision.FP16), ops(options(Multiplier.PTX, step, Precision.FP16)))) {
        var run = new Run();
        run.optimizer = new SgdSettings(momentum, false, 0);
        runs.add(run.onEasyImages(ops, 75, 0.1, CudaTraining.RAGGED));
      }
      assertTakesTheStepsOf(runs.get(0), runs.get(1), step.toString());
    }
  }

  /** A single gradient of one example, in whatever warp or block, makes the step be skipped. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void oneGradientIsEnough(StepKind step) {
    for (int[] batch : new int[][] {{4, 0}, {4, 1}, {4, 2}, {4, 3}, {200, 3}, {200, 199}}) {
      Run gpu = ofOneWrong(ops(options(Multiplier.PTX, step, Precision.FP16)), batch[0], batch[1]);
      assertEquals(1, gpu.lossScale[LossScale.SKIPS], Arrays.toString(batch));
    }
    Run none = ofOneWrong(ops(options(Multiplier.PTX, step, Precision.FP16)), 4, -1);
    assertEquals(0, none.lossScale[LossScale.SKIPS]);
  }

  /** A step on a batch of which all but one example are answered as right as can be. */
  private static Run ofOneWrong(Ops ops, int B, int wrong) {
    byte[] pixels = new byte[6 * B];
    byte[] labels = new byte[B];
    for (int b = 0; b < B; b++) {
      int shown = b % 3;
      pixels[6 * b + 2 * shown] = (byte) 255;
      labels[b] = (byte) (b == wrong ? (shown + 1) % 3 : shown);
    }
    float[] weights = new float[18];
    for (int c = 0; c < 3; c++) {
      weights[6 * c + 2 * c] = 200;
    }
    var run = new Run();
    run.firstWeights = List.of(weights, new float[3]);
    run.firstLossScale = new float[] {B == 4 ? 0x1p18f : 0x1p24f, 0, 0, 0};
    var shape = new MlpShape(List.of(6, 3), Activation.RELU, Activation.NONE);
    var train = ExampleSet.images(2, 3, pixels, labels);
    var settings = Run.settings(1, B, false, 3, 1, 1);
    return run.of(ops, shape, new PixelScaling("unit", 0, 1), train, train, 0.01, settings);
  }

  /** No loss scale makes these gradients finite. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void aScaleThatIsExhaustedEndsTheRun(StepKind step) {
    Ops ops = ops(options(Multiplier.PTX, step, Precision.FP16));
    var e = assertThrows(DivergedException.class, () -> ofLargeActivations(ops, 100));
    assertEquals(
        "training diverged: gradients must be finite in fp16, found others at a loss scale of"
            + " 5.9604645E-8 at epoch 9, step 45; a lower learning rate or bf16 may help",
        e.getMessage());
  }

  private static Run ofLargeActivations(Ops ops, int steps) {
    return ofWeights(ops, 6e4f, -0.5f, Activation.SIGMOID, steps);
  }

  /**
   * A run that begins with these weights in its two layers; the second layer's, if above 0, have
   * both signs.
   */
  private static Run ofWeights(Ops ops, float first, float second, Activation output, int steps) {
    var run = new Run();
    float[] above = filled(15, second);
    if (second > 0) {
      Arrays.fill(above, 0, 5, -second);
    }
    run.firstWeights = List.of(filled(30, first), new float[5], above, new float[3]);
    var shape = new MlpShape(List.of(6, 5, 3), Activation.RELU, output);
    ExampleSet train = Run.easyImages(75);
    var settings = Run.settings(20, 16, true, 3, steps, 1);
    return run.of(ops, shape, new PixelScaling("unit", 0, 1), train, train, 0.01, settings);
  }

  /** All steps of the run are skipped, and so the network stays as it was made. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void aSkippedStepMovesNothing(StepKind step) {
    Run three = stepsOfSgd(ops(options(Multiplier.PTX, step, Precision.FP16)), 3);
    Run one = stepsOfSgd(ops(options(Multiplier.PTX, step, Precision.FP16)), 1);
    for (int t = 0; t < one.weights.size(); t++) {
      assertArrayEquals(three.weights.get(t), one.weights.get(t));
    }
    assertArrayEquals(new float[] {0x1p24f, 0, 0, 1}, one.lossScale);
    assertArrayEquals(new float[] {0x1p22f, 0, 2, 1}, three.lossScale);
  }

  private static Run stepsOfSgd(Ops ops, int steps) {
    var run = new Run();
    run.optimizer = new SgdSettings(0.9, false, 0.1);
    run.firstLossScale = highScale(Precision.FP16);
    return run.onEasyImages(ops, 75, 0.01, Run.settings(1, 16, true, 3, steps, 1));
  }

  /** After 2000 steps with finite gradients the scale is doubled. */
  @ParameterizedTest
  @MethodSource("roundingSteps")
  void theScaleGrows(StepKind step) {
    for (Ops ops :
        List.of(
            new CpuOps(1, Precision.FP16), ops(options(Multiplier.PTX, step, Precision.FP16)))) {
      var run = new Run();
      run.firstLossScale = new float[] {1024, LossScale.GROWTH_INTERVAL - 3, 0, 0};
      run.onEasyImages(ops, 75, 0.01, Run.settings(1, 16, true, 3, 5, 1));
      // Four steps are settled, and the third of them is the 2000th.
      assertArrayEquals(new float[] {2048, 1, 0, 0}, run.lossScale, ops.toString());
    }
  }
}
