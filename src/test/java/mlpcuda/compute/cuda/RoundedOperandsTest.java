package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.OptimizerState;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Replay;
import mlpcuda.compute.SgdSettings;
import mlpcuda.compute.cuda.CudaDriver.Pinned;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.RoundedOperands.Owner;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.compute.cuda.ptx.arithmetic.NarrowFloats;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.conformance.GuardedBuffers;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.PixelScaling;
import mlpcuda.error.DeviceException;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Evaluator;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Tests that the rounded copy of a buffer is always that of what the buffer holds. */
class RoundedOperandsTest {
  /** The outputs of operations that are never operands of products. */
  private static final Set<String> NO_OPERANDS =
      Set.of(
          "dw", "db", "m", "v", "velocity", "losses", "log", "norm", "rate", "scaling", "weights");

  private static final Pattern SIZE = Pattern.compile("[BIOCn]=(\\d+)");
  private static final PixelScaling UNIT = new PixelScaling("unit", 0, 1);

  /** An emulated GPU, and the operations on it. */
  private record Gpu(EmulatedDriver driver, CudaOps ops) implements AutoCloseable {
    static Gpu open(CudaOptions options) {
      var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
      return new Gpu(driver, new CudaOps(driver, options));
    }

    RoundedOperands copies() {
      return ops.rounded().orElseThrow();
    }

    /** Asserts that all copies of operands are right, and returns their number. */
    int check(String what) {
      int checked = 0;
      for (Owner owner : List.copyOf(copies().owners())) {
        if (owner.copy() != 0 && !NO_OPERANDS.contains(name(owner))) {
          check(owner, "%s: %s".formatted(what, owner.name()));
          checked++;
        }
      }
      return checked;
    }

    private static String name(Owner owner) {
      return owner.name().replace(" with sentinels", "");
    }

    private void check(Owner owner, String what) {
      float[] values = new float[owner.length()];
      ops.read(
          new DeviceBuffer(ops, owner.name(), Type.FLOAT32, owner.length(), owner.address()),
          values);
      float[] found = read(owner);
      for (int i = 0; i < values.length; i++) {
        float expected = ops.precision().round(values[i]);
        if (Float.floatToIntBits(expected) != Float.floatToIntBits(found[i])) {
          assertEquals(expected, found[i], "%s, element %d of %d".formatted(what, i, found.length));
        }
      }
    }

    /** The elements of a buffer's copy. */
    private float[] read(Owner owner) {
      boolean half = ops.precision().isHalf();
      int bytes = (half ? Short.BYTES : Float.BYTES) * owner.length();
      Pinned pinned = driver.allocatePinned(bytes);
      long stream = driver.createStream();
      driver.copyToHost(pinned, owner.copy(), bytes, stream);
      driver.synchronizeStream(stream);
      float[] elements = new float[owner.length()];
      for (int i = 0; i < elements.length; i++) {
        elements[i] =
            switch (ops.precision()) {
              case BF16 -> NarrowFloats.ofBrain(pinned.bytes().getShort(Short.BYTES * i));
              case FP16 -> NarrowFloats.ofHalf(pinned.bytes().getShort(Short.BYTES * i));
              default -> pinned.bytes().getFloat(Float.BYTES * i);
            };
      }
      driver.destroyStream(stream);
      driver.freePinned(pinned);
      return elements;
    }

    @Override
    public void close() {
      ops.close();
    }
  }

  private static CudaOptions layered(Multiplier gemm, Precision precision, Launching launching) {
    return CudaOptions.layered(gemm, FeedKind.RESIDENT, launching).with(precision);
  }

  private static boolean isSmall(Case c) {
    return SIZE.matcher(c.name())
            .results()
            .mapToLong(match -> Long.parseLong(match.group(1)))
            .reduce(1, (a, b) -> a * b)
        <= 5000;
  }

  /**
   * Every buffer has a copy before the operation runs, so that a copy which is not written shows:
   * outputs are NaN before.
   */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "FP32")
  void everyOperationWritesTheCopiesOfItsOutputs(Precision precision) {
    for (Multiplier gemm : List.of(Multiplier.CUBLAS, Multiplier.PTX)) {
      for (Activator activator : Activator.values()) {
        var options = layered(gemm, precision, Launching.SINGLE).with(activator);
        try (Gpu gpu = Gpu.open(options)) {
          for (Case c : Cases.all(precision)) {
            if (isSmall(c)) {
              runWithCopies(gpu, c, "%s with %s".formatted(c, options));
            }
          }
          assertEquals(0, gpu.ops.liveBytes());
        }
      }
    }
  }

  private static void runWithCopies(Gpu gpu, Case c, String what) {
    try (var buffers = new GuardedBuffers(gpu.ops)) {
      Runnable operation = c.inputs().apply(buffers);
      for (Owner owner : List.copyOf(gpu.copies().owners())) {
        var all = new DeviceMatrix(owner.address(), 1, owner.length());
        assertNotEquals(0, gpu.copies().round(all, all).a().address());
      }
      operation.run();
      gpu.check(what);
    }
  }

  private static MlpShape shape(Activation output) {
    return new MlpShape(List.of(6, 9, 7, 3), Activation.RELU, output);
  }

  private static ExampleSet images(int n) {
    byte[] pixels = new byte[6 * n];
    byte[] labels = new byte[n];
    new Random(n).nextBytes(pixels);
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) ((pixels[6 * i] & 255) % 3);
    }
    return ExampleSet.images(2, 3, pixels, labels);
  }

  /**
   * Trains with batches of one size, evaluates with others, sets the weights from the host, and
   * goes on. Copies must be right after each of these.
   */
  private static List<Double> course(CudaOptions options, Update update, Activation output) {
    var found = new ArrayList<Double>();
    var training = new TrainingSetup(shape(output), images(160), UNIT, 16, update, 0.01, 5);
    ExampleSet test = images(41);
    try (Gpu gpu = Gpu.open(options.withStepsAtOnce(2));
        var learner = new Learner(gpu.ops, training);
        var evaluator = new Evaluator(learner.parameters(), test, UNIT, 30)) {
      Learner.State state = learner.state();
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) { // run directly, recorded, replayed
          learner.run(2);
        }
        found.add(learner.loss());
        if (options.precision() != Precision.FP32) {
          gpu.check("training, round " + round);
        }
        found.add(evaluator.run().loss());
        found.add(Evaluator.evaluate(learner.parameters(), test, UNIT, 41).loss());
        if (options.precision() != Precision.FP32) {
          int checked = gpu.check("evaluation, round " + round);
          assertTrue(options.multiplier() == Multiplier.PTX || checked >= 4, checked + " copies");
        }
        if (round == 1) {
          learner.start(state);
          found.add(evaluator.run().loss());
        }
      }
      learner
          .parameters()
          .read()
          .forEach(w -> IntStream.range(0, w.length).forEach(i -> found.add((double) w[i])));
    }
    return found;
  }

  /** A fused step has no copy of the weights until the first evaluation. */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "FP32")
  void graphsAreAsGoodAsSingleLaunchesHoweverBatchesMix(Precision precision) {
    for (Multiplier gemm : List.of(Multiplier.CUBLAS, Multiplier.PTX)) {
      for (StepKind step : List.of(StepKind.LAYERED, StepKind.FUSED)) {
        for (OptimizerSettings moves :
            List.of(AdamSettings.DEFAULT, new SgdSettings(0.9, true, 0.01))) {
          var update = new Update(moves, 0, new Regularisation(List.of(0.3f, 0.2f), 0.1f, 7));
          List<Double> single =
              course(
                  layered(gemm, precision, Launching.SINGLE).with(step), update, Activation.TANH);
          CudaOptions graph = layered(gemm, precision, Launching.GRAPH).with(step);
          assertEquals(single, course(graph, update, Activation.TANH), graph.toString());
          assertEquals(
              single.get(1), single.get(2), 1e-3, "the same evaluation in batches of other sizes");
          assertNotEquals(single.get(1), single.get(4), "it learns");
        }
      }
    }
  }

  /** Buffers of a layer with 6 weights, that optimizers move on and evaluations read. */
  private static final class Layer implements AutoCloseable {
    final CudaOps ops;
    final Buffer arena; // 40 floats, of which the weights begin at 32
    final Buffer weights;
    final Buffer m;
    final Buffer v;
    final Buffer dw;
    final Buffer step;
    final Buffer rate;
    final Buffer x;
    final Buffer y;

    Layer(CudaOps ops) {
      this.ops = ops;
      arena = ops.allocate("w", Type.FLOAT32, 41);
      weights = arena.slice("weights", 32, 6);
      m = ops.allocate("m", Type.FLOAT32, 41);
      v = ops.allocate("v", Type.FLOAT32, 41);
      dw = ops.allocate("dw", Type.FLOAT32, 41);
      step = ops.allocate("step", Type.INT32, 1);
      rate = ops.allocate("rate", Type.FLOAT32, 1);
      x = ops.allocate("x", Type.FLOAT32, 3);
      y = ops.allocate("y", Type.FLOAT32, 2);
      float[] ones = new float[41];
      Arrays.fill(ones, 1);
      ops.write(arena, ones);
      ops.write(dw, ones);
      ops.write(rate, new float[] {0.1f});
      ops.write(step, new int[] {1}, 0, 1);
      ops.write(x, new float[] {1, 2, 4});
    }

    void learn() {
      var state = new OptimizerState(arena, m, v);
      ops.adamStep(state, dw, step, rate, Optional.empty(), 41, AdamSettings.DEFAULT);
    }

    float[] evaluate() {
      Buffer b = arena.slice("b", 0, 2);
      ops.linearForward(y, x, weights, b, 1, 3, 2, Activation.NONE);
      float[] values = new float[2];
      ops.read(y, values);
      return values;
    }

    @Override
    public void close() {
      List.of(arena, m, v, dw, step, rate, x, y).forEach(Buffer::close);
    }
  }

  /** The recording has no address of a copy that was made after it. */
  @Test
  void aGraphIsRecordedAgainWhenACopyIsMadeThatItDoesNotWrite() {
    try (Gpu gpu = Gpu.open(layered(Multiplier.CUBLAS, Precision.BF16, Launching.GRAPH));
        Gpu other = Gpu.open(layered(Multiplier.CUBLAS, Precision.BF16, Launching.SINGLE));
        var layer = new Layer(gpu.ops);
        var expected = new Layer(other.ops);
        Replay replay = gpu.ops.replay()) {
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
          replay.run(0, 1, 1, layer::learn);
          expected.learn();
        }
        assertArrayEquals(expected.evaluate(), layer.evaluate(), "round " + round);
        assertEquals(2, gpu.check("round " + round), "copies of the weights and the inputs");
        assertEquals(round == 0 ? 1 : 2, gpu.driver.calls().get("cuStreamBeginCapture"));
        assertEquals(1, replay.nodes().orElseThrow());
      }
      assertEquals(1, gpu.driver.calls().get("cuGraphExecDestroy"));
    }
  }

  @Test
  void slicesShareTheCopyOfTheirBuffer() {
    for (Precision precision : List.of(Precision.TF32, Precision.FP16)) {
      try (Gpu gpu = Gpu.open(layered(Multiplier.CUBLAS, precision, Launching.SINGLE));
          var layer = new Layer(gpu.ops)) {
        long begin = DeviceBuffer.address(layer.arena);
        assertEquals(0, gpu.copies().copyOf(begin));
        long before = gpu.ops.liveBytes();
        layer.evaluate();
        int bytes = precision == Precision.TF32 ? 4 : 2;
        assertEquals(bytes * (41 + 3), gpu.ops.liveBytes() - before);
        long copy = gpu.copies().copyOf(begin);
        assertEquals(0, copy % 256);
        assertEquals(copy + 32 * bytes, gpu.copies().copyOf(DeviceBuffer.address(layer.weights)));
        assertEquals(copy + 40 * bytes, gpu.copies().copyOf(begin + 4 * 40));
        assertEquals(0, gpu.copies().copyOf(begin + 4 * 41), "behind the buffer");
        assertEquals(0, gpu.copies().copyOf(begin - 4), "before the buffer");
        assertEquals(0, gpu.copies().copyOf(DeviceBuffer.address(layer.dw)), "no operand");
        assertEquals(2, gpu.copies().made());
      }
    }
  }

  @Test
  void whatTheHostWritesIsRounded() {
    try (Gpu gpu = Gpu.open(layered(Multiplier.CUBLAS, Precision.BF16, Launching.SINGLE));
        var layer = new Layer(gpu.ops)) {
      float[] before = layer.evaluate();
      gpu.ops.write(layer.weights.slice("one weight", 1, 1), new float[] {1.2345678f});
      assertEquals(2, gpu.check("a part"));
      assertFalse(Arrays.equals(before, layer.evaluate()));
      gpu.ops.zero(layer.arena);
      assertEquals(2, gpu.check("zeros"));
      assertArrayEquals(new float[2], layer.evaluate());
    }
  }

  @Test
  void aCopyIsFreedWithItsBuffer() {
    try (Gpu gpu = Gpu.open(layered(Multiplier.CUBLAS, Precision.BF16, Launching.SINGLE))) {
      for (int i = 0; i < 2; i++) {
        try (var layer = new Layer(gpu.ops)) {
          layer.evaluate();
          assertEquals(2 * (41 + 3), gpu.copies().liveBytes());
        }
        assertEquals(0, gpu.ops.liveBytes());
        assertTrue(gpu.copies().owners().isEmpty());
      }
    }
  }

  @Test
  void aCopyThatDoesNotFitIsNamed() {
    try (Gpu gpu = Gpu.open(layered(Multiplier.CUBLAS, Precision.BF16, Launching.SINGLE));
        var layer = new Layer(gpu.ops)) {
      gpu.driver.failNext("cuMemAlloc", CudaException.OUT_OF_MEMORY, "CUDA_ERROR", "");
      var e = assertThrows(DeviceException.class, layer::evaluate);
      assertTrue(
          e.why().startsWith("out of memory on GPU 0 for x rounded to bf16: asked for 6 bytes"),
          e.why());
      assertEquals(0, gpu.copies().liveBytes());
      layer.evaluate();
      assertEquals(2, gpu.check("the second attempt"));
    }
  }
}
