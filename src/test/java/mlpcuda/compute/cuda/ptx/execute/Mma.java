package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.arithmetic.FloatOperations;
import mlpcuda.compute.cuda.ptx.arithmetic.NarrowFloats;
import mlpcuda.compute.cuda.ptx.machine.Control;
import mlpcuda.compute.cuda.ptx.machine.TensorCore;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/**
 * mma.sync: D = A B + C for a warp, where A has 16 rows, B 8 columns, and each lane holds a
 * fragment of each matrix.
 *
 * <p>The ISA leaves open in which order a tensor core sums and how it rounds on the way. Here an
 * element of C and the products, which are exact, are summed in double precision, and the sum is
 * rounded to float once. A GPU's result differs from that by some last bits.
 */
public final class Mma extends Control {
  private static final int COLUMNS = TensorCore.COLUMNS;

  /** The type of the elements of A and B. */
  public enum Multiplicand {
    /** The elements have a register each. */
    TF32(8),
    /** Two elements share a register, the first in the lower half. */
    BF16(16),
    /** Two elements share a register, the first in the lower half. */
    F16(16);

    /** The number of columns of A, and of rows of B. */
    final int depth;

    Multiplicand(int depth) {
      this.depth = depth;
    }
  }

  private final Multiplicand type;
  private final int[] d;
  private final int[] a;
  private final int[] b;
  private final int[] c;

  /** A product whose fragments are in those registers. */
  public Mma(Statement statement, Multiplicand type, int[] d, int[] a, int[] b, int[] c) {
    super(statement);
    this.type = type;
    this.d = d;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  @Override
  public boolean isMeeting() {
    return true;
  }

  @Override
  public void run(Warp warp, int pc, int mask) {
    if (!WholeWarp.isHere(this, warp, pc, mask)) {
      return;
    }
    TensorCore core = warp.block.tensorCore;
    if (type == Multiplicand.TF32) {
      checkTf32(warp, pc, 'a', a);
      checkTf32(warp, pc, 'b', b);
      readTf32(warp.registers, core.left, core.right);
    } else {
      readHalves(warp.registers, core.left, core.right);
    }
    readSum(warp.registers, core.sum);
    core.multiply(type.depth);
    writeSum(warp.registers, core.sum);
    warp.go(pc + 1, mask);
  }

  /**
   * Checks that a tf32 has zeros in the lower bits. A GPU takes any float for a tf32 and ignores
   * those bits, but the ISA does not say so: a kernel that relies on it has forgotten to convert,
   * and rounds to zero.
   */
  private static void checkTf32(Warp warp, int pc, char operand, int[] fragment) {
    for (int i = 0; i < fragment.length; i++) {
      long[] x = warp.registers[fragment[i]];
      long all = 0;
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        all |= x[lane];
      }
      for (int lane = 0; (all & NarrowFloats.BELOW_TF32) != 0; lane++) {
        if ((x[lane] & NarrowFloats.BELOW_TF32) != 0) {
          throw warp.fault(
              pc,
              lane,
              String.format(
                  "takes 0x%08x of lane %d as %c%d, which is no tf32 (cvt.rna.tf32.f32 makes one)",
                  (int) x[lane], lane, operand, i));
        }
      }
    }
  }

  /** Reads A and B, row by row. A fragment of A has rows 8 apart first, then columns 4 apart. */
  private void readTf32(long[][] x, double[] left, double[] right) {
    long[] a0 = x[a[0]];
    long[] a1 = x[a[1]];
    long[] a2 = x[a[2]];
    long[] a3 = x[a[3]];
    long[] b0 = x[b[0]];
    long[] b1 = x[b[1]];
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      int group = lane >> 2;
      int inGroup = lane & 3;
      int at = group * 8 + inGroup;
      left[at] = tf32(a0[lane]);
      left[at + 64] = tf32(a1[lane]);
      left[at + 4] = tf32(a2[lane]);
      left[at + 68] = tf32(a3[lane]);
      at = inGroup * COLUMNS + group;
      right[at] = tf32(b0[lane]);
      right[at + 4 * COLUMNS] = tf32(b1[lane]);
    }
  }

  private static double tf32(long bits) {
    return Float.intBitsToFloat((int) bits);
  }

  /** Reads A and B, row by row. A fragment of A has rows 8 apart first, then columns 8 apart. */
  private void readHalves(long[][] x, double[] left, double[] right) {
    long[] a0 = x[a[0]];
    long[] a1 = x[a[1]];
    long[] a2 = x[a[2]];
    long[] a3 = x[a[3]];
    long[] b0 = x[b[0]];
    long[] b1 = x[b[1]];
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      int group = lane >> 2;
      int inGroup = lane & 3;
      int at = group * 16 + 2 * inGroup;
      halves(a0[lane], left, at, 1);
      halves(a1[lane], left, at + 8 * 16, 1);
      halves(a2[lane], left, at + 8, 1);
      halves(a3[lane], left, at + 8 * 16 + 8, 1);
      at = 2 * inGroup * COLUMNS + group;
      halves(b0[lane], right, at, COLUMNS);
      halves(b1[lane], right, at + 8 * COLUMNS, COLUMNS);
    }
  }

  private void halves(long pair, double[] to, int at, int step) {
    int bits = (int) pair;
    if (type == Multiplicand.BF16) {
      to[at] = NarrowFloats.ofBrain(bits);
      to[at + step] = NarrowFloats.ofBrain(bits >>> 16);
    } else {
      to[at] = NarrowFloats.ofHalf(bits);
      to[at + step] = NarrowFloats.ofHalf(bits >>> 16);
    }
  }

  /** Reads C, row by row. A fragment has two columns, and the same 8 rows below. */
  private void readSum(long[][] x, double[] sum) {
    long[] c0 = x[c[0]];
    long[] c1 = x[c[1]];
    long[] c2 = x[c[2]];
    long[] c3 = x[c[3]];
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      int at = firstOfSum(lane);
      sum[at] = FloatOperations.value(c0[lane]);
      sum[at + 1] = FloatOperations.value(c1[lane]);
      sum[at + 8 * COLUMNS] = FloatOperations.value(c2[lane]);
      sum[at + 8 * COLUMNS + 1] = FloatOperations.value(c3[lane]);
    }
  }

  private void writeSum(long[][] x, double[] sum) {
    long[] d0 = x[d[0]];
    long[] d1 = x[d[1]];
    long[] d2 = x[d[2]];
    long[] d3 = x[d[3]];
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      int at = firstOfSum(lane);
      d0[lane] = FloatOperations.bits((float) sum[at]);
      d1[lane] = FloatOperations.bits((float) sum[at + 1]);
      d2[lane] = FloatOperations.bits((float) sum[at + 8 * COLUMNS]);
      d3[lane] = FloatOperations.bits((float) sum[at + 8 * COLUMNS + 1]);
    }
  }

  private static int firstOfSum(int lane) {
    return (lane >> 2) * COLUMNS + 2 * (lane & 3);
  }
}
