package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.compute.cuda.CudaOps;
import mlpcuda.compute.cuda.CudaOptions;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.net.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests what predictions and evaluations ask of a device. */
class PredictorTest {
  private static final Scaling UNIT = new PixelScaling("unit", 0, 1);
  private static final int N = 5; // images of the largest call

  private static final MlpShape SMALL =
      new MlpShape(List.of(4, 6, 3), Activation.RELU, Activation.NONE);

  private static Weights weights(MlpShape shape) {
    try (var ops = new CpuOps(1);
        var parameters = new Parameters(ops, shape)) {
      parameters.initialise(1);
      return new Weights(shape, parameters.read());
    }
  }

  private static byte[] images(int seed, int n) {
    byte[] pixels = new byte[4 * n];
    new Random(seed).nextBytes(pixels);
    return pixels;
  }

  /** The answers to calls of several sizes, each with images of its own. */
  private static float[][] answers(Ops device, Weights weights) {
    try (Ops ops = device;
        var predictor = new Predictor(ops, weights, UNIT, N, "a network")) {
      return Arrays.stream(new int[] {1, N, 2, N - 1, 3})
          .boxed()
          .flatMap(n -> Arrays.stream(predictor.logProbabilities(images(n, n))))
          .toArray(float[][]::new);
    }
  }

  private static void assertNear(float[][] expected, float[][] found) {
    assertEquals(expected.length, found.length);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], found[i], 1e-5f, "answer " + i);
    }
  }

  @Test
  void aPredictorAnswersAgainAndAgainOnEveryDevice() {
    Weights weights = weights(SMALL);
    float[][] reference = answers(new ReferenceOps(), weights);
    assertNear(reference, answers(new CpuOps(2), weights));
    for (FeedKind feed : List.of(FeedKind.RESIDENT, FeedKind.PINNED)) {
      var options = CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH);
      var ops = new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options);
      assertNear(reference, answers(ops, weights));
    }
  }

  /** A call of several batches is answered as image by image, before and after shorter calls. */
  @Test
  void callsOfSeveralBatchesAreAnswered() {
    int most = 2 * Predictor.batch(SMALL) + 300;
    Weights weights = weights(SMALL);
    try (var ops = new CpuOps(2);
        var predictor = new Predictor(ops, weights, UNIT, most, "a network");
        var single = new Predictor(ops, weights, UNIT, 1, "a network")) {
      for (int n : new int[] {most, 1, most - 600, most - 1400, most}) {
        byte[] images = images(n, n);
        float[][] found = predictor.logProbabilities(images);
        for (int i : new int[] {0, n / 2, n - 1}) {
          byte[] image = Arrays.copyOfRange(images, 4 * i, 4 * i + 4);
          assertArrayEquals(single.logProbabilities(image)[0], found[i], 1e-5f, i + " of " + n);
        }
      }
    }
  }

  /** Streams, events and memory are made once. */
  @ParameterizedTest
  @EnumSource(names = {"RESIDENT", "PINNED"})
  void aCallMakesNothingOnTheDevice(FeedKind feed) {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    var options = CudaOptions.layered(Multiplier.PTX, feed, Launching.GRAPH);
    try (var ops = new CudaOps(driver, options);
        var predictor = new Predictor(ops, weights(SMALL), UNIT, N, "a network")) {
      Map<String, Integer> before = made(driver);
      for (int n = 1; n <= N; n++) {
        predictor.logProbabilities(images(n, n));
      }
      assertEquals(before, made(driver));
    }
  }

  private static Map<String, Integer> made(EmulatedDriver driver) {
    var made = new TreeMap<>(driver.calls());
    made.keySet()
        .retainAll(List.of("cuMemAlloc", "cuMemAllocHost", "cuStreamCreate", "cuEventCreate"));
    return made;
  }

  /** The host waits for the results of a batch while the device computes the next one. */
  @Test
  void anEvaluationNeverDrainsTheDeviceButAtItsEnd() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    var options = CudaOptions.layered(Multiplier.PTX, FeedKind.PINNED, Launching.GRAPH);
    var set = ExampleSet.images(2, 2, images(1, 20), new byte[20]);
    try (var ops = new CudaOps(driver, options);
        var parameters = Parameters.forInference(ops, SMALL)) {
      parameters.write(weights(SMALL).tensors());
      try (var evaluator = new Evaluator(parameters, set, UNIT, 3)) {
        Score first = evaluator.run();
        int before = driver.calls().get("cuStreamSynchronize");
        Score second = evaluator.run();
        assertEquals(1, driver.calls().get("cuStreamSynchronize") - before, "the losses at last");
        assertEquals(first.loss(), second.loss());
        assertArrayEquals(first.confusion(), second.confusion());
      }
    }
  }
}
