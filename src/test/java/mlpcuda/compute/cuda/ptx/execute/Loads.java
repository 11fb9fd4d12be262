package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Grid;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.GridPage;
import mlpcuda.compute.cuda.ptx.races.Ordering;
import mlpcuda.compute.cuda.ptx.races.Shadow;
import mlpcuda.compute.cuda.ptx.races.WarpClock;

/** Loads from global and shared memory. */
public final class Loads {
  private Loads() {}

  /** ld.global. */
  public static final class Global extends GlobalAccess {
    private final boolean constant;

    /** {@code constant} says that nobody writes there in this launch (.nc). */
    public Global(Statement statement, Operands operands, boolean constant, Ordering ordering) {
      super(statement, operands, ordering);
      this.constant = constant;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      Grid grid = warp.block.grid;
      if (grid != null && ordering != null) {
        warp.poll(pc);
      }
      WarpClock clock = warp.clock;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        Allocation allocation = allocation(warp, pc, lane, address);
        checkAligned(warp, pc, lane, address);
        checkKnown(warp, pc, lane, address, allocation);
        int at = (int) (address - allocation.start);
        allocation.isRead = true;
        int inPage = at & Shadow.PAGE - 1;
        if (grid == null) {
          Shadow shadow = allocation.page(at);
          if (constant && !shadow.readConstant(inPage, bytes)) {
            throw fault(warp, pc, lane, address, "read-only, but written in the same launch");
          }
          if (!shadow.read(inPage, bytes, clock, lane)) {
            throw fault(warp, pc, lane, address, explain(shadow, inPage, warp, lane, false));
          }
        } else {
          GridPage page = allocation.page(at, grid.order);
          int thread = thread(warp, lane);
          String race =
              constant
                  ? page.readConstant(inPage, bytes)
                  : ordering == null
                      ? page.read(inPage, bytes, thread, pc)
                      : page.readStrongly(inPage, bytes, thread, pc, ordering);
          check(warp, pc, lane, address, race);
        }
        load(allocation.data, at, warp, lane);
      }
    }
  }

  /** ld.shared. */
  public static final class Shared extends MemoryAccess {
    public Shared(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      countBankConflicts(warp, mask);
      Shadow shadow = warp.block.sharedShadow;
      WarpClock clock = warp.clock;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        int at = checkShared(warp, pc, lane, address);
        if (!shadow.read(at, bytes, clock, lane)) {
          throw fault(warp, pc, lane, address, explain(shadow, at, warp, lane, false));
        }
        load(warp.block.shared, at, warp, lane);
      }
    }
  }

  /** ld.param of a structure, which may be at an address in a register. */
  public static final class Parameter extends MemoryAccess {
    /** The bits of an address below the number of its parameter. */
    private static final int PLACE_BITS = 32;

    public Parameter(Statement statement, Operands operands) {
      super(statement, operands);
    }

    /** The address of a structure. */
    public static long address(int parameter) {
      return parameter + 1L << PLACE_BITS;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        byte[] structure = warp.block.launch.structure((int) (address >>> PLACE_BITS) - 1);
        int at = (int) address;
        if (structure == null || at < 0 || at > structure.length - bytes) {
          throw fault(warp, pc, lane, address, "outside all parameters");
        }
        checkAligned(warp, pc, lane, at);
        load(structure, at, warp, lane);
      }
    }
  }

  /** prefetch.global: it changes nothing that a kernel can see, but has an address. */
  public static final class Prefetch extends MemoryAccess {
    public Prefetch(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        allocation(warp, pc, lane, address(warp, lane));
      }
    }
  }
}
