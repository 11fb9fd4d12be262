package mlpcuda.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the optimizers with the algorithms that PyTorch documents, written out over doubles: 50
 * steps down a quadratic, loss = Σ curvature · (w − goal)² / 2, each with a rate of its own.
 */
class OptimizerTest {
  private static final MlpShape SHAPE =
      new MlpShape(List.of(5, 7, 3), Activation.RELU, Activation.NONE);

  private static final int STEPS = 50;

  /** A documented algorithm, which takes one step by its gradients. */
  private interface Algorithm {
    void step(int t, double rate, double[] w, double[] g);
  }

  private record Descent(
      String name, OptimizerSettings settings, double clip, double rate, Algorithm algorithm) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Descent> descents() {
    int n = weights();
    return Stream.of(
        new Descent("SGD", new SgdSettings(0, false, 0), 0, 0.1, new Sgd(n, 0, false, 0)),
        new Descent(
            "SGD, momentum", new SgdSettings(0.9, false, 0), 0, 0.02, new Sgd(n, 0.9, false, 0)),
        new Descent(
            "SGD, Nesterov, decay",
            new SgdSettings(0.9, true, 0.05),
            0,
            0.02,
            new Sgd(n, 0.9, true, 0.05)),
        new Descent(
            "SGD, decay, clipped",
            new SgdSettings(0, false, 0.05),
            6,
            0.1,
            new Clipped(6, new Sgd(n, 0, false, 0.05))),
        new Descent(
            "Adam",
            new AdamSettings(0.9, 0.999, 1e-8, 0.05, false),
            0,
            0.05,
            new Adam(n, 0.9, 0.999, 1e-8, 0.05, false)),
        new Descent(
            "AdamW",
            new AdamSettings(0.8, 0.99, 1e-8, 0.05, true),
            0,
            0.05,
            new Adam(n, 0.8, 0.99, 1e-8, 0.05, true)),
        new Descent(
            "Adam, clipped",
            AdamSettings.DEFAULT,
            1.5,
            0.05,
            new Clipped(1.5, new Adam(n, 0.9, 0.999, 1e-8, 0, false))));
  }

  /** The algorithm of {@code torch.optim.SGD}, dampening 0. */
  private record Sgd(double[] b, double momentum, boolean nesterov, double weightDecay)
      implements Algorithm {
    Sgd(int n, double momentum, boolean nesterov, double weightDecay) {
      this(new double[n], momentum, nesterov, weightDecay);
    }

    @Override
    public void step(int t, double rate, double[] w, double[] gradient) {
      for (int i = 0; i < w.length; i++) {
        double g = gradient[i];
        if (weightDecay != 0) {
          g += weightDecay * w[i];
        }
        if (momentum != 0) {
          b[i] = t > 1 ? momentum * b[i] + g : g;
          g = nesterov ? g + momentum * b[i] : b[i];
        }
        w[i] -= rate * g;
      }
    }
  }

  /** The algorithms of {@code torch.optim.Adam} and {@code AdamW}. */
  private record Adam(
      double[] m,
      double[] v,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      boolean decoupled)
      implements Algorithm {
    Adam(int n, double beta1, double beta2, double eps, double weightDecay, boolean decoupled) {
      this(new double[n], new double[n], beta1, beta2, eps, weightDecay, decoupled);
    }

    @Override
    public void step(int t, double rate, double[] w, double[] gradient) {
      for (int i = 0; i < w.length; i++) {
        double g = gradient[i];
        if (decoupled) {
          w[i] -= rate * weightDecay * w[i];
        } else {
          g += weightDecay * w[i];
        }
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        double mHat = m[i] / (1 - Math.pow(beta1, t));
        double vHat = v[i] / (1 - Math.pow(beta2, t));
        w[i] -= rate * mHat / (Math.sqrt(vHat) + eps);
      }
    }
  }

  /** The algorithm of {@code torch.nn.utils.clip_grad_norm_}, followed by an optimizer's. */
  private record Clipped(double maxNorm, Algorithm then) implements Algorithm {
    @Override
    public void step(int t, double rate, double[] w, double[] gradient) {
      double squares = 0;
      for (double g : gradient) {
        squares += g * g;
      }
      double coefficient = Math.min(1, maxNorm / (Math.sqrt(squares) + 1e-6));
      double[] clipped = new double[gradient.length];
      for (int i = 0; i < gradient.length; i++) {
        clipped[i] = gradient[i] * coefficient;
      }
      then.step(t, rate, w, clipped);
    }
  }

  /** The length of the arenas of {@link #SHAPE}. */
  private static int weights() {
    List<Parameters.Tensor> tensors = Parameters.tensors(SHAPE);
    Parameters.Tensor last = tensors.get(tensors.size() - 1);
    return last.offset() + last.length();
  }

  private static double curvature(int i) {
    return 0.2 + i % 7 * 0.5;
  }

  private static double goal(int i) {
    return Math.sin(i);
  }

  /** A rate that changes, so that a frozen or late one shows. */
  private static double rate(Descent descent, int t) {
    return (float) (descent.rate / (1 + 0.02 * t));
  }

  @ParameterizedTest
  @MethodSource("descents")
  void takesTheStepsThatPyTorchDocuments(Descent descent) {
    int n = weights();
    double[] expected = new double[n];
    double[] g = new double[n];
    int clipped = 0;
    for (int t = 1; t <= STEPS; t++) {
      double squares = 0;
      for (int i = 0; i < n; i++) {
        g[i] = curvature(i) * (expected[i] - goal(i));
        squares += g[i] * g[i];
      }
      clipped += descent.clip > 0 && Math.sqrt(squares) > descent.clip ? 1 : 0;
      descent.algorithm.step(t, rate(descent, t), expected, g);
    }
    if (descent.clip > 0) {
      assertTrue(clipped > 5 && clipped < STEPS - 5, "clipped in some of the steps: " + clipped);
    }
    var gpu = CudaOptions.layered(Multiplier.PTX, FeedKind.PINNED, Launching.SINGLE);
    for (Ops ops :
        List.of(
            new ReferenceOps(),
            new CpuOps(2),
            new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), gpu))) {
      try (ops) {
        double limit = ops instanceof ReferenceOps ? 1e-6 : 1e-5;
        assertArrayEquals(expected, descend(ops, descent), limit, ops.description());
      }
    }
  }

  /** The weights after all steps, on a device. */
  private static double[] descend(Ops ops, Descent descent) {
    int n = weights();
    float[] w = new float[n];
    float[] g = new float[n];
    try (var parameters = new Parameters(ops, SHAPE);
        var optimizer = new Optimizer(parameters, descent.settings, descent.clip);
        Buffer step = ops.allocate("step", Type.INT32, 1)) {
      parameters.needGradients();
      assertEquals(n, parameters.length());
      for (int t = 1; t <= STEPS; t++) {
        ops.read(parameters.w(), w);
        for (int i = 0; i < n; i++) {
          g[i] = (float) (curvature(i) * (w[i] - goal(i)));
        }
        ops.write(parameters.dw(), g);
        ops.write(step, new int[] {t}, 0, 1);
        ops.write(optimizer.rate(), new float[] {(float) rate(descent, t)});
        optimizer.update(step, Optional.empty());
      }
      ops.read(parameters.w(), w);
    }
    assertEquals(0, ops.liveBytes());
    return IntStream.range(0, n).mapToDouble(i -> w[i]).toArray();
  }

  /** A gradient of norm 5 meets limits above, below and far below it, in numbers. */
  @Test
  void theNormOfAllGradientsTogetherIsClipped() {
    try (Ops ops = new CpuOps(1);
        var parameters = new Parameters(ops, SHAPE);
        Buffer step = ops.allocate("step", Type.INT32, 1)) {
      parameters.needGradients();
      float[] g = new float[parameters.length()];
      int last = g.length - 1; // the last one belongs to another tensor than the first
      double[][] cases = { // the limit, and what 3 and 4 become under it
        {5.5, 3, 4}, {5, 3 * 5 / 5.000001, 4 * 5 / 5.000001}, {1, 0.6, 0.8}, {1e-4, 6e-5, 8e-5}
      };
      for (double[] c : cases) {
        g[0] = 3;
        g[last] = -4;
        ops.write(parameters.w(), new float[g.length]);
        ops.write(parameters.dw(), g);
        try (var optimizer = new Optimizer(parameters, SgdSettings.DEFAULT, c[0])) {
          ops.write(optimizer.rate(), new float[] {1});
          optimizer.update(step, Optional.empty());
        }
        float[] w = new float[g.length];
        ops.read(parameters.w(), w);
        assertEquals(-c[1], w[0], 1e-6 * c[1], "limit " + c[0]);
        assertEquals(c[2], w[last], 1e-6 * c[2], "limit " + c[0]);
        float[] used = new float[g.length];
        ops.read(parameters.dw(), used);
        assertEquals(-w[0], used[0], "the gradients stay as they were used");
      }
    }
  }

  @Test
  void aLimitBelowZeroIsRefused() {
    try (Ops ops = new ReferenceOps();
        var parameters = new Parameters(ops, SHAPE)) {
      for (double clip : new double[] {-1, Double.NaN}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> new Optimizer(parameters, AdamSettings.DEFAULT, clip));
      }
    }
  }
}
