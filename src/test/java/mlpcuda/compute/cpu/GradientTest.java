package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.LossOutputs;
import mlpcuda.compute.Targets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Compares the gradients of {@link ReferenceOps} with central differences in double precision: the
 * oracle itself is checked by calculus alone.
 */
class GradientTest {
  private static final double H = 1e-5;
  private static final double LIMIT = 1e-8; // the error of central differences is of order H²

  private final ReferenceOps ops = new ReferenceOps();
  private final Random random = new Random(7);
  private final List<Buffer> buffers = new ArrayList<>();

  @AfterEach
  void close() {
    buffers.forEach(Buffer::close);
    assertEquals(0, ops.liveBytes());
  }

  private Buffer empty(String name, int n) {
    Buffer buffer = ops.allocate(name, Type.FLOAT32, n);
    buffers.add(buffer);
    return buffer;
  }

  /** Values of size 0.1 to 1, so that no ReLU is at its kink. */
  private Buffer values(String name, int n) {
    Buffer buffer = empty(name, n);
    for (int i = 0; i < n; i++) {
      double size = 0.1 + 0.9 * random.nextDouble();
      ops.set(buffer, i, random.nextBoolean() ? size : -size);
    }
    return buffer;
  }

  private Buffer integers(String name, int... values) {
    Buffer buffer = ops.allocate(name, Type.INT32, values.length);
    buffers.add(buffer);
    ops.write(buffer, values, 0, values.length);
    return buffer;
  }

  private interface Loss {
    double of();
  }

  /** Compares every element of {@code gradient} with the slope of {@code loss} along {@code x}. */
  private void check(Loss loss, Buffer x, Buffer gradient) {
    for (int i = 0; i < x.length(); i++) {
      double at = ops.value(x, i);
      ops.set(x, i, at + H);
      double above = loss.of();
      ops.set(x, i, at - H);
      double below = loss.of();
      ops.set(x, i, at);
      double slope = (above - below) / (2 * H);
      double found = ops.value(gradient, i);
      assertEquals(slope, found, LIMIT * Math.max(1, Math.abs(slope)), gradient + " at " + i);
    }
  }

  private double dot(Buffer a, Buffer b) {
    double sum = 0;
    for (int i = 0; i < a.length(); i++) {
      sum += ops.value(a, i) * ops.value(b, i);
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void linearAndTheActivationBelow(Activation below) {
    int B = 5;
    int I = 4;
    int O = 3;
    Buffer z = values("z", B * I); // before the activation below
    Buffer identity = empty("identity", I * I);
    for (int i = 0; i < I; i++) {
      ops.set(identity, i * I + i, 1);
    }
    Buffer zero = empty("zero", I);
    Buffer x = empty("x", B * I);
    Buffer w = values("w", O * I);
    Buffer b = values("b", O);
    Buffer y = empty("y", B * O);
    Buffer dy = values("dy", B * O);
    Loss loss =
        () -> {
          ops.linearForward(x, z, identity, zero, B, I, I, below);
          ops.linearForward(y, x, w, b, B, I, O, Activation.NONE);
          return dot(dy, y);
        };
    loss.of();
    Buffer dz = empty("dz", B * I);
    Buffer dw = empty("dw", O * I);
    Buffer db = empty("db", O);
    ops.linearBackward(new LayerGradients(Optional.of(dz), dw, db), dy, x, w, B, I, O, below);
    check(loss, z, dz);
    check(loss, w, dw);
    check(loss, b, db);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activationAlone(Activation activation) {
    int n = 9;
    Buffer z = values("z", n);
    Buffer one = empty("one", 1);
    ops.set(one, 0, 1);
    Buffer zero = empty("zero", 1);
    Buffer y = empty("y", n);
    Buffer dy = values("dy", n);
    Loss loss =
        () -> {
          ops.linearForward(y, z, one, zero, n, 1, 1, activation);
          return dot(dy, y);
        };
    loss.of();
    Buffer dz = empty("dz", n);
    ops.activationBackward(dz, dy, y, n, activation);
    check(loss, z, dz);
  }

  private static Targets targets(Buffer y) {
    return new Targets(y, Optional.empty());
  }

  /** The loss alone, without a gradient. */
  private static LossOutputs loss(Buffer log, Buffer losses) {
    return new LossOutputs(Optional.empty(), log, losses);
  }

  /** An example's weight multiplies its loss and its gradient; a weight of 0 leaves it out. */
  @ParameterizedTest
  @CsvSource({"1, 2, 0", "5, 10, 0", "5, 4, 0.1"})
  void weightedCrossEntropy(int B, int C, float smoothing) {
    Buffer x = values("x", B * C);
    Buffer y = integers("y", random.ints(B, 0, C).toArray());
    Buffer weights = empty("weights", B);
    for (int b = 0; b < B; b++) {
      ops.set(weights, b, 0.5 * b);
    }
    var targets = new Targets(y, Optional.of(weights));
    Buffer step = integers("step", 1);
    Buffer log = empty("log", 2);
    Buffer losses = empty("losses", 2 * B);
    Buffer dx = empty("dx", B * C);
    Loss loss =
        () -> {
          ops.crossEntropyForward(
              loss(log, losses), x, targets, step, Optional.empty(), B, C, smoothing);
          return ops.value(log, 0) / B;
        };
    var outputs = new LossOutputs(Optional.of(dx), log, losses);
    ops.crossEntropyForward(outputs, x, targets, step, Optional.empty(), B, C, smoothing);
    check(loss, x, dx);
    double weighted = 0;
    ops.crossEntropyForward(
        loss(log, losses), x, targets(y), step, Optional.empty(), B, C, smoothing);
    for (int b = 0; b < B; b++) {
      weighted += 0.5 * b * ops.value(losses, b);
    }
    double right = ops.value(log, 1);
    ops.crossEntropyForward(loss(log, losses), x, targets, step, Optional.empty(), B, C, smoothing);
    assertEquals(weighted, ops.value(log, 0), 1e-12);
    assertEquals(right, ops.value(log, 1), "right answers are counted without weights");
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 0", "4, 10, 0", "3, 1, 0", "4, 10, 0.1", "2, 3, 0.75", "3, 1, 0.1"})
  void crossEntropy(int B, int C, float smoothing) {
    Buffer x = values("x", B * C);
    Buffer y = integers("y", random.ints(B, 0, C).toArray());
    Buffer step = integers("step", 1);
    Buffer log = empty("log", 2);
    Buffer losses = empty("losses", 2 * B);
    Buffer dx = empty("dx", B * C);
    Loss loss =
        () -> {
          ops.crossEntropyForward(
              loss(log, losses), x, targets(y), step, Optional.empty(), B, C, smoothing);
          return ops.value(log, 0) / B;
        };
    var outputs = new LossOutputs(Optional.of(dx), log, losses);
    ops.crossEntropyForward(outputs, x, targets(y), step, Optional.empty(), B, C, smoothing);
    check(loss, x, dx);
  }

  @Test
  void dropoutIsItsOwnGradient() {
    int n = 50;
    Buffer x = values("x", n);
    Buffer y = empty("y", n);
    Buffer dy = values("dy", n);
    Buffer step = integers("step", 3);
    Loss loss =
        () -> {
          ops.dropoutForward(y, x, step, n, 0.4f, 1, 99);
          return dot(dy, y);
        };
    Buffer dx = empty("dx", n);
    ops.dropoutForward(dx, dy, step, n, 0.4f, 1, 99);
    check(loss, x, dx);
  }

  @Test
  void theLossIsTheLogSoftmaxOfTheRightClass() {
    int B = 6;
    int C = 5;
    Buffer x = values("x", B * C);
    int[] classes = random.ints(B, 0, C).toArray();
    Buffer y = integers("y", classes);
    Buffer log = empty("log", 2);
    Buffer probabilities = empty("log-softmax", B * C);
    Buffer losses = empty("losses", 2 * B);
    Buffer step = integers("step", 1);
    ops.crossEntropyForward(loss(log, losses), x, targets(y), step, Optional.empty(), B, C, 0);
    ops.logSoftmaxForward(probabilities, x, B, C);
    double expected = 0;
    for (int r = 0; r < B; r++) {
      expected -= ops.value(probabilities, r * C + classes[r]);
      double sum = 0;
      for (int c = 0; c < C; c++) {
        sum += Math.exp(ops.value(probabilities, r * C + c));
      }
      assertEquals(1, sum, 1e-12, "probabilities of row " + r);
    }
    assertEquals(expected, ops.value(log, 0), 1e-12);
  }

  /** Smoothing mixes the losses against all classes into the loss, each by the same share. */
  @Test
  void smoothingIsAMixtureOfLosses() {
    int C = 4;
    float smoothing = 0.2f;
    Buffer x = values("x", C);
    Buffer step = integers("step", 1);
    Buffer log = empty("log", 2);
    Buffer losses = empty("losses", 2);
    double[] each = new double[C];
    double mean = 0;
    for (int c = 0; c < C; c++) {
      Buffer y = integers("y" + c, c);
      ops.crossEntropyForward(loss(log, losses), x, targets(y), step, Optional.empty(), 1, C, 0);
      each[c] = ops.value(losses, 0);
      mean += each[c] / C;
    }
    Buffer y = integers("y", 1);
    ops.crossEntropyForward(
        loss(log, losses), x, targets(y), step, Optional.empty(), 1, C, smoothing);
    assertEquals((1.0 - smoothing) * each[1] + smoothing * mean, ops.value(losses, 0), 1e-12);
  }
}
