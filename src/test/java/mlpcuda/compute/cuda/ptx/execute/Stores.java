package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Grid;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.GridPage;
import mlpcuda.compute.cuda.ptx.races.Ordering;
import mlpcuda.compute.cuda.ptx.races.Shadow;
import mlpcuda.compute.cuda.ptx.races.WarpClock;

/** Stores to global and shared memory. */
public final class Stores {
  private Stores() {}

  /** st.global. */
  public static final class Global extends GlobalAccess {
    public Global(Statement statement, Operands operands, Ordering ordering) {
      super(statement, operands, ordering);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      Grid grid = warp.block.grid;
      WarpClock clock = warp.clock;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        Allocation allocation = allocation(warp, pc, lane, address);
        checkAligned(warp, pc, lane, address);
        int at = (int) (address - allocation.start);
        allocation.setKnown(at, bytes);
        allocation.isWritten = true;
        int inPage = at & Shadow.PAGE - 1;
        if (grid == null) {
          Shadow shadow = allocation.page(at);
          if (shadow.isConstant(inPage, bytes)) {
            throw fault(warp, pc, lane, address, "which was read as read-only in the same launch");
          }
          if (!shadow.write(inPage, bytes, clock, lane)) {
            int other = shadow.laneThatWrote(inPage, bytes, clock);
            String race = explain(shadow, inPage, warp, lane, true);
            checkSame(warp, pc, lane, other, mask, race);
          }
        } else {
          writeTogether(warp, pc, lane, mask, allocation, at);
        }
        store(allocation.data, at, warp, lane);
      }
    }

    /** Checks a write of a cooperative launch. */
    private void writeTogether(
        Warp warp, int pc, int lane, int mask, Allocation allocation, int at) {
      Grid grid = warp.block.grid;
      GridPage page = allocation.page(at, grid.order);
      int inPage = at & Shadow.PAGE - 1;
      int thread = thread(warp, lane);
      if (ordering != null) {
        check(
            warp,
            pc,
            lane,
            address(warp, lane),
            page.writeStrongly(inPage, bytes, thread, pc, ordering, false));
        if (changes(allocation.data, at, warp, lane)) {
          grid.changed();
        }
      } else {
        String race = page.write(inPage, bytes, thread, pc);
        if (race != null) {
          checkSame(warp, pc, lane, page.laneThatWrote(inPage, bytes, warp.number), mask, race);
        }
      }
    }
  }

  /** st.shared. */
  public static final class Shared extends MemoryAccess {
    public Shared(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      countBankConflicts(warp, mask);
      WarpClock clock = warp.clock;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int at = checkShared(warp, pc, lane, address(warp, lane));
        Shadow shadow = warp.block.sharedShadow;
        if (!shadow.write(at, bytes, clock, lane)) {
          int other = shadow.laneThatWrote(at, bytes, clock);
          checkSame(warp, pc, lane, other, mask, explain(shadow, at, warp, lane, true));
        }
        store(warp.block.shared, at, warp, lane);
      }
    }
  }
}
