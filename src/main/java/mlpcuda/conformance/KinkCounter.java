package mlpcuda.conformance;

import java.util.BitSet;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.cpu.ReferenceOps;

/**
 * The reference, which also counts how often the input of a ReLU is so close to 0 that FP32
 * arithmetic may find it on the other side. The output is as good as the same then, but the
 * gradient of its unit is there or not, and Adam makes a whole step of the smallest one: two right
 * devices part.
 */
public final class KinkCounter extends ReferenceOps {
  /** Of the sum of a unit's terms without their signs: what sums of FP32 are right to. */
  private static final double CLOSE = 0x1p-21;

  private long kinks;
  private final BitSet rows = new BitSet();

  /** How many there were until now. */
  public long kinks() {
    return kinks;
  }

  /** The rows of a batch, from 0, that had one. */
  public BitSet rows() {
    return (BitSet) rows.clone();
  }

  @Override
  protected void linearForwardK(
      Buffer y, Buffer x, Buffer w, Buffer b, int B, int I, int O, Activation activation) {
    super.linearForwardK(y, x, w, b, B, I, O, activation);
    if (activation != Activation.RELU) {
      return;
    }
    for (int r = 0; r < B; r++) {
      for (int o = 0; o < O; o++) {
        double z = value(b, o);
        double size = Math.abs(z);
        for (int i = 0; i < I; i++) {
          double term = value(x, r * I + i) * value(w, o * I + i);
          z += term;
          size += Math.abs(term);
        }
        if (Math.abs(z) < CLOSE * size) {
          kinks++;
          rows.set(r);
        }
      }
    }
  }
}
