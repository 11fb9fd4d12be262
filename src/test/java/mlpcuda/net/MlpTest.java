package mlpcuda.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MlpTest {
  private static final int B = 6;
  private static final MlpShape SHAPE =
      new MlpShape(List.of(5, 4, 7, 3), Activation.RELU, Activation.NONE);

  private static final List<Integer> HUGE = // the product of these overflows a long
      List.of(784, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, 10);

  private static float[] inputs(int seed) {
    var random = new Random(seed);
    float[] x = new float[B * 5];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** A network with its batch, which makes the loss a function of the weights. */
  private record Fixture(Ops ops, Parameters parameters, Mlp mlp, Buffer y, Buffer step, Buffer log)
      implements AutoCloseable {
    static Fixture of(Ops ops, MlpShape shape) {
      return of(ops, shape, Regularisation.NONE);
    }

    static Fixture of(Ops ops, MlpShape shape, Regularisation regularisation) {
      var parameters = new Parameters(ops, shape);
      parameters.initialise(11);
      Mlp mlp = Mlp.forTraining(parameters, B, regularisation);
      Buffer y = ops.allocate("y", Type.INT32, B);
      ops.write(y, new int[] {0, 1, 2, 2, 1, 0}, 0, B);
      Buffer step = ops.allocate("step", Type.INT32, 1);
      ops.write(step, new int[] {1}, 0, 1);
      ops.write(mlp.inputs(), inputs(3));
      return new Fixture(ops, parameters, mlp, y, step, ops.allocate("log", Type.FLOAT32, 2));
    }

    double loss() {
      mlp.forward(step, B);
      mlp.loss(log, new Targets(y, Optional.empty()), step, Optional.empty(), B);
      float[] values = new float[2];
      ops.read(log, values);
      return values[0] / (double) B;
    }

    @Override
    public void close() {
      log.close();
      step.close();
      y.close();
      mlp.close();
      parameters.close();
      assertEquals(0, ops.liveBytes());
      ops.close();
    }
  }

  /**
   * Each gradient of a whole network in double precision is compared, by the parameter's name; with
   * dropout the step holds the mask still.
   */
  @ParameterizedTest
  @CsvSource({
    "TANH, NONE, 0, 0, 0",
    "LECUN_TANH, NONE, 0, 0, 0",
    "SIGMOID, NONE, 0, 0, 0",
    "RELU, NONE, 0, 0, 0",
    "TANH, RELU, 0, 0, 0",
    "TANH, NONE, 0.3, 0.4, 0.1",
    "SIGMOID, NONE, 0.3, 0, 0.2",
    "RELU, NONE, 0, 0.4, 0.1",
    "RELU, NONE, 0.2, 0.3, 0",
    "TANH, RELU, 0.3, 0.4, 0.1"
  })
  void gradientsAreTheSlopesOfTheLoss(
      Activation hidden, Activation output, float first, float second, float smoothing) {
    double h = 1e-6; // small beside the distance of every ReLU from its kink here
    var ops = new ReferenceOps();
    var shape = new MlpShape(List.of(5, 4, 7, 3), hidden, output);
    var regularisation = new Regularisation(List.of(first, second), smoothing, 99);
    try (var fixture = Fixture.of(ops, shape, regularisation)) {
      fixture.loss();
      fixture.mlp.backward(fixture.step, B);
      Buffer w = fixture.parameters.w();
      Buffer dw = fixture.parameters.dw();
      for (Parameters.Tensor tensor : fixture.parameters.tensors()) {
        double largest = 0;
        for (int i = tensor.offset(); i < tensor.offset() + tensor.length(); i++) {
          double at = ops.value(w, i);
          ops.set(w, i, at + h);
          fixture.loss();
          double above = ops.value(fixture.log, 0);
          ops.set(w, i, at - h);
          fixture.loss();
          double below = ops.value(fixture.log, 0);
          ops.set(w, i, at);
          double slope = (above - below) / (2 * h) / B;
          assertEquals(slope, ops.value(dw, i), 1e-8, tensor.name() + " at " + i);
          largest = Math.max(largest, Math.abs(slope));
        }
        assertTrue(largest > 1e-3, tensor.name() + " has no slope: the test would see nothing");
      }
    }
  }

  /** The CPU device and the reference take the same steps: losses and weights stay together. */
  @Test
  void devicesTakeTheSameSteps() {
    try (var cpu = Fixture.of(new CpuOps(2), SHAPE);
        var reference = Fixture.of(new ReferenceOps(), SHAPE)) {
      for (Fixture fixture : List.of(cpu, reference)) {
        try (var adam = new Optimizer(fixture.parameters, AdamSettings.DEFAULT, 0)) {
          fixture.ops.write(adam.rate(), new float[] {0.01f});
          for (int i = 0; i < 50; i++) {
            fixture.ops.write(fixture.step, new int[] {i + 1}, 0, 1);
            fixture.mlp.forward(fixture.step, B);
            fixture.mlp.loss(
                fixture.log,
                new Targets(fixture.y, Optional.empty()),
                fixture.step,
                Optional.empty(),
                B);
            fixture.mlp.backward(fixture.step, B);
            adam.update(fixture.step, Optional.empty());
          }
        }
      }
      List<float[]> expected = reference.parameters.read();
      List<float[]> found = cpu.parameters.read();
      for (int t = 0; t < expected.size(); t++) {
        assertArrayEquals(expected.get(t), found.get(t), 1e-5f, SHAPE + " tensor " + t);
      }
      double after = cpu.loss();
      cpu.parameters.initialise(11);
      double before = cpu.loss();
      assertTrue(after < before / 2, "50 steps must halve the loss: " + before + ", " + after);
    }
  }

  @Test
  void initialWeightsAreUniformWithinTheBoundOfTheirLayer() {
    var shape = new MlpShape(List.of(784, 300, 10), Activation.RELU, Activation.NONE);
    try (Ops ops = new ReferenceOps();
        var parameters = new Parameters(ops, shape)) {
      parameters.initialise(1);
      List<float[]> first = parameters.read();
      int[] inputs = {784, 784, 300, 300};
      for (int t = 0; t < first.size(); t++) {
        double bound = 1 / Math.sqrt(inputs[t]);
        double largest = 0;
        double sum = 0;
        double squares = 0;
        for (float value : first.get(t)) {
          largest = Math.max(largest, Math.abs(value));
          sum += value;
          squares += (double) value * value;
        }
        int n = first.get(t).length;
        assertTrue(largest <= bound, "tensor " + t);
        // Mean 0 and variance bound²/3, each within five of its own standard deviations.
        assertEquals(0, sum / n, 5 * bound / Math.sqrt(3.0 * n), "mean of tensor " + t);
        double spread = 5 * bound * bound * Math.sqrt(4.0 / 45 / n);
        assertEquals(bound * bound / 3, squares / n, spread, "variance of tensor " + t);
      }
      parameters.initialise(1);
      List<float[]> again = parameters.read();
      parameters.initialise(2);
      List<float[]> other = parameters.read();
      for (int t = 0; t < first.size(); t++) {
        assertArrayEquals(first.get(t), again.get(t));
        assertTrue(!Arrays.equals(first.get(t), other.get(t)), "seeds 1 and 2 agree");
      }
    }
  }

  @Test
  void tensorsLieApartAndAligned() {
    List<Parameters.Tensor> tensors = Parameters.tensors(SHAPE);
    var names = new ArrayList<String>();
    int end = 0;
    for (Parameters.Tensor tensor : tensors) {
      names.add(tensor.name() + tensor.shape());
      assertTrue(tensor.offset() >= end, tensor + " overlaps the one before");
      assertEquals(0, tensor.offset() % Parameters.ALIGNMENT);
      end = tensor.offset() + tensor.length();
    }
    assertEquals(
        List.of(
            "layers.0.weight[4, 5]",
            "layers.0.bias[4]",
            "layers.1.weight[7, 4]",
            "layers.1.bias[7]",
            "layers.2.weight[3, 7]",
            "layers.2.bias[3]"),
        names);
  }

  @Test
  void shapesCountTheirParametersAndRefuseNonsense() {
    var published = new MlpShape(List.of(784, 300, 300, 10), Activation.RELU, Activation.NONE);
    assertEquals(328_810, published.parameters());
    assertEquals(235_500, published.parameters(0));
    assertEquals(90_300, published.parameters(1));
    assertEquals(3_010, published.parameters(2));
    assertEquals("784-300-300-10", published.toString());
    for (List<Integer> sizes :
        List.of(
            List.<Integer>of(), List.of(784), List.of(784, 0, 10), List.of(60_000, 60_000), HUGE)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new MlpShape(sizes, Activation.RELU, Activation.NONE),
          sizes.toString());
    }
  }
}
