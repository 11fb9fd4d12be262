package mlpcuda.conformance;

import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.Map;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Precision;
import mlpcuda.compute.cpu.ReferenceOps;

/**
 * The reference, which also counts how often the input of a ReLU is so close to 0 that FP32
 * arithmetic may find it on the other side. The output is as good as the same then, but the
 * gradient of its unit is there or not, and Adam makes a whole step of the smallest one: two right
 * devices part.
 *
 * <p>Where operands are rounded to fewer bits, the counter also knows which of them FP32 arithmetic
 * may find on the other side of a tie, as outputs of the layer before: these are a whole unit in
 * their last place apart then, and so may be the input of a ReLU behind them.
 */
public final class AmbiguousReluCounter extends ReferenceOps {
  /** The accuracy of sums in FP32, relative to the sum of a unit's terms without their signs. */
  private static final double CLOSE = 0x1p-21;

  /** The accuracy of a value in FP32 that is no sum, relative to the value. */
  private static final double ROUNDED = 0x1p-23;

  private long ambiguous;
  private final BitSet rows = new BitSet();

  /** How far from the reference's a right device's layer outputs may be, element by element. */
  private final Map<Buffer, double[]> apart = new IdentityHashMap<>();

  /** A counter in single precision. */
  public AmbiguousReluCounter() {
    this(Precision.FP32);
  }

  /** A counter with operands of products in that precision. */
  public AmbiguousReluCounter(Precision precision) {
    super(precision);
  }

  /** The number of ambiguous until now. */
  public long ambiguous() {
    return ambiguous;
  }

  /** The rows of a batch, from 0, that had a kink. */
  public BitSet rows() {
    return (BitSet) rows.clone();
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    super.linearForwardK(y, x, w, b, B, I, O, activation);
    boolean rounds = precision() != Precision.FP32;
    if (activation != Activation.RELU && !rounds) {
      return;
    }
    double steepest =
        activation == Activation.LECUN_TANH ? Activation.LECUN_SLOPE * Activation.LECUN_SCALE : 1;
    double[] yApart = rounds ? apart.computeIfAbsent(y, of -> new double[of.length()]) : null;
    for (int r = 0; r < B; r++) {
      double[] xApart = rounds ? operandsApart(x, r * I, I) : null;
      for (int o = 0; o < O; o++) {
        double z = value(b, o);
        double size = Math.abs(z);
        double ties = 0;
        for (int i = 0; i < I; i++) {
          double weight = operand(w, o * I + i);
          double term = operand(x, r * I + i) * weight;
          z += term;
          size += Math.abs(term);
          ties += rounds ? xApart[i] * Math.abs(weight) : 0;
        }
        double close = CLOSE * size + ties;
        if (activation == Activation.RELU && Math.abs(z) < close) {
          ambiguous++;
          rows.set(r);
        }
        if (rounds) {
          yApart[r * O + o] = steepest * close + ROUNDED * Math.abs(value(y, r * O + o));
        }
      }
    }
  }

  /** The most by which {@code n} elements from {@code from} on may differ as operands. */
  private double[] operandsApart(Buffer x, int from, int n) {
    double[] known = apart.get(x);
    double[] operands = new double[n];
    for (int i = 0; i < n; i++) {
      double value = value(x, from + i);
      double by = known == null ? ROUNDED * Math.abs(value) : known[from + i];
      float low = precision().round((float) (value - by));
      float high = precision().round((float) (value + by));
      operands[i] = low == high ? 0 : (double) high - low; // infinite ones are equal
    }
    return operands;
  }

  @Override
  protected void dropoutForwardK(
      Buffer y, Buffer x, Buffer step, int n, float rate, int layer, long seed) {
    double[] known = apart.get(x); // taken before the call, since y may be x
    super.dropoutForwardK(y, x, step, n, rate, layer, seed);
    if (known != null) {
      double[] yApart = apart.computeIfAbsent(y, of -> new double[of.length()]);
      for (int i = 0; i < n; i++) {
        double kept = value(y, i);
        yApart[i] = kept == 0 ? 0 : known[i] / (1.0 - rate) + ROUNDED * Math.abs(kept);
      }
    }
  }
}
