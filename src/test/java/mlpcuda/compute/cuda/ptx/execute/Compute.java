package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/** An instruction that computes a register from others. */
public final class Compute extends Instruction {
  private final Lanes operation;
  private final int d;
  private final int a;
  private final int b;
  private final int c;

  public Compute(Statement statement, Lanes operation, int d, int a, int b, int c) {
    super(statement);
    this.operation = operation;
    this.d = d;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  @Override
  public void run(Warp warp, int pc, int mask) {
    long[][] x = warp.registers;
    if (mask == -1) {
      operation.compute(x[d], x[a], x[b], x[c]);
    } else {
      operation.compute(warp.scratch, x[a], x[b], x[c]);
      merge(x[d], warp.scratch, mask);
    }
  }

  private static void merge(long[] to, long[] from, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      to[lane] = from[lane];
    }
  }
}
