package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.machine.Control;
import mlpcuda.compute.cuda.ptx.machine.Grid;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.Causality;
import mlpcuda.compute.cuda.ptx.races.Ordering;

/** Shuffles and barriers. */
public final class Meetings {
  private Meetings() {}

  /** shfl.sync: a value of another lane. */
  public static final class Shuffle extends Meeting {
    private final String mode;
    private final int d;
    private final int p;
    private final int a;
    private final int b;
    private final int c;

    /**
     * {@code p} is the predicate that says whether the other lane was in range; −1: none is wanted.
     */
    public Shuffle(Statement statement, String mode, int d, int p, int[] sources) {
      super(statement, sources[3]);
      this.mode = mode;
      this.d = d;
      this.p = p;
      this.a = sources[0];
      this.b = sources[1];
      this.c = sources[2];
    }

    @Override
    void meet(Warp warp, int pc, int mask) {
      long[][] x = warp.registers;
      int inRange = 0;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int by = (int) x[b][lane] & 31;
        int clamp = (int) x[c][lane] & 31;
        int segment = (int) x[c][lane] >> 8 & 31;
        int last = lane & segment | clamp & ~segment;
        int from =
            switch (mode) {
              case "up" -> lane - by;
              case "down" -> lane + by;
              case "bfly" -> lane ^ by;
              default -> lane & segment | by & ~segment;
            };
        boolean valid = mode.equals("up") ? from >= last : from <= last;
        if (!valid) {
          from = lane;
        } else if (((int) x[members()][lane] >> from & 1) == 0) {
          throw warp.fault(pc, lane, "reads lane " + from + ", which is not in its mask");
        }
        inRange |= valid ? 1 << lane : 0;
        warp.scratch[lane] = x[a][from];
      }
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        x[d][lane] = warp.scratch[lane];
      }
      if (p >= 0) {
        warp.predicates[p] = warp.predicates[p] & ~mask | inRange & mask;
      }
    }
  }

  /** bar.warp.sync: accesses of its lanes to memory before it are seen by all of them after it. */
  public static final class WarpBarrier extends Meeting {
    public WarpBarrier(Statement statement, int members) {
      super(statement, members);
    }

    @Override
    void meet(Warp warp, int pc, int mask) {
      int first = (int) warp.registers[members()][Integer.numberOfTrailingZeros(mask)];
      warp.synchronizeLanes(first);
    }
  }

  /** bar.sync: waits for all threads of the block. */
  public static final class BlockBarrier extends Control {
    public BlockBarrier(Statement statement) {
      super(statement);
    }

    @Override
    public boolean isMeeting() {
      return true;
    }

    @Override
    public boolean isBlockBarrier() {
      return true;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      int here = guarded(warp, mask);
      if (here != mask) {
        warp.go(pc + 1, mask & ~here);
      }
      if (here != 0) {
        warp.await(pc, here);
      }
    }
  }

  /** activemask: the lanes that execute it together. */
  public static final class ActiveMask extends Instruction {
    private final int d;

    public ActiveMask(Statement statement, int d) {
      super(statement);
      this.d = d;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        warp.registers[d][Integer.numberOfTrailingZeros(m)] = mask;
      }
    }
  }

  /**
   * membar and fence: they change nothing in memory, since accesses take effect at once here. In a
   * cooperative launch they order accesses, see {@link Causality}; in others they order no race.
   */
  public static final class Fence extends Instruction {
    private final Ordering ordering;

    public Fence(Statement statement, Ordering ordering) {
      super(statement);
      this.ordering = ordering;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      Grid grid = warp.block.grid;
      for (int m = grid == null ? 0 : mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        grid.order.fence(warp.number * Lanes.COUNT + lane, ordering.beyondBlock());
      }
    }
  }

  /** nanosleep: others run in between anyway. */
  public static final class Sleep extends Instruction {
    public Sleep(Statement statement) {
      super(statement);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {}
  }
}
