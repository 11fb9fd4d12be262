package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.features.Features;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Step;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests training on rows of floats, and with weights, on the GPU that a subclass opens. */
abstract class TableTraining {
  private static final int N = 75;

  /** The last batch of an epoch is shorter. */
  private static final Trainer.Settings SETTINGS = Run.settings(2, 16, true, 3, 9, 1);

  /** Opens a device that no other test uses. */
  abstract CudaDriver open();

  private CudaOps ops(FeedKind feed, StepKind step) {
    return new CudaOps(
        open(), CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH).with(step));
  }

  /** Every way in which the GPU trains. */
  private List<Ops> gpus() {
    return List.of(
        ops(FeedKind.RESIDENT, StepKind.LAYERED),
        ops(FeedKind.PINNED, StepKind.LAYERED),
        ops(FeedKind.RESIDENT, StepKind.FUSED),
        ops(FeedKind.PINNED, StepKind.FUSED),
        ops(FeedKind.RESIDENT, StepKind.PERSISTENT));
  }

  /**
   * Rows of floats: years, and others whose offset is large beside what tells the classes apart.
   */
  private static ExampleSet table(int I) {
    var random = new Random(I);
    float[] values = new float[N * I];
    byte[] labels = new byte[N];
    for (int n = 0; n < N; n++) {
      labels[n] = (byte) random.nextInt(3);
      for (int i = 0; i < I; i++) {
        double mean = i % 3 == labels[n] ? 1.5 : 0;
        values[n * I + i] = (float) (2000 * (i % 2) + (mean + random.nextGaussian()) * (i + 1));
      }
    }
    return new ExampleSet(
        Layout.Columns.numbered(I), Features.of(values, I), labels, Optional.empty());
  }

  private static ExampleSet weighted(ExampleSet set) {
    float[] weights = new float[set.size()];
    for (int n = 0; n < weights.length; n++) {
      weights[n] = set.label(n) == 0 ? 2.5f : 0.5f;
    }
    return new ExampleSet(set.layout(), set.features(), set.labels(), Optional.of(weights));
  }

  private static Run run(Ops ops, ExampleSet set, Scaling scaling, OptimizerSettings optimizer) {
    var shape = new MlpShape(List.of(set.inputs(), 9, 3), Activation.TANH, Activation.NONE);
    var run = new Run();
    run.optimizer = optimizer;
    run.regularisation = new Regularisation(List.of(0.2f), 0.1f, 5);
    return run.of(ops, shape, scaling, set, set.first(20), 0.01, SETTINGS);
  }

  /** Fails unless losses, evaluation and weights of a run are the expected ones. */
  void assertAgrees(Run expected, Run found, String what) {
    assertArrayEquals(expected.losses(), found.losses(), 1e-5, what + ": losses");
    assertEquals(expected.answers.loss(), found.answers.loss(), 1e-5, what + ": evaluation");
    double error = CudaTraining.normalisedError(expected, found);
    assertTrue(error <= 1e-9, what + ": normalised mean squared error of the weights: " + error);
  }

  /** Rows of 7 and of 6 floats begin at no multiple of 16 bytes; those of 8 do, and of 260. */
  @ParameterizedTest
  @ValueSource(ints = {1, 6, 7, 8, 260})
  void floatsAreLearntAlikeEverywhere(int I) {
    ExampleSet set = table(I);
    Scaling scaling = Scaling.of("standard", set);
    AdamSettings adam = AdamSettings.DEFAULT;
    Run reference = run(new ReferenceOps(), set, scaling, adam);
    assertAgrees(reference, run(new CpuOps(2), set, scaling, adam), "CPU");
    for (Ops gpu : gpus()) {
      String what = gpu.description(); // before the run closes it
      assertAgrees(reference, run(gpu, set, scaling, adam), what);
    }
  }

  @Test
  void descentLearnsFloatsToo() {
    ExampleSet set = table(7);
    Scaling scaling = Scaling.of("minmax", set);
    var sgd = new SgdSettings(0.9, true, 0.01);
    Run expected = run(new CpuOps(1), set, scaling, sgd);
    for (StepKind step : List.of(StepKind.FUSED, StepKind.PERSISTENT)) {
      Run found = run(ops(FeedKind.RESIDENT, step), set, scaling, sgd);
      assertAgrees(expected, found, step.toString());
    }
  }

  /** A column whose weights are 0 has no importance at all, and that of the other is the same. */
  @Test
  void theImportanceOfColumnsIsTheSameEverywhere() {
    ExampleSet floats = table(3);
    Importance expected = importance(new ReferenceOps(), floats);
    assertEquals("2", expected.columns().get(0).column());
    assertTrue(expected.columns().get(0).lossRise().mean() > 0.01);
    for (int c = 1; c < 3; c++) {
      assertEquals(new Importance.Spread(0, 0), expected.columns().get(c).lossRise());
    }
    assertAgrees(expected, importance(new CpuOps(2), floats));
    assertAgrees(expected, importance(ops(FeedKind.RESIDENT, StepKind.LAYERED), floats));
    assertAgrees(expected, importance(ops(FeedKind.PINNED, StepKind.LAYERED), floats));
    byte[] values = new byte[N * 3];
    new Random(1).nextBytes(values);
    var bytes =
        new ExampleSet(floats.layout(), Features.of(values, 3), floats.labels(), Optional.empty());
    // The CPU gives the inputs of bytes in an array an order of its own.
    assertAgrees(importance(new ReferenceOps(), bytes), importance(new CpuOps(2), bytes));
    assertAgrees(
        importance(new ReferenceOps(), bytes),
        importance(ops(FeedKind.RESIDENT, StepKind.LAYERED), bytes));
  }

  /** The importance for a network that looks at the second column alone. */
  private static Importance importance(Ops ops, ExampleSet set) {
    Scaling scaling = Scaling.of(set.isBytes() ? "unit" : "standard", set);
    var shape = new MlpShape(List.of(3, 3), Activation.RELU, Activation.NONE);
    try (ops;
        var parameters = new Parameters(ops, shape)) {
      parameters.write(List.of(new float[] {0, -2, 0, 0, 3, 0, 0, 1, 0}, new float[3]));
      Score whole = Evaluator.evaluate(parameters, set, scaling, 20);
      return Importance.of(
          set,
          whole,
          permuted -> Evaluator.evaluate(parameters, permuted, scaling, 20),
          3,
          (done, all) -> {});
    }
  }

  private static void assertAgrees(Importance expected, Importance found) {
    for (int c = 0; c < expected.columns().size(); c++) {
      Importance.OfColumn wanted = expected.columns().get(c);
      Importance.OfColumn of = found.columns().get(c);
      assertEquals(wanted.column(), of.column());
      assertEquals(wanted.accuracyDrop().mean(), of.accuracyDrop().mean(), 1e-12);
      assertEquals(wanted.lossRise().mean(), of.lossRise().mean(), 1e-5);
      assertEquals(wanted.lossRise().deviation(), of.lossRise().deviation(), 1e-5);
    }
  }

  /** A choice of rows, as a split makes it, lies in another order than its examples. */
  @Test
  void aChoiceOfRowsIsTheSame() {
    ExampleSet set = table(7);
    Scaling scaling = Scaling.of("standard", set);
    int[] turned = new int[N];
    Arrays.setAll(turned, n -> N - 1 - n);
    ExampleSet chosen = set.chosen(turned).chosen(turned);
    for (Ops[] pair :
        new Ops[][] {{new CpuOps(1), new CpuOps(1)}, {gpus().get(1), gpus().get(0)}}) {
      Run expected = run(pair[0], set, scaling, AdamSettings.DEFAULT);
      Run found = run(pair[1], chosen, scaling, AdamSettings.DEFAULT);
      CudaTraining.assertSameBits(expected, found, "chosen rows");
    }
  }

  /** Whole numbers from 0 to 255 as bytes, and as floats with the same map to inputs. */
  @Test
  void floatsThatArePixelsAreLearntAsBytes() {
    ExampleSet bytes = Run.easyImages(N);
    int I = bytes.inputs();
    float[] values = new float[N * I];
    for (int n = 0; n < N; n++) {
      bytes.features().read(n, values, n * I);
    }
    var floats =
        new ExampleSet(
            Layout.Columns.numbered(I), Features.of(values, I), bytes.labels(), Optional.empty());
    var centred = new PixelScaling("centred", 0.5, 0.5);
    float[] centre = new float[I];
    float[] factor = new float[I];
    Arrays.fill(centre, 127.5f);
    Arrays.fill(factor, 1 / 127.5f);
    var columns = new ColumnScaling("none", centre, factor);
    AdamSettings adam = AdamSettings.DEFAULT;
    Run expected = run(new CpuOps(1), bytes, centred, adam);
    assertAgrees(expected, run(new CpuOps(1), floats, columns, adam), "CPU");
    for (Ops gpu : gpus()) {
      String what = gpu.description();
      assertAgrees(expected, run(gpu, floats, columns, adam), what);
    }
  }

  /** A training with weights is layered, whatever step was asked for, and is the reference's. */
  @Test
  void weightsAreLearntAlikeEverywhere() {
    ExampleSet plain = table(7);
    ExampleSet set = weighted(plain);
    Scaling scaling = Scaling.of("standard", set);
    AdamSettings adam = AdamSettings.DEFAULT;
    Run reference = run(new ReferenceOps(), set, scaling, adam);
    assertAgrees(reference, run(new CpuOps(2), set, scaling, adam), "CPU");
    for (Ops gpu : gpus()) {
      String what = gpu.description();
      assertAgrees(reference, run(gpu, set, scaling, adam), what);
    }
    Run without = run(new ReferenceOps(), plain, scaling, adam);
    assertNotEquals(without.losses()[0], reference.losses()[0], 1e-3, "weights count");
  }

  @Test
  void stepsOfSeveralKernelsSayThatTheyLackWeights() {
    var shape = new MlpShape(List.of(7, 9, 3), Activation.TANH, Activation.NONE);
    var weighted = Step.needs(shape, 16, false, true);
    for (StepKind step : List.of(StepKind.FUSED, StepKind.PERSISTENT)) {
      try (CudaOps ops = ops(FeedKind.RESIDENT, step)) {
        assertFalse(ops.fusesSteps(weighted));
        assertTrue(ops.fusesSteps(Step.needs(shape, 16, false, false)));
        String described = ops.description(weighted);
        String why =
            "layered steps (not %s: examples have weights)"
                .formatted(step.toString().toLowerCase(Locale.ROOT));
        assertTrue(described.contains(why), described);
      }
    }
  }

  @Test
  void anEvaluationHasNoWeights() {
    ExampleSet set = table(7);
    Scaling scaling = Scaling.of("standard", set);
    var shape = new MlpShape(List.of(7, 3), Activation.TANH, Activation.NONE);
    try (Ops ops = new CpuOps(1);
        var parameters = Parameters.forInference(ops, shape)) {
      parameters.initialise(1);
      Score plain = Evaluator.evaluate(parameters, set, scaling, 16);
      assertEquals(plain.loss(), Evaluator.evaluate(parameters, weighted(set), scaling, 16).loss());
    }
  }

  /** Bytes may have weights as well; their number is odd, and so are the places of the floats. */
  @Test
  void imagesMayHaveWeights() {
    ExampleSet set = weighted(Run.easyImages(N));
    var unit = new PixelScaling("unit", 0, 1);
    AdamSettings adam = AdamSettings.DEFAULT;
    Run expected = run(new CpuOps(1), set, unit, adam);
    for (FeedKind feed : List.of(FeedKind.PINNED, FeedKind.RESIDENT)) {
      Run found = run(ops(feed, StepKind.AUTO), set, unit, adam);
      assertAgrees(expected, found, feed.toString());
    }
  }

  /** Weights that are all 1 change no bit of a layered training. */
  @Test
  void weightsOfOneChangeNothing() {
    ExampleSet set = table(6);
    float[] ones = new float[N];
    Arrays.fill(ones, 1);
    var same = new ExampleSet(set.layout(), set.features(), set.labels(), Optional.of(ones));
    Scaling scaling = Scaling.of("standard", set);
    var runs = new ArrayList<Run>();
    for (ExampleSet each : List.of(set, same)) {
      runs.add(run(ops(FeedKind.PINNED, StepKind.LAYERED), each, scaling, AdamSettings.DEFAULT));
      runs.add(run(new CpuOps(1), each, scaling, AdamSettings.DEFAULT));
    }
    CudaTraining.assertSameBits(runs.get(0), runs.get(2), "GPU");
    CudaTraining.assertSameBits(runs.get(1), runs.get(3), "CPU");
  }

  /** A device never scales features by a scaling of another width. */
  @Test
  void aScalingOfAnotherWidthIsRefused() {
    ExampleSet set = table(6);
    Scaling other = Scaling.of("standard", table(7));
    assertThrows(
        IllegalArgumentException.class, () -> run(new CpuOps(1), set, other, AdamSettings.DEFAULT));
  }
}
