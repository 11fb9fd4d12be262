package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
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
import mlpcuda.error.BadFileException;
import mlpcuda.net.Augmentation;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that the memory which is computed in advance is that which is allocated afterwards. */
class MemoryNeedTest {
  private static final int N = 300;

  private static MlpShape shape(Integer... sizes) {
    return new MlpShape(List.of(sizes), Activation.RELU, Activation.NONE);
  }

  private static void assertNear(long allocated, long computed) {
    assertTrue(computed <= allocated, computed + " of " + allocated);
    // Beside weights and activations there are labels, losses and positions.
    assertTrue(computed > 0.97 * allocated, computed + " of " + allocated);
  }

  /** The images of a shape, with labels and an order, which every caller has on the device. */
  private static long images(MlpShape shape) {
    return N * (shape.inputs() + 1L + Integer.BYTES);
  }

  private static ExampleSet set(MlpShape shape) {
    return ExampleSet.images(1, shape.inputs(), new byte[N * shape.inputs()], new byte[N]);
  }

  @Test
  void isWhatIsAllocated() {
    var unit = new PixelScaling("unit", 0, 1);
    for (MlpShape shape : List.of(shape(6, 3000, 40), shape(500, 70, 80, 10), shape(6, 5000))) {
      try (var ops = new ReferenceOps();
          var parameters = Parameters.forInference(ops, shape);
          var evaluator = new Evaluator(parameters, set(shape), unit, 64)) {
        assertNotNull(evaluator, "its buffers are counted");
        long allocated = ops.liveBytes() - images(shape);
        assertNear(allocated, MemoryNeed.ofEvaluation(ops, shape, N, 64).deviceBytes());
      }
      try (var ops = new ReferenceOps()) {
        var weights = new Weights(shape, zeros(shape));
        try (var predictor = new Predictor(ops, weights, unit, N, "a network")) {
          assertEquals(2, predictor.logProbabilities(new byte[2 * shape.inputs()]).length);
          long allocated = ops.liveBytes() - images(shape);
          assertNear(allocated, MemoryNeed.ofPrediction(ops, shape, N).deviceBytes());
        }
      }
      assertTraining(new ReferenceOps(), shape, 0, 0);
      assertTraining(new ReferenceOps(), shape, 0, 0.9);
    }
  }

  private static List<float[]> zeros(MlpShape shape) {
    return Parameters.tensors(shape).stream().map(tensor -> new float[tensor.length()]).toList();
  }

  private static TrainingSetup training(MlpShape shape, double clip) {
    return training(shape, clip, 0);
  }

  private static TrainingSetup training(MlpShape shape, double clip, double ema) {
    return new TrainingSetup(
        shape,
        set(shape),
        new PixelScaling("unit", 0, 1),
        64,
        new Update(AdamSettings.DEFAULT, clip, Regularisation.NONE, ema),
        0.1,
        1);
  }

  private static TrainingSetup distorted(MlpShape shape) {
    TrainingSetup plain = training(shape, 0);
    return new TrainingSetup(
        shape,
        plain.set(),
        plain.scaling(),
        plain.B(),
        plain.update(),
        plain.rate(),
        plain.seed(),
        Optional.of(Augmentation.constant(Distortion.parse("rotate:5"))));
  }

  /** Takes no step; asserts that all of a training is allocated at its beginning. */
  private static void assertTraining(Ops device, MlpShape shape, double clip, double ema) {
    TrainingSetup training = training(shape, clip, ema);
    try (Ops ops = device;
        var learner = new Learner(ops, training)) {
      assertEquals(List.of(), fusedOrEmpty(learner, ops, training));
      long need = MemoryNeed.ofTraining(ops, training).deviceBytes();
      assertNear(ops.liveBytes() - images(shape), need);
    }
  }

  /** The gradients, if the device fuses the step: there must be none then. */
  private static List<float[]> fusedOrEmpty(Learner learner, Ops ops, TrainingSetup training) {
    return ops.fusesSteps(training.needs()) ? learner.parameters().readGradients() : List.of();
  }

  /** Each way of a step has the buffers that it uses and no others. */
  @Test
  void noPathAllocatesWhatAnotherOneUses() {
    MlpShape shape = shape(500, 70, 80, 10);
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.FUSED)) {
      for (double clip : new double[] {0, 0.5}) {
        var options =
            CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.GRAPH).with(step);
        for (double ema : new double[] {0, 0.9}) {
          assertTraining(
              new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options), shape, clip, ema);
        }
      }
    }
    var options = CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.GRAPH);
    try (var fused =
            new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options.with(StepKind.FUSED));
        var layered = new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options)) {
      long less = MemoryNeed.ofTraining(fused, training(shape, 0)).deviceBytes();
      long more = MemoryNeed.ofTraining(layered, training(shape, 0)).deviceBytes();
      long gradientsAndInputs = 4L * (Parameters.length(shape) + 64 * 500);
      assertEquals(gradientsAndInputs, more - less);
      assertEquals(
          more, MemoryNeed.ofTraining(fused, training(shape, 0.5)).deviceBytes(), "clipped");
    }
  }

  /** Streamed batches, and distorted ones of any set, have banks on the device. */
  @ParameterizedTest
  @CsvSource({"PINNED, false", "PINNED, true", "RESIDENT, false", "RESIDENT, true"})
  void countsTheBanksOfBatches(FeedKind feed, boolean distorts) {
    MlpShape shape = shape(500, 70, 80, 10);
    TrainingSetup training = distorts ? distorted(shape) : training(shape, 0);
    var options = CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH);
    try (var ops = new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options);
        var learner = new Learner(ops, training)) {
      assertNotNull(learner, "its buffers are counted");
      long pixels = (long) N * shape.inputs();
      long resident = distorts ? pixels : images(shape); // labels and order of a bank are counted
      long allocated = ops.liveBytes() - (feed == FeedKind.RESIDENT ? resident : 0);
      assertNear(allocated, MemoryNeed.ofTraining(ops, training).deviceBytes());
    }
  }

  /** On the CPU a batch of distorted images is copied before it is distorted. */
  @Test
  void countsTheImagesThatAreDistortedOnTheCpu() {
    TrainingSetup training = distorted(shape(500, 70, 80, 10));
    try (var ops = new ReferenceOps();
        var learner = new Learner(ops, training)) {
      assertNotNull(learner, "its buffers are counted");
      assertNear(ops.liveBytes(), MemoryNeed.ofTraining(ops, training).deviceBytes());
    }
  }

  /** The first step, or the first evaluation, makes the rounded copies of all operands. */
  @Test
  void countsTheCopiesOfOperands() {
    MlpShape shape = shape(500, 70, 80, 10);
    for (Precision precision : Precision.values()) {
      var options =
          CudaOptions.layered(Multiplier.CUBLAS, FeedKind.RESIDENT, Launching.GRAPH)
              .with(precision);
      try (var ops = new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options);
          var learner = new Learner(ops, training(shape, 0))) {
        learner.run(3);
        long need = MemoryNeed.ofTraining(ops, training(shape, 0)).deviceBytes();
        assertNear(ops.liveBytes() - images(shape), need);
      }
      try (var ops = new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options);
          var parameters = Parameters.forInference(ops, shape);
          var evaluator =
              new Evaluator(parameters, set(shape), new PixelScaling("unit", 0, 1), 64)) {
        evaluator.run();
        long need = MemoryNeed.ofEvaluation(ops, shape, N, 64).deviceBytes();
        assertNear(ops.liveBytes() - images(shape), need);
      }
    }
  }

  @Test
  void countsTheConfusionMatrixOfTheHeap() {
    try (var ops = new ReferenceOps()) {
      MemoryNeed need = MemoryNeed.ofEvaluation(ops, shape(1, 40_000), 10, 1000);
      assertEquals(8L * 40_000 * 40_000 + 4 * (10 * 40_000 + 80_000), need.heapBytes());
      assertEquals(400_000, need.largest());
    }
  }

  @Test
  void aPredictionOfManyTakesNoMoreThanOneBatch() {
    MlpShape wide = shape(1, 500_000, 1);
    assertEquals(33, Predictor.batch(wide));
    try (var ops = new ReferenceOps()) {
      assertTrue(MemoryNeed.ofPrediction(ops, wide, 1_000_000).deviceBytes() < 100L << 20);
    }
    assertEquals(1000, Predictor.batch(shape(784, 128, 64, 10)));
    assertEquals(1, Predictor.batch(shape(1, 50_000_000)));
  }

  /** A device with little memory, and short buffers. */
  private static final class Small extends ReferenceOps {
    @Override
    public long freeBytes() {
      return 3 << 20;
    }

    @Override
    public int longestBuffer() {
      return 400_000;
    }
  }

  @Test
  void namesBothNumbers() {
    try (var ops = new Small()) {
      MemoryNeed.ofPrediction(ops, shape(1, 100_000, 1), 2).check(ops, "fits", "");
      assertMessage(
          "wide needs 4 MiB on the device, and 3 MiB are free; take less",
          ops,
          new MemoryNeed(4 << 20, 1000, 0),
          "wide");
      assertMessage(
          "long needs a buffer of 400,001 values on the device, and one may have 400,000; take less",
          ops,
          new MemoryNeed(1, 400_001, 0),
          "long");
      var e =
          assertThrows(
              BadFileException.class,
              () -> new MemoryNeed(1, 1, Long.MAX_VALUE / 4).check(ops, "heap", ""));
      assertTrue(
          e.getMessage()
              .matches(
                  "heap needs 2,199,023,255,552 MiB of the Java heap, and [\\d,]+ MiB are free; java"
                      + " -Xmx\\d+m gives it more"),
          e.getMessage());
    }
  }

  private static void assertMessage(
      String message, ReferenceOps ops, MemoryNeed need, String what) {
    var e = assertThrows(BadFileException.class, () -> need.check(ops, what, "; take less"));
    assertEquals(message, e.getMessage());
  }
}
