package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
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
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests runs of persistent steps on the GPU that a subclass opens. */
abstract class PersistentTraining {
  private static final Scaling CENTRED = new PixelScaling("centred", 0.5, 0.5);

  /** Opens a device that no other test uses, of that many multiprocessors at least. */
  abstract CudaDriver open(int multiprocessors);

  final CudaDriver open() {
    return open(4);
  }

  static CudaOptions options(StepKind step) {
    return CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.GRAPH).with(step);
  }

  final CudaOps persistent() {
    return new CudaOps(open(), options(StepKind.PERSISTENT));
  }

  /** {@code n} images of random pixels and classes. */
  static ExampleSet images(int n, int pixels, int classes) {
    var random = new Random(n);
    byte[] all = new byte[n * pixels];
    random.nextBytes(all);
    byte[] labels = new byte[n];
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) random.nextInt(Math.min(classes, 256));
    }
    return ExampleSet.images(1, pixels, all, labels);
  }

  /** Fails unless the run's losses and weights are the expected ones, as of a fused step. */
  void assertAgrees(Run expected, Run found, String what) {
    assertEquals(expected.steps.size(), found.steps.size(), what);
    assertArrayEquals(expected.losses(), found.losses(), 1e-5, what + ": losses");
    double error = CudaTraining.normalisedError(expected, found);
    assertTrue(error <= 1e-9, what + ": normalised mean squared error of the weights: " + error);
  }

  /** Takes a few steps of that network on both, with batches of {@code B} and a smaller last. */
  final void assertAgrees(List<Integer> sizes, Activation hidden, int B, OptimizerSettings moves) {
    int classes = sizes.get(sizes.size() - 1);
    ExampleSet train = images(2 * B + B / 2 + 1, sizes.get(0), classes);
    var shape = new MlpShape(sizes, hidden, Activation.NONE);
    var settings = Run.settings(2, B, true, 5, 4, 1);
    var runs = new ArrayList<Run>();
    for (Ops ops : List.of(new CpuOps(1), persistent())) {
      var run = new Run();
      run.optimizer = moves;
      if (sizes.size() > 2) {
        var rates = new ArrayList<Float>();
        sizes.subList(2, sizes.size()).forEach(width -> rates.add(0.2f));
        run.regularisation = new Regularisation(rates, 0.1f, 5);
      }
      runs.add(run.of(ops, shape, CENTRED, train, train.first(B), 1e-3, settings));
    }
    assertAgrees(runs.get(0), runs.get(1), sizes + " in batches of " + B);
  }

  /**
   * The network has dropout, label smoothing and decoupled weight decay, and the last batch is
   * shorter.
   */
  @Test
  void threeLayersAgree() {
    var adamW = new AdamSettings(0.9, 0.999, 1e-8, 0.1, true);
    assertAgrees(List.of(6, 16, 9, 3), Activation.RELU, 7, adamW);
  }

  @Test
  @Tag("long")
  void aPersistentStepOfEverythingIsTheCpus() {
    Run cpu = Run.ofEverything(new CpuOps(1), 0);
    Run gpu = Run.ofEverything(persistent(), 0);
    assertEquals(30, gpu.steps.size());
    assertAgrees(cpu, gpu, "everything");
    assertArrayEquals(
        CudaTraining.validationLosses(cpu), CudaTraining.validationLosses(gpu), 1e-5, "validation");
    assertEquals(OptionalInt.empty(), gpu.nodes, "nothing is recorded");
  }

  /** An epoch has five batches, the last one smaller, and every seventh step a checkpoint. */
  @Test
  @Tag("long")
  void anyNumberOfStepsInALaunchMakesTheSameBits() {
    CudaOptions options = options(StepKind.PERSISTENT);
    Run expected = Run.ofEverything(persistent(), 0);
    for (int n : new int[] {1, 3}) {
      Run found = Run.ofEverything(new CudaOps(open(), options.withStepsAtOnce(n)), 0);
      CudaTraining.assertSameBits(expected, found, "steps in a launch: " + n);
    }
  }

  @Test
  void batchesThatLieApartAreRefused() {
    CudaOptions pinned = options(StepKind.PERSISTENT).with(FeedKind.PINNED);
    var ops = new CudaOps(open(), pinned); // without a GPU the test is skipped here
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Run.easy(ops, 40, 0.01, Run.settings(1, 16, true, 3, 4, 1)));
    assertEquals(
        "persistent steps must be of a resident set, or of batches that lie one after another",
        e.getMessage());
  }

  @Test
  void aSoftmaxAloneAgrees() {
    assertAgrees(List.of(8, 3), Activation.RELU, 4, new SgdSettings(0.9, true, 0.01));
  }

  @Test
  @Tag("long")
  void networksOfAnyDepthAgree() {
    AdamSettings adam = AdamSettings.DEFAULT;
    assertAgrees(List.of(6, 3), Activation.RELU, 7, adam);
    assertAgrees(List.of(40, 5, 3), Activation.TANH, 16, adam); // the last slice is shorter
    assertAgrees(List.of(6, 33, 9, 3), Activation.SIGMOID, 5, adam);
    assertAgrees(List.of(7, 7, 5, 35, 9, 3), Activation.RELU, 4, adam);
  }

  /** There are more outputs than blocks take at once, and more rows than blocks. */
  @Test
  @Tag("long")
  void theGridNeedNotCoverTheNetwork() {
    assertAgrees(List.of(20, 70, 20), Activation.RELU, 40, AdamSettings.DEFAULT);
  }

  @Test
  @Tag("long")
  void everyOptimizerWorks() {
    List<OptimizerSettings> optimizers =
        List.of(
            new AdamSettings(0.8, 0.99, 1e-6, 0.01, false),
            SgdSettings.DEFAULT,
            new SgdSettings(0.8, true, 0.3));
    for (OptimizerSettings optimizer : optimizers) {
      assertAgrees(List.of(6, 5, 3), Activation.RELU, 8, optimizer);
    }
  }

  /** The norm of all gradients needs all gradients first, and so the step stays layered. */
  @Test
  @Tag("long")
  void clippingIsLayered() {
    var runs = new ArrayList<Run>();
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.PERSISTENT)) {
      var run = new Run();
      run.clip = 0.05;
      var ops = new CudaOps(open(), options(step).withStepsAtOnce(2));
      runs.add(run.onEasyImages(ops, 40, 0.01, CudaTraining.RAGGED));
    }
    CudaTraining.assertSameBits(runs.get(0), runs.get(1), "clipped");
    assertEquals(runs.get(0).nodes, runs.get(1).nodes);
  }

  /** Slices of more inputs than a block has threads, layers of all widths, and long batches. */
  @Test
  @Tag("long")
  void largeNetworksAgree() {
    AdamSettings adam = AdamSettings.DEFAULT;
    assertAgrees(List.of(1030, 9, 3), Activation.RELU, 5, adam);
    assertAgrees(List.of(6, 1024, 3), Activation.TANH, 16, adam);
    assertAgrees(List.of(6, 5, 1024), Activation.TANH, 16, adam);
    assertAgrees(List.of(6, 5, 3), Activation.TANH, 300, adam);
    assertAgrees(List.of(6, 5, 3), Activation.TANH, 512, new SgdSettings(0.9, false, 0.01));
  }

  /** The device has as many multiprocessors as an H100, and its blocks the same tiles. */
  @Test
  @Tag("long")
  void theDefaultNetworkTakesTheCpusSteps() {
    ExampleSet train = EmbeddedMnist.load().train().first(140);
    Scaling scaling = PixelScaling.of("z-score", train);
    var settings = Run.settings(1, 64, true, 1, Integer.MAX_VALUE, 1);
    ExampleSet test = train.first(7);
    MlpShape shape = Run.mnistShape(128, 64);
    Run cpu = new Run().of(new CpuOps(2), shape, scaling, train, test, 1e-3, settings);
    var ops = new CudaOps(open(132), options(StepKind.PERSISTENT));
    Run gpu = new Run().of(ops, shape, scaling, train, test, 1e-3, settings);
    assertEquals(3, gpu.steps.size()); // the last one is smaller
    assertAgrees(cpu, gpu, "the default network");
    assertEquals(cpu.answers.loss(), gpu.answers.loss(), 1e-5);
  }
}
