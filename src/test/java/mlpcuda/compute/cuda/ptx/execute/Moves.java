package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/** mov between registers of other widths. */
public final class Moves {
  private Moves() {}

  /** Makes a register of {parts}, the first at the lower end. */
  public static final class Pack extends Instruction {
    private final int d;
    private final int[] parts;
    private final int bits;

    public Pack(Statement statement, int d, int[] parts, int bits) {
      super(statement);
      this.d = d;
      this.parts = parts;
      this.bits = bits;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      long ones = (1L << bits) - 1;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long value = 0;
        for (int i = 0; i < parts.length; i++) {
          value |= (warp.registers[parts[i]][lane] & ones) << i * bits;
        }
        warp.registers[d][lane] = value;
      }
    }
  }

  /** Splits a register into {parts}; a part of −1 is dropped. */
  public static final class Unpack extends Instruction {
    private final int[] parts;
    private final int a;
    private final int bits;

    public Unpack(Statement statement, int[] parts, int a, int bits) {
      super(statement);
      this.parts = parts;
      this.a = a;
      this.bits = bits;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long value = warp.registers[a][lane];
        for (int i = 0; i < parts.length; i++) {
          if (parts[i] >= 0) {
            warp.registers[parts[i]][lane] = value >>> i * bits;
          }
        }
      }
    }
  }
}
