package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.data.EmbeddedMnist;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.error.DeviceException;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests whole runs on the GPU that a subclass opens. */
abstract class CudaTraining {
  private static final Multiplier PTX = Multiplier.PTX;

  /** Opens a device that no other test uses. */
  abstract CudaDriver open();

  final CudaOps ops(CudaOptions options) {
    return new CudaOps(open(), options);
  }

  static CudaOptions pinnedGraph(Multiplier gemm) {
    return CudaOptions.layered(gemm, FeedKind.PINNED, Launching.GRAPH);
  }

  /** The steps of a run that ends each epoch with a smaller batch. */
  static final Trainer.Settings RAGGED = Run.settings(6, 16, true, 3, Integer.MAX_VALUE, 1);

  static void assertSameBits(Run expected, Run found, String what) {
    assertArrayEquals(expected.losses(), found.losses(), what + ": losses");
    for (int t = 0; t < expected.weights.size(); t++) {
      assertArrayEquals(expected.weights.get(t), found.weights.get(t), what + ": tensor " + t);
    }
    assertEquals(expected.answers.loss(), found.answers.loss(), what + ": evaluation");
    assertArrayEquals(validationLosses(expected), validationLosses(found), what + ": validation");
    assertEquals(expected.best.size(), found.best.size(), what + ": best weights");
    for (int t = 0; t < expected.best.size(); t++) {
      assertArrayEquals(expected.best.get(t), found.best.get(t), what + ": best tensor " + t);
    }
  }

  static double[] validationLosses(Run run) {
    return run.epochs.stream()
        .flatMap(epoch -> epoch.validation().stream())
        .mapToDouble(Averages::loss)
        .toArray();
  }

  static double normalisedError(Run expected, Run found) {
    double difference = 0;
    double size = 0;
    for (int t = 0; t < expected.weights.size(); t++) {
      float[] e = expected.weights.get(t);
      float[] f = found.weights.get(t);
      for (int i = 0; i < e.length; i++) {
        difference += ((double) f[i] - e[i]) * ((double) f[i] - e[i]);
        size += (double) e[i] * e[i];
      }
    }
    return difference / size;
  }

  /** Asserts that a run took the steps of the CPU's: its losses, its validations, its weights. */
  void assertTakesTheStepsOf(Run cpu, Run gpu, String what) {
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5, what + ": losses");
    assertArrayEquals(
        validationLosses(cpu), validationLosses(gpu), 1e-5, what + ": validation losses");
    double error = normalisedError(cpu, gpu);
    assertTrue(error <= 1e-9, what + ": normalised mean squared error of the weights: " + error);
  }

  @Test
  void aHundredStepsOfASmallNetworkEndWhereTheCpuEnds() {
    var settings = Run.settings(100, 16, true, 5, 100, 1);
    Run cpu = Run.easy(new CpuOps(1), 75, 0.01, settings);
    Run gpu = Run.easy(ops(pinnedGraph(PTX)), 75, 0.01, settings);
    assertEquals(100, gpu.steps.size());
    assertTakesTheStepsOf(cpu, gpu, "easy");
    assertArrayEquals(cpu.answers.confusion(), gpu.answers.confusion());
    assertTrue(gpu.losses()[99] < gpu.losses()[0] / 2, "the loss must fall");
  }

  @Test
  void feedsAndGraphsMakeTheSameBits() {
    Run expected =
        Run.easy(
            ops(CudaOptions.layered(PTX, FeedKind.RESIDENT, Launching.SINGLE)), 75, 0.01, RAGGED);
    for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
      for (Launching launching : List.of(Launching.GRAPH, Launching.SINGLE)) {
        var options = CudaOptions.layered(PTX, feed, launching);
        assertSameBits(expected, Run.easy(ops(options), 75, 0.01, RAGGED), options.toString());
      }
    }
    var checked = CudaOptions.layered(PTX, FeedKind.PINNED, Launching.CHECKED);
    assertSameBits(expected, Run.easy(ops(checked), 75, 0.01, RAGGED), "--sync-check");
  }

  /** The run has dropout alone: one wrong bit of one mask would make the losses part. */
  @Test
  void dropoutLosesWhatTheCpuLoses() {
    var runs = new ArrayList<Run>();
    for (Ops ops : List.of(new CpuOps(1), ops(pinnedGraph(PTX)))) {
      var run = new Run();
      run.regularisation = new Regularisation(List.of(0.4f), 0, 5);
      runs.add(run.onEasyImages(ops, 75, 0.01, RAGGED));
    }
    assertArrayEquals(runs.get(0).losses(), runs.get(1).losses(), 1e-5);
    double[] without = Run.easy(new CpuOps(1), 75, 0.01, RAGGED).losses();
    assertNotEquals(without[0], runs.get(0).losses()[0], 1e-3, "the first step's loss");
  }

  @Test
  void everythingAtOnceTakesTheCpusSteps() {
    Run cpu = Run.ofEverything(new CpuOps(1));
    Run gpu = Run.ofEverything(ops(pinnedGraph(PTX)));
    assertEquals(30, gpu.steps.size());
    assertTakesTheStepsOf(cpu, gpu, "everything");
    double[] validation = validationLosses(cpu);
    assertTrue(validation[5] < validation[0] / 2, "it learns: " + Arrays.toString(validation));
  }

  @Test
  void feedsAndGraphsMakeTheSameBitsOfEverything() {
    Run expected =
        Run.ofEverything(ops(CudaOptions.layered(PTX, FeedKind.RESIDENT, Launching.SINGLE)));
    for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
      for (Launching launching : List.of(Launching.GRAPH, Launching.SINGLE)) {
        var options = CudaOptions.layered(PTX, feed, launching);
        assertSameBits(expected, Run.ofEverything(ops(options)), options.toString());
      }
    }
    var checked = CudaOptions.layered(PTX, FeedKind.PINNED, Launching.CHECKED);
    assertSameBits(expected, Run.ofEverything(ops(checked)), "--sync-check");
  }

  /** cuDNN's operations can be recorded, and give the same bits each time. */
  @Test
  void cudnnTrainsTooAndInGraphs() {
    CudaOptions recorded = pinnedGraph(PTX).with(Activator.CUDNN);
    CudaOps ops;
    try {
      ops = ops(recorded);
    } catch (DeviceException e) { // a GPU without cuDNN
      ops = abort(e.why());
    }
    Run gpu = Run.ofEverything(ops);
    Run cpu = Run.ofEverything(new CpuOps(1));
    assertTakesTheStepsOf(cpu, gpu, "cuDNN");
    for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
      var launched = CudaOptions.layered(PTX, feed, Launching.SINGLE).with(Activator.CUDNN);
      assertSameBits(gpu, Run.ofEverything(ops(launched)), launched.toString());
    }
    var checked =
        CudaOptions.layered(PTX, FeedKind.PINNED, Launching.CHECKED).with(Activator.CUDNN);
    assertSameBits(gpu, Run.ofEverything(ops(checked)), "--sync-check");
  }

  @Test
  void theDefaultNetworkTakesTheCpusSteps() {
    ExampleSet train = EmbeddedMnist.load().train().first(200);
    Scaling scaling = PixelScaling.of("z-score", train);
    // the second epoch is replayed from graphs
    var settings = Run.settings(2, 64, true, 1, Integer.MAX_VALUE, 1);
    ExampleSet test = train.first(70);
    Run cpu =
        new Run().of(new CpuOps(2), Run.mnistShape(128, 64), scaling, train, test, 1e-3, settings);
    Run gpu =
        new Run()
            .of(
                ops(pinnedGraph(PTX)),
                Run.mnistShape(128, 64),
                scaling,
                train,
                test,
                1e-3,
                settings);
    assertEquals(8, gpu.steps.size());
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
    assertEquals(cpu.answers.loss(), gpu.answers.loss(), 1e-5);
    assertEquals(15, gpu.nodes.orElseThrow(), "nodes of a step with own GEMM");
  }

  // ---- the fused step

  private static CudaOptions fused(FeedKind feed, Launching launching) {
    return CudaOptions.layered(PTX, feed, launching).with(StepKind.FUSED);
  }

  /**
   * The losses, weights and validation must be the CPU's, step by step, as for the layered step.
   */
  @Test
  void aFusedStepOfEverythingIsTheCpus() {
    Run cpu = Run.ofEverything(new CpuOps(1), 0);
    Run gpu = Run.ofEverything(ops(fused(FeedKind.PINNED, Launching.GRAPH)), 0);
    assertEquals(30, gpu.steps.size());
    assertTakesTheStepsOf(cpu, gpu, "everything, fused");
  }

  @Test
  void feedsAndGraphsMakeTheSameBitsOfAFusedStep() {
    Run expected = Run.ofEverything(ops(fused(FeedKind.RESIDENT, Launching.SINGLE)), 0);
    for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
      for (Launching launching : List.of(Launching.GRAPH, Launching.SINGLE)) {
        CudaOptions options = fused(feed, launching);
        assertSameBits(expected, Run.ofEverything(ops(options), 0), options.toString());
      }
    }
    assertSameBits(
        expected,
        Run.ofEverything(ops(fused(FeedKind.PINNED, Launching.CHECKED)), 0),
        "--sync-check");
  }

  /** An epoch has five batches, the last one smaller, and every seventh step a checkpoint. */
  @Test
  void anyNumberOfStepsAtOnceMakesTheSameBits() {
    for (CudaOptions options : List.of(pinnedGraph(PTX), fused(FeedKind.PINNED, Launching.GRAPH))) {
      Run expected = Run.ofEverything(ops(options.withStepsAtOnce(1)), 0);
      for (int n : new int[] {2, 3, 4, 8, 100}) {
        Run found = Run.ofEverything(ops(options.withStepsAtOnce(n)), 0);
        assertSameBits(expected, found, options + ", at once: " + n);
        assertEquals(expected.nodes, found.nodes, "of a step");
      }
    }
    CudaOptions resident = fused(FeedKind.RESIDENT, Launching.GRAPH);
    assertSameBits(
        Run.ofEverything(ops(resident.withStepsAtOnce(1)), 0),
        Run.ofEverything(ops(resident.withStepsAtOnce(3)), 0),
        "resident");
  }

  /**
   * Networks have no hidden layer to four, with every activation; a step has three nodes for each.
   */
  @Test
  void aFusedStepHasThreeNodesForAnyNetwork() {
    var settings = Run.settings(4, 16, true, 5, Integer.MAX_VALUE, 1);
    var unit = new PixelScaling("unit", 0, 1);
    ExampleSet train = Run.easyImages(75);
    List<List<Integer>> networks =
        List.of(List.of(6, 3), List.of(6, 5, 3), List.of(6, 33, 40, 3), List.of(6, 7, 5, 35, 9, 3));
    for (List<Integer> sizes : networks) {
      for (Activation hidden : Activation.values()) {
        for (Activation output : List.of(Activation.NONE, Activation.RELU)) {
          var shape = new MlpShape(sizes, hidden, output);
          Run cpu = new Run().of(new CpuOps(1), shape, unit, train, train, 0.01, settings);
          CudaOps ops = ops(fused(FeedKind.PINNED, Launching.GRAPH));
          Run gpu = new Run().of(ops, shape, unit, train, train, 0.01, settings);
          String what = shape + " " + hidden + ", output " + output;
          assertTakesTheStepsOf(cpu, gpu, what);
          assertEquals(3, gpu.nodes.orElseThrow(), what);
        }
      }
    }
  }

  /** The widest layer that a fused step takes is tested hidden and last, and a wider one, too. */
  @Test
  void widerLayersAreLayered() {
    var settings = Run.settings(4, 16, true, 5, 4, 1);
    var unit = new PixelScaling("unit", 0, 1);
    ExampleSet train = Run.easyImages(32);
    for (List<Integer> sizes :
        List.of(List.of(6, 1024, 3), List.of(6, 5, 1024), List.of(6, 1025, 3))) {
      var shape = new MlpShape(sizes, Activation.TANH, Activation.NONE);
      Run cpu = new Run().of(new CpuOps(1), shape, unit, train, train, 0.01, settings);
      CudaOps ops = ops(fused(FeedKind.PINNED, Launching.GRAPH));
      Run gpu = new Run().of(ops, shape, unit, train, train, 0.01, settings);
      assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5, sizes.toString());
      assertEquals(sizes.contains(1025) ? 11 : 3, gpu.nodes.orElseThrow(), sizes.toString());
    }
  }

  @Test
  void theDefaultNetworkTakesTheCpusStepsFused() {
    ExampleSet train = EmbeddedMnist.load().train().first(200);
    Scaling scaling = PixelScaling.of("z-score", train);
    // the second epoch is replayed from graphs
    var settings = Run.settings(2, 64, true, 1, Integer.MAX_VALUE, 1);
    ExampleSet test = train.first(70);
    MlpShape shape = Run.mnistShape(128, 64);
    Run cpu = new Run().of(new CpuOps(2), shape, scaling, train, test, 1e-3, settings);
    CudaOps ops = ops(fused(FeedKind.PINNED, Launching.GRAPH));
    Run gpu = new Run().of(ops, shape, scaling, train, test, 1e-3, settings);
    assertEquals(8, gpu.steps.size()); // the last step of each epoch is smaller
    assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5);
    assertEquals(cpu.answers.loss(), gpu.answers.loss(), 1e-5);
    assertEquals(3, gpu.nodes.orElseThrow());
  }

  @Test
  void everyOptimizerWorksInAFusedStep() {
    List<OptimizerSettings> optimizers =
        List.of(
            new AdamSettings(0.8, 0.99, 1e-6, 0.01, false),
            new AdamSettings(0.9, 0.999, 1e-8, 0.1, true),
            SgdSettings.DEFAULT,
            new SgdSettings(0.9, false, 0.01),
            new SgdSettings(0.8, true, 0.3));
    for (OptimizerSettings optimizer : optimizers) {
      var runs = new ArrayList<Run>();
      for (Ops ops : List.of(new CpuOps(1), ops(fused(FeedKind.RESIDENT, Launching.GRAPH)))) {
        var run = new Run();
        run.optimizer = optimizer;
        runs.add(run.onEasyImages(ops, 75, 0.01, RAGGED));
      }
      assertTakesTheStepsOf(runs.get(0), runs.get(1), optimizer.toString());
    }
  }

  /** The norm of all gradients needs all gradients first, and so the step stays layered. */
  @Test
  void clippingIsLayered() {
    var runs = new ArrayList<Run>();
    for (var options : List.of(pinnedGraph(PTX), fused(FeedKind.PINNED, Launching.GRAPH))) {
      var run = new Run();
      run.clip = 0.05;
      runs.add(run.onEasyImages(ops(options), 75, 0.01, RAGGED));
    }
    assertSameBits(runs.get(0), runs.get(1), "clipped");
    assertEquals(runs.get(0).nodes, runs.get(1).nodes);
  }

  @Test
  void everyActivationTrainsAsOnTheCpu() {
    var settings = Run.settings(4, 16, true, 5, Integer.MAX_VALUE, 1);
    var unit = new PixelScaling("unit", 0, 1);
    ExampleSet train = Run.easyImages(75);
    for (Activation hidden : Activation.values()) {
      for (Activation output : List.of(Activation.NONE, Activation.RELU)) {
        var shape = new MlpShape(List.of(6, 5, 3), hidden, output);
        Run cpu = new Run().of(new CpuOps(1), shape, unit, train, train, 0.01, settings);
        Run gpu = new Run().of(ops(pinnedGraph(PTX)), shape, unit, train, train, 0.01, settings);
        assertArrayEquals(cpu.losses(), gpu.losses(), 1e-5, hidden + ", output " + output);
      }
    }
  }

  @Test
  void aSavedNetworkAnswersAsBefore(@TempDir Path folder) {
    Run run = Run.easy(ops(pinnedGraph(PTX)), 75, 0.01, RAGGED);
    var shape = new MlpShape(List.of(6, 5, 3), Activation.RELU, Activation.NONE);
    var unit = new PixelScaling("unit", 0, 1);
    var form = ImageForm.grey(2, 3, unit, Preparation.AS_IS, false);
    Path file = folder.resolve("model.safetensors");
    new ModelFile(shape, form, run.weights).write(file);
    try (CudaOps ops = ops(pinnedGraph(PTX));
        var parameters = new Parameters(ops, shape)) {
      parameters.write(ModelFile.read(file).weights());
      Score again = Evaluator.evaluate(parameters, Run.easyImages(50), unit, 16);
      assertEquals(run.answers.loss(), again.loss());
      assertArrayEquals(run.answers.confusion(), again.confusion());
    }
  }
}
