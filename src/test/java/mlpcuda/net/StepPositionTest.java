package mlpcuda.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Ops;
import mlpcuda.compute.SgdSettings;
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
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests epochs that begin in the middle, and rates that differ from step to step. */
class StepPositionTest {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(4, 5, 3), Activation.TANH, Activation.NONE);

  private static final Scaling UNIT = new PixelScaling("unit", 0, 1);
  private static final int N = 22;
  private static final int B = 4;
  private static final float[] RATES = {0.5f, 0.1f, 0, 0.3f, 0.2f, 0.4f}; // the last batch has 2

  static Stream<Named<Supplier<Ops>>> devices() {
    return Stream.of(
        Named.of("reference", ReferenceOps::new),
        Named.of("CPU", () -> new CpuOps(1)),
        Named.of("GPU, pinned, graph", () -> gpu(FeedKind.PINNED, Launching.GRAPH)),
        Named.of("GPU, resident, graph", () -> gpu(FeedKind.RESIDENT, Launching.GRAPH)),
        Named.of("GPU, pinned", () -> gpu(FeedKind.PINNED, Launching.SINGLE)));
  }

  private static Ops gpu(FeedKind feed, Launching launching) {
    var options = CudaOptions.layered(Multiplier.PTX, feed, launching);
    return new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), options);
  }

  /**
   * Two epochs of descent with clipped gradients; each begins anew after its first {@code until}
   * steps.
   */
  private static List<float[]> weights(Ops device, int until) {
    byte[] pixels = new byte[N * 4];
    byte[] labels = new byte[N];
    int[] order = new int[N];
    for (int i = 0; i < N; i++) {
      pixels[4 * i + i % 4] = (byte) (7 * i + 60);
      labels[i] = (byte) (i % 3);
      order[i] = N - 1 - i;
    }
    try (Ops ops = device;
        var parameters = new Parameters(ops, SHAPE);
        var examples =
            new Batches(parameters, ExampleSet.images(1, 4, pixels, labels), UNIT, B, 1);
        var optimizer = new Optimizer(parameters, SgdSettings.DEFAULT, 0.5);
        var step = new Step(optimizer, examples, Regularisation.NONE, RATES.length)) {
      parameters.initialise(1);
      for (int epoch = 0; epoch < 2; epoch++) {
        step.begin(order, 0, RATES);
        for (int batch = 0; batch < RATES.length; batch++) {
          if (batch == until) {
            step.begin(order, batch * B, Arrays.copyOfRange(RATES, batch, RATES.length));
          }
          step.run(Math.min(B, N - batch * B), 1);
        }
      }
      return parameters.read();
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void anEpochThatBeginsInItsMiddleGoesOnWhereItWas(Supplier<Ops> device) {
    List<float[]> whole = weights(device.get(), RATES.length);
    List<float[]> reference = weights(new ReferenceOps(), RATES.length);
    for (int until : new int[] {1, 3, 5}) {
      List<float[]> inTwo = weights(device.get(), until);
      for (int t = 0; t < whole.size(); t++) {
        assertArrayEquals(whole.get(t), inTwo.get(t), "after " + until + " steps, tensor " + t);
        assertArrayEquals(reference.get(t), whole.get(t), 1e-5f, "tensor " + t);
      }
    }
  }

  @Test
  void aStepWithoutARateIsRefused() {
    try (Ops ops = new CpuOps(1);
        var parameters = new Parameters(ops, SHAPE);
        var examples =
            new Batches(
                parameters, ExampleSet.images(1, 4, new byte[N * 4], new byte[N]), UNIT, B, 1);
        var optimizer = new Optimizer(parameters, SgdSettings.DEFAULT, 0);
        var step = new Step(optimizer, examples, Regularisation.NONE, 3)) {
      assertThrows(IllegalStateException.class, () -> step.run(B, 1), "before begin");
      int[] order = new int[N];
      assertThrows(IllegalArgumentException.class, () -> step.begin(order, 0, new float[4]));
      assertThrows(IllegalStateException.class, () -> step.rate(1), "before begin");
      step.begin(order, 0, new float[1]);
      step.run(B, 1);
      assertThrows(IllegalStateException.class, () -> step.run(B, 1));
    }
  }
}
