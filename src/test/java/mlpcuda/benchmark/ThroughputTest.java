package mlpcuda.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import mlpcuda.benchmark.Throughput.Result;
import mlpcuda.benchmark.Throughput.Work;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.AmbiguousReluCounter;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ThroughputTest {
  private static final DeviceLimits LIMITS =
      new DeviceLimits(1e9, new TreeMap<>(Map.of(1000.0, 1e9)));
  private static final Timing.Plan BRIEF = new Timing.Plan(0, 1e-4, 1);

  private static ExampleSet images(int rows, int cols, int classes, int n) {
    var random = new Random(1);
    byte[] pixels = new byte[n * rows * cols];
    random.nextBytes(pixels);
    byte[] labels = new byte[n];
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) random.nextInt(classes);
    }
    return ExampleSet.images(rows, cols, pixels, labels);
  }

  private static TrainingSetup training(
      ExampleSet set, Scaling scaling, Regularisation drops, int... sizes) {
    List<Integer> widths = Arrays.stream(sizes).boxed().toList();
    var shape = new MlpShape(widths, Activation.RELU, Activation.NONE);
    return new TrainingSetup(
        shape, set, scaling, 4, new Update(AdamSettings.DEFAULT, 0, drops), 1e-3, 1);
  }

  private static TrainingSetup plain(int n, int... sizes) {
    ExampleSet set = images(1, sizes[0], sizes[sizes.length - 1], n);
    return training(set, new PixelScaling("unit", 0, 1), Regularisation.NONE, sizes);
  }

  private static List<Result> measure(TrainingSetup training, Ops ops, Integer... sizes) {
    var results = new ArrayList<Result>();
    new Throughput(training).measure(ops, LIMITS, List.of(sizes), BRIEF, results::add);
    return results;
  }

  @Test
  void flopsAreOfTheProducts() {
    var throughput = new Throughput(plain(1, 784, 128, 64, 10));
    assertEquals(
        2.0 * 64 * (784 * 128 + 128 * 64 + 64 * 10), throughput.flops(Work.INFERENCE, 64, 784));
    assertEquals(
        2.0 * 64 * (2 * 784 * 128 + 3 * (128 * 64 + 64 * 10)),
        throughput.flops(Work.TRAINING, 64, 784));
  }

  @Test
  void bytesAreOfTheBuffersPassed() {
    var throughput = new Throughput(plain(1, 5, 3, 2));
    int parameters = 6 * 3 + 4 * 2;
    assertEquals(
        7 * 5 + 4 * (2 * 7 * 5 + parameters + 2 * 7 * (3 + 2)),
        throughput.bytes(Work.INFERENCE, 7));
    assertEquals(
        7 * 5 + 4 * (3 * 7 * 5 + parameters + 4 * 2 + 8 * parameters + 8 * 7 * (3 + 2)),
        throughput.bytes(Work.TRAINING, 7));
  }

  /** The sizes are 150 = 75 · 2, 256 = 128 · 2, and 251, which is prime. */
  @Test
  void aLargeBatchRepeatsWhatTheReferenceSaw() {
    try (var ops = new CpuOps(2)) {
      List<Result> results = measure(plain(300, 20, 9, 6, 4), ops, 150, 251, 256);
      assertEquals(
          List.of(150, 150, 251, 251, 256, 256), results.stream().map(Result::batch).toList());
      for (Result result : results) {
        assertTrue(result.error() <= ReferenceComparison.LIMIT, result.toString());
        assertTrue(result.speed().isPresent());
      }
      assertEquals(0, ops.liveBytes());
    }
  }

  /** The reference would take a minute for all of a large batch. */
  @Test
  void aLargeBatchThatCannotRepeatIsCheckedByASmallerOne() {
    var drops = new Regularisation(List.of(0.5f), 0, 1);
    var scaling = new PixelScaling("unit", 0, 1);
    var with = new Throughput(training(images(1, 2, 2, 1000), scaling, drops, 2, 2, 2));
    var without = new Throughput(plain(1000, 2, 2, 2));
    assertEquals(64, with.reference().checkedStep(64));
    assertEquals(512, with.reference().checkedStep(512));
    assertEquals(512, with.reference().checkedStep(16384));
    assertEquals(16384, without.reference().checkedStep(16384));
    assertEquals(251, without.reference().checkedStep(251));
    assertEquals(512, without.reference().checkedStep(16381), "a prime");
    assertEquals(16384, without.reference().checkedAnswers(16384));
    assertEquals(512, without.reference().checkedAnswers(16381));
  }

  /** A step of the reference takes milliseconds or minutes, by the network. */
  @Test
  void theReferenceSeesFewerExamplesOfALargerNetwork() {
    assertEquals(1000, ReferenceComparison.most(plain(1000, 784, 128, 64, 10)));
    assertEquals(129, ReferenceComparison.most(plain(1000, 784, 1000, 500, 10)));
    TrainingSetup largest = plain(1000, 784, 2500, 2000, 1500, 1000, 500, 10);
    assertEquals(13, ReferenceComparison.most(largest));
    assertEquals(8, ReferenceComparison.distinct(65536, 13));
    assertEquals(65521, ReferenceComparison.distinct(65521, 13), "a prime");
    var of = new Throughput(largest).reference();
    assertEquals(65536, of.checkedStep(65536));
    assertEquals(52, of.checkedStep(65521));
    assertEquals(8, ReferenceComparison.most(plain(9, 784, 40_000, 1000)), "never fewer");
  }

  /** The set has 50 examples: 64 = 32 · 2, and 67 is prime. */
  @Test
  void batchesMayHaveMoreExamplesThanTheSet() {
    try (var ops = new CpuOps(2)) {
      for (Result result : measure(plain(50, 20, 9, 6, 4), ops, 64, 67, 1000)) {
        assertTrue(result.error() <= ReferenceComparison.LIMIT, result.toString());
        assertTrue(result.speed().isPresent());
      }
      assertEquals(0, ops.liveBytes());
    }
  }

  /** Each place in a batch has a mask of its own. */
  @Test
  void dropoutIsCheckedInTheWholeBatch() {
    var drops = new Regularisation(List.of(0.5f, 0.25f), 0, 1);
    ExampleSet set = images(1, 20, 4, 300);
    TrainingSetup training = training(set, new PixelScaling("unit", 0, 1), drops, 20, 9, 6, 4);
    try (var ops = new CpuOps(2)) {
      for (Result result : measure(training, ops, 256)) {
        assertTrue(result.error() <= ReferenceComparison.LIMIT, result.toString());
      }
    }
  }

  /** A device whose gradients are a ten-thousandth too large. */
  private static final class Wrong extends ReferenceOps {
    @Override
    protected void crossEntropyForwardK(
        LossOutputs outputs,
        Buffer logits,
        Targets targets,
        Buffer step,
        Optional<Buffer> scaling,
        int B,
        int C,
        float smoothing) {
      super.crossEntropyForwardK(outputs, logits, targets, step, scaling, B, C, smoothing);
      if (outputs.dx().isPresent()) {
        Buffer dLogits = outputs.dx().get();
        float[] values = new float[B * C];
        read(dLogits, values);
        for (int i = 0; i < values.length; i++) {
          values[i] *= 1.0001f;
        }
        write(dLogits, values);
      }
    }
  }

  @Test
  void aWrongAnswerIsNotTimed() {
    try (var ops = new Wrong()) {
      List<Result> results = measure(plain(8, 20, 9, 4), ops, 8);
      Result training = results.get(0);
      assertEquals(Work.TRAINING, training.work());
      assertTrue(training.error() > ReferenceComparison.LIMIT, training.toString());
      assertEquals(Optional.empty(), training.speed());
      assertTrue(results.get(1).speed().isPresent(), "its answers are right");
    }
  }

  /** A device that claims to round operands, and does not. */
  private static final class Unrounded extends ReferenceOps {
    Unrounded(Precision precision) {
      super(precision);
    }

    @Override
    protected double operand(Buffer buffer, int i) {
      return value(buffer, i);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, names = "FP32", mode = EnumSource.Mode.EXCLUDE)
  void aDeviceIsHeldAgainstTheReferenceInItsPrecision(Precision precision) {
    TrainingSetup training = plain(100, 100, 32, 16, 10);
    try (var ops = new CpuOps(2, precision)) {
      for (Result result : measure(training, ops, 64)) {
        assertTrue(result.error() <= ReferenceComparison.limit(precision), result.toString());
        assertTrue(result.speed().isPresent());
      }
    }
    try (var ops = new Unrounded(precision)) {
      Result result = measure(training, ops, 64).get(0);
      assertTrue(result.error() > ReferenceComparison.limit(precision), result.toString());
      assertEquals(Optional.empty(), result.speed());
    }
  }

  /** A device in one precision is not compared with the reference's results in another. */
  @Test
  void precisionsAreKeptApart() {
    var throughput = new Throughput(plain(100, 100, 32, 16, 10));
    for (int round = 0; round < 2; round++) {
      for (Precision precision : Precision.values()) {
        try (var ops = new CpuOps(2, precision)) {
          double error = throughput.reference().trainingError(ops, 64);
          assertTrue(error <= ReferenceComparison.limit(precision), precision + ": " + error);
        }
      }
    }
  }

  /** A device that rounds inputs of ReLUs that are nearly 0 up, to above 0. */
  private static final class RoundsUp extends ReferenceOps {
    @Override
    protected void linearForwardK(
        Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
      super.linearForwardK(y, x, w, b, B, I, O, activation);
      if (activation == Activation.RELU) {
        float[] values = new float[B * O];
        read(y, values);
        for (int i = 0; i < values.length; i++) {
          values[i] = Math.max(values[i], near0(x, w, b, i / O, i % O, I) ? 1e-9f : 0);
        }
        write(y, values);
      }
    }

    private boolean near0(Buffer x, Buffer w, Buffer b, int r, int o, int I) {
      float[] inputs = new float[(r + 1) * I];
      float[] weights = new float[(o + 1) * I];
      float[] bias = new float[o + 1];
      read(x, inputs);
      read(w, weights);
      read(b, bias);
      double z = bias[o];
      for (int i = 0; i < I; i++) {
        z += (double) inputs[r * I + i] * weights[o * I + i];
      }
      return Math.abs(z) < 1e-7;
    }
  }

  /** A device whose losses are a ten-thousandth too large. */
  private static final class WrongLoss extends ReferenceOps {
    @Override
    protected void crossEntropyForwardK(
        LossOutputs outputs,
        Buffer logits,
        Targets targets,
        Buffer step,
        Optional<Buffer> scaling,
        int B,
        int C,
        float smoothing) {
      super.crossEntropyForwardK(outputs, logits, targets, step, scaling, B, C, smoothing);
      Buffer log = outputs.log();
      for (int i = 0; i < log.length(); i += 2) {
        set(log, i, 1.0001 * value(log, i));
      }
    }
  }

  /**
   * An image whose unit's input is 0 but for rounding: the check takes another image in its place,
   * or, if there is none, compares the loss alone.
   */
  @Test
  void whereRightDevicesPartIsNotChecked() {
    ExampleSet set = images(1, 1, 2, 20);
    set.features().array()[2] = 100;
    TrainingSetup any = training(set, new PixelScaling("unit", 0, 1), Regularisation.NONE, 1, 1, 2);
    double w;
    double b;
    try (var ops = new ReferenceOps();
        var parameters = new Parameters(ops, any.shape())) {
      parameters.initialise(any.seed());
      w = parameters.read().get(0)[0];
      b = parameters.read().get(1)[0];
    }
    var scaling = new PixelScaling("z-score", 100 / 255.0 + b / w, 1); // image 2 becomes −b / w
    TrainingSetup training = training(set, scaling, Regularisation.NONE, 1, 1, 2);
    try (var counter = new AmbiguousReluCounter();
        var learner = new Learner(counter, training.with(set.first(4), 4))) {
      learner.run();
      assertEquals(1, counter.ambiguous(), "the test's own image");
    }
    try (var ops = new RoundsUp()) {
      Result result = measure(training, ops, 4).get(0);
      assertTrue(result.error() <= ReferenceComparison.LIMIT, result.toString());
      assertFalse(result.lossAlone());
    }
    TrainingSetup noOthers = training.with(set.first(4), 4);
    try (var ops = new RoundsUp()) {
      List<Result> results = measure(noOthers, ops, 4);
      assertTrue(results.get(0).lossAlone());
      assertTrue(results.get(0).error() <= ReferenceComparison.LIMIT, results.toString());
      assertTrue(results.get(0).speed().isPresent());
      assertFalse(results.get(1).lossAlone());
    }
    try (var ops = new Wrong()) { // nobody compares its gradients
      assertTrue(measure(noOthers, ops, 4).get(0).error() <= ReferenceComparison.LIMIT);
    }
    try (var ops = new WrongLoss()) {
      Result result = measure(noOthers, ops, 4).get(0);
      assertTrue(result.error() > ReferenceComparison.LIMIT, result.toString());
      assertEquals(Optional.empty(), result.speed());
    }
  }
}
