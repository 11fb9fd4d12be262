package mlpcuda.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
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
import mlpcuda.random.Philox;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests dropout in a network. Where hidden outputs are all 1 and the layers after them pass on what
 * they get, the logits are the masks.
 */
class DropoutTest {
  private static final int B = 33;
  private static final int N = 31; // neither is a multiple of 4: blocks of numbers cross the rows
  private static final long SEED = 0x123456789abcL;

  static Stream<Named<Supplier<Ops>>> devices() {
    var gpu = CudaOptions.layered(Multiplier.PTX, FeedKind.PINNED, Launching.SINGLE);
    return Stream.of(
        Named.of("reference", ReferenceOps::new),
        Named.of("CPU, 1 thread", () -> new CpuOps(1)),
        Named.of("CPU, 2 threads", () -> new CpuOps(2)),
        Named.of(
            "emulated GPU", () -> new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), gpu)));
  }

  /** The hidden layers' masks, multiplied: (B, N), each 0 or 1 / (1 − rate). */
  private static float[] masks(Supplier<Ops> device, int step, Float... rates) {
    int hidden = rates.length;
    var shape = new MlpShape(Collections.nCopies(hidden + 2, N), Activation.RELU, Activation.NONE);
    float[] identity = new float[N * N];
    for (int i = 0; i < N; i++) {
      identity[i * N + i] = 1;
    }
    float[] ones = new float[N];
    Arrays.fill(ones, 1);
    List<float[]> weights =
        IntStream.rangeClosed(0, hidden)
            .boxed()
            .flatMap(
                l -> l == 0 ? Stream.of(new float[N * N], ones) : Stream.of(identity, new float[N]))
            .toList();
    try (Ops ops = device.get();
        var parameters = new Parameters(ops, shape);
        Buffer at = ops.allocate("step", Type.INT32, 1);
        Mlp mlp = Mlp.forTraining(parameters, B, new Regularisation(List.of(rates), 0, SEED))) {
      parameters.write(weights);
      ops.write(mlp.inputs(), new float[B * N]);
      ops.write(at, new int[] {step}, 0, 1);
      mlp.forward(at, B);
      float[] logits = new float[B * N];
      ops.read(mlp.logits(), logits);
      return logits;
    }
  }

  private static boolean kept(int i, int layer, int step, float rate) {
    int[] words = new int[4];
    Philox.block(words, i / 4, layer, step, Philox.Use.DROPOUT, SEED);
    return Philox.uniform(words[i % 4]) >= rate;
  }

  @ParameterizedTest
  @ValueSource(floats = {0.05f, 0.2f, 0.5f, 0.9f})
  void zeroesThatFractionAndScalesTheRest(float rate) {
    float[] mask = masks(ReferenceOps::new, 1, rate);
    int zeros = 0;
    for (float value : mask) {
      if (value == 0) {
        zeros++;
      } else {
        assertEquals(1 / (1 - rate), value, 1e-6 / (1 - rate));
      }
    }
    int n = mask.length;
    assertEquals(n * rate, zeros, 5 * Math.sqrt(n * rate * (1 - rate)), "zeroed of " + n);
  }

  /** Each layer has a rate of its own, and each layer and step a mask, the same on every device. */
  @ParameterizedTest
  @MethodSource("devices")
  void everyDeviceHasTheMaskOfPhilox(Supplier<Ops> device) {
    for (int step : new int[] {1, 2, 1_000_000}) {
      for (float[] rates : new float[][] {{0.2f, 0.5f}, {0.5f, 0}, {0, 0.5f}}) {
        float[] found = masks(device, step, rates[0], rates[1]);
        for (int i = 0; i < found.length; i++) {
          boolean both = kept(i, 1, step, rates[0]) && kept(i, 2, step, rates[1]);
          float expected = both ? 1 / (1 - rates[0]) / (1 - rates[1]) : 0;
          String what = "step %d, rates %s, at %d".formatted(step, Arrays.toString(rates), i);
          assertEquals(expected, found[i], expected * 1e-6f, what);
        }
      }
    }
  }

  /** Half of the elements agree by chance if masks are independent. */
  @Test
  void anotherStepOrLayerIsAnotherMask() {
    float[] mask = masks(ReferenceOps::new, 1, 0.5f);
    assertArrayEquals(mask, masks(ReferenceOps::new, 1, 0.5f), "the same again");
    for (float[] other :
        List.of(masks(ReferenceOps::new, 2, 0.5f), masks(ReferenceOps::new, 1, 0f, 0.5f))) {
      long equal = IntStream.range(0, mask.length).filter(i -> mask[i] == other[i]).count();
      assertEquals(mask.length / 2.0, equal, 2.5 * Math.sqrt(mask.length));
    }
  }

  /** Nothing is dropped in an evaluation, or in training at rate 0. */
  @Test
  void aNetworkThatOnlyPredictsDropsNothing() {
    var shape = new MlpShape(List.of(5, 40, 3), Activation.TANH, Activation.NONE);
    try (Ops ops = new CpuOps(1);
        var parameters = new Parameters(ops, shape);
        Buffer step = ops.allocate("step", Type.INT32, 1)) {
      parameters.initialise(1);
      float[][] logits = new float[3][7 * 3];
      for (int i = 0; i < 3; i++) {
        var drops = new Regularisation(List.of(i == 1 ? 0f : 0.5f), 0, SEED);
        try (Mlp mlp =
            i == 0 ? Mlp.forInference(parameters, 7) : Mlp.forTraining(parameters, 7, drops)) {
          float[] x = new float[7 * 5];
          for (int j = 0; j < x.length; j++) {
            x[j] = (float) Math.sin(j);
          }
          ops.write(mlp.inputs(), x);
          mlp.forward(step, 7);
          ops.read(mlp.logits(), logits[i]);
        }
      }
      assertArrayEquals(logits[0], logits[1]);
      assertFalse(Arrays.equals(logits[0], logits[2]));
    }
  }

  @Test
  void ratesMustFitTheNetwork() {
    for (float rate : new float[] {-0.1f, 1, Float.NaN}) {
      assertThrows(
          IllegalArgumentException.class, () -> new Regularisation(List.of(rate), 0, 1), "" + rate);
      assertThrows(
          IllegalArgumentException.class, () -> new Regularisation(List.of(), rate, 1), "" + rate);
    }
    var shape = new MlpShape(List.of(5, 4, 3), Activation.TANH, Activation.NONE);
    try (Ops ops = new ReferenceOps();
        var parameters = new Parameters(ops, shape)) {
      var two = new Regularisation(List.of(0.1f, 0.2f), 0, 1);
      assertThrows(IllegalArgumentException.class, () -> Mlp.forTraining(parameters, 7, two));
    }
  }
}
