package mlpcuda.compute.cpu;

import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;

/**
 * The inner loops of {@link CpuOps}, over the first {@code n} floats of heap arrays: each a small
 * static method, so that the JIT compiler sees one simple loop and vectorises it.
 */
final class ArrayMath {
  private static final int CACHE_LINE = 64; // bytes

  /** The size below which {@link #settled} takes a number for 0. */
  private static final float TINY = 0x1p-100f;

  private ArrayMath() {}

  /**
   * Brings {@code n} bytes into the cache: memory answers these reads side by side, where those of
   * {@link #look} wait for one another.
   *
   * @return some number that depends on all reads
   */
  static int fetch(byte[] bytes, int from, int n) {
    int sum = 0;
    for (int i = 0; i < n; i += CACHE_LINE) {
      sum += bytes[from + i];
    }
    return sum;
  }

  /** row = table[pixel] for each of {@code n} pixels. */
  static void look(float[] row, float[] table, byte[] pixels, int from, int n) {
    for (int i = 0; i < n; i++) {
      row[i] = table[pixels[from + i] & 0xFF];
    }
  }

  /** row = table[pixel] for each of the first {@code n} pixels of an order. */
  static void look(float[] row, float[] table, byte[] pixels, int from, int[] order, int n) {
    for (int i = 0; i < n; i++) {
      row[i] = table[pixels[from + order[i]] & 0xFF];
    }
  }

  /** sum += x. */
  static void add(float[] sum, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] += x[i];
    }
  }

  /** sum += x · factor. */
  static void add(float[] sum, float[] x, float factor, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] += x[i] * factor;
    }
  }

  /** y = activation(y). */
  static void activate(float[] y, int n, Activation activation) {
    switch (activation) {
      case NONE -> {}
      case RELU -> relu(y, n);
      case SIGMOID -> sigmoid(y, n);
      case TANH -> tanh(y, n, 1, 1);
      case LECUN_TANH -> tanh(y, n, Activation.LECUN_SLOPE, Activation.LECUN_SCALE);
    }
  }

  private static void relu(float[] y, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = Math.max(y[i], 0f); // keeps NaN, where a comparison would hide it
    }
  }

  /**
   * y = σ(y). A result below the smallest normal number becomes 0: an x86 processor multiplies
   * subnormal numbers many times more slowly, and a layer whose units are all switched off has
   * little else.
   */
  private static void sigmoid(float[] y, int n) {
    for (int i = 0; i < n; i++) {
      float value = (float) (1 / (1 + Math.exp(-y[i])));
      y[i] = value < Float.MIN_NORMAL ? 0 : value;
    }
  }

  /** y = scale · tanh(slope · y). */
  private static void tanh(float[] y, int n, double slope, double scale) {
    for (int i = 0; i < n; i++) {
      double z = slope * y[i];
      // Near 0 the quotient loses digits that Math.tanh keeps; elsewhere exp is much faster.
      y[i] = (float) (scale * (Math.abs(z) < 1e-3 ? Math.tanh(z) : 1 - 2 / (Math.exp(2 * z) + 1)));
    }
  }

  /**
   * d = {@link #settled}(d · activation′), from the activation's output y; RELU has {@link
   * #keepWherePositive}.
   */
  static void differentiate(float[] d, float[] y, int n, Activation activation) {
    switch (activation) {
      case NONE -> {}
      case SIGMOID -> sigmoidBackward(d, y, n);
      case TANH -> tanhBackward(d, y, n);
      case LECUN_TANH -> lecunTanhBackward(d, y, n);
      case RELU -> throw new IllegalArgumentException("RELU: see keepWherePositive");
    }
  }

  /**
   * d = d where y > 0, else 0, on the bits of floats: C2 vectorises integer masks and, before JDK
   * 25, no choice between floats.
   */
  static void keepWherePositive(int[] d, int[] y, int n) {
    for (int i = 0; i < n; i++) {
      d[i] &= (-y[i] & ~y[i]) >> 31; // −0.0 has the sign bit in both
    }
  }

  private static void sigmoidBackward(float[] d, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      d[i] = settled(d[i] * (y[i] * (1 - y[i])));
    }
  }

  private static void tanhBackward(float[] d, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      d[i] = settled(d[i] * (1 - y[i] * y[i]));
    }
  }

  private static void lecunTanhBackward(float[] d, float[] y, int n) {
    float scale = Activation.LECUN_SCALE;
    float factor = Activation.LECUN_SLOPE / scale;
    for (int i = 0; i < n; i++) {
      // The product of both differences is exactly 0 where y is at an end.
      d[i] = settled(d[i] * (factor * ((scale - y[i]) * (scale + y[i]))));
    }
  }

  /** Index of the largest value, the first of equals. */
  static int largest(float[] x, int n) {
    int largest = 0;
    for (int i = 1; i < n; i++) {
      if (x[i] > x[largest]) {
        largest = i;
      }
    }
    return largest;
  }

  /** Sets e = exp(x − max), which cannot overflow, and returns the sum of e. */
  static double exponentials(double[] e, float[] x, int n, float max) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      e[i] = Math.exp(x[i] - (double) max);
      sum += e[i];
    }
    return sum;
  }

  /** Σ (max − x). */
  static double distances(float[] x, int n, float max) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += max - (double) x[i];
    }
    return sum;
  }

  /**
   * d = (e / sum − target) / B, where target = (1 − smoothing) · one-hot(label) + smoothing / n. A
   * class that is as good as ruled out has a gradient of 0, because the products of smaller numbers
   * are subnormal: see {@link #settled}.
   */
  static void softmaxGradient(
      float[] d, double[] e, int n, int label, double sum, int B, float smoothing) {
    double others = (double) smoothing / n;
    double its = 1.0 - smoothing + others;
    for (int i = 0; i < n; i++) {
      float gradient = (float) ((e[i] / sum - (i == label ? its : others)) / B);
      d[i] = Math.abs(gradient) < TINY ? 0 : gradient;
    }
  }

  /** Rounds each x as an operand of that precision. */
  static void round(float[] x, int n, Precision precision) {
    for (int i = 0; i < n; i++) {
      x[i] = precision.round(x[i]);
    }
  }

  /** x = x · factor. */
  static void scale(float[] x, float factor, int n) {
    for (int i = 0; i < n; i++) {
      x[i] *= factor;
    }
  }

  /** x = x · factor + shift. */
  static void scale(float[] x, float factor, float shift, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = x[i] * factor + shift;
    }
  }

  /** x = (x − centre) · factor, element by element. */
  static void scale(float[] x, float[] centre, float[] factor, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = (x[i] - centre[i]) * factor[i];
    }
  }

  /** x += (target − x) · factor. */
  static void approach(float[] x, float[] target, float factor, int n) {
    for (int i = 0; i < n; i++) {
      x[i] += (target[i] - x[i]) * factor;
    }
  }

  /** Σ x², by four sums: the additions to a single one would wait for one another. */
  static double squares(float[] x, int n) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 3 < n; i += 4) {
      a += (double) x[i] * x[i];
      b += (double) x[i + 1] * x[i + 1];
      c += (double) x[i + 2] * x[i + 2];
      d += (double) x[i + 3] * x[i + 3];
    }
    for (; i < n; i++) {
      a += (double) x[i] * x[i];
    }
    return (a + b) + (c + d);
  }

  /**
   * x, drawn to 0 by 2⁻¹⁰⁰: numbers below it become 0, and those above 2⁻⁷⁶ stay what they are.
   *
   * <p>A moving average whose gradients end, as those of a unit do that is switched off, halves
   * every few steps until it is subnormal, and rounding keeps it there. An x86 processor takes ten
   * times as long for a step with such numbers. C2 vectorises minima and maxima and, before JDK 25,
   * no choice between floats.
   */
  private static float settled(float x) {
    return (Math.max(x, TINY) - TINY) + (Math.min(x, -TINY) + TINY);
  }

  /** One step of stochastic gradient descent. */
  static void descend(
      float[] w, float[] velocity, float[] dw, float rate, int n, SgdSettings settings) {
    float momentum = (float) settings.momentum();
    float decay = (float) settings.weightDecay();
    if (settings.nesterov()) {
      nesterov(w, velocity, dw, rate, n, momentum, decay);
    } else {
      descend(w, velocity, dw, rate, n, momentum, decay);
    }
  }

  private static void descend(
      float[] w, float[] velocity, float[] dw, float rate, int n, float momentum, float decay) {
    for (int i = 0; i < n; i++) {
      float v = settled(momentum * velocity[i] + (dw[i] + decay * w[i]));
      velocity[i] = v;
      w[i] -= rate * v;
    }
  }

  private static void nesterov(
      float[] w, float[] velocity, float[] dw, float rate, int n, float momentum, float decay) {
    for (int i = 0; i < n; i++) {
      float g = dw[i] + decay * w[i];
      float v = settled(momentum * velocity[i] + g);
      velocity[i] = v;
      w[i] -= rate * (g + momentum * v);
    }
  }

  /** One step of Adam. As in PyTorch, its scalars are computed in double, then rounded to float. */
  static final class Adam {
    private final float beta1;
    private final float oneMinusBeta1;
    private final float beta2;
    private final float oneMinusBeta2;
    private final float eps; // eps times the root of the second moment's correction
    private final float minusStepSize; // the step size, negated, times the same root
    private final float decay; // added to the gradient
    private final float shrink; // multiplies the weight

    Adam(AdamSettings settings, double rate, int step) {
      beta1 = (float) settings.beta1();
      oneMinusBeta1 = (float) (1 - settings.beta1());
      beta2 = (float) settings.beta2();
      oneMinusBeta2 = (float) (1 - settings.beta2());
      // PyTorch divides √v by this root; here the root multiplies both sides of the fraction, which
      // saves a division of each weight: most of a step's time goes into divisions and roots.
      double root = Math.sqrt(1 - Math.pow(settings.beta2(), step));
      eps = (float) (settings.eps() * root);
      minusStepSize = (float) (-rate * root / (1 - Math.pow(settings.beta1(), step)));
      decay = settings.decoupled() ? 0 : (float) settings.weightDecay();
      shrink = settings.decoupled() ? (float) (1 - rate * settings.weightDecay()) : 1;
    }

    void step(float[] w, float[] m, float[] v, float[] dw, int n) {
      for (int i = 0; i < n; i++) {
        float weight = w[i] * shrink;
        float g = dw[i] + decay * weight;
        float mean = settled(m[i] * beta1 + oneMinusBeta1 * g);
        float square = v[i] * beta2 + oneMinusBeta2 * g * g;
        square = Math.max(square, TINY) - TINY; // is settled as well, and never negative
        m[i] = mean;
        v[i] = square;
        w[i] = weight + minusStepSize * mean / ((float) Math.sqrt(square) + eps);
      }
    }
  }
}
