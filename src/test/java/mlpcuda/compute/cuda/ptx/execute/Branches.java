package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Control;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/** Branches and exits. */
public final class Branches {
  private Branches() {}

  /** bra. */
  public static final class Branch extends Control {
    private final int target;
    private final boolean uniform;

    public Branch(Statement statement, int target, boolean uniform) {
      super(statement);
      this.target = target;
      this.uniform = uniform;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int taken = guarded(warp, mask);
      int others = mask & ~taken;
      if (uniform && taken != 0 && others != 0) {
        throw warp.fault(pc, Integer.numberOfTrailingZeros(others), "goes another way than others");
      }
      if (taken != 0) {
        warp.go(target, taken);
      }
      if (others != 0) {
        warp.go(pc + 1, others);
      }
    }
  }

  /** brx.idx: a branch to one of a list of labels. */
  public static final class Indexed extends Control {
    private final int index;
    private final int[] targets;

    public Indexed(Statement statement, int index, int[] targets) {
      super(statement);
      this.index = index;
      this.targets = targets;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int taken = guarded(warp, mask);
      for (int m = taken; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int i = (int) warp.registers[index][lane];
        if (i < 0 || i >= targets.length) {
          throw warp.fault(pc, lane, "index " + i + " of " + targets.length + " targets");
        }
        warp.go(targets[i], 1 << lane);
      }
      if (mask != taken) {
        warp.go(pc + 1, mask & ~taken);
      }
    }
  }

  /** ret and exit. */
  public static final class Exit extends Control {
    public Exit(Statement statement) {
      super(statement);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int taken = guarded(warp, mask);
      warp.exit(taken);
      if (mask != taken) {
        warp.go(pc + 1, mask & ~taken);
      }
    }
  }
}
