package mlpcuda.compute.cuda.ptx;

/** Loads from global and shared memory. */
final class Loads {
  private Loads() {}

  /** ld.global. */
  static final class Global extends GlobalAccess {
    private final boolean constant;

    /** {@code constant} says that nobody writes there in this launch (.nc). */
    Global(Statement statement, Operands operands, boolean constant, Ordering ordering) {
      super(statement, operands, ordering);
      this.constant = constant;
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      Grid grid = warp.block.grid;
      if (grid != null && ordering != null) {
        warp.poll(pc);
      }
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        Allocation allocation = allocation(warp, pc, lane, address);
        checkAligned(warp, pc, lane, address);
        checkKnown(warp, pc, lane, address, allocation);
        int at = (int) (address - allocation.start);
        allocation.isRead = true;
        int inPage = at & Allocation.PAGE - 1;
        if (grid == null) {
          Shadow shadow = allocation.page(at);
          if (constant && !shadow.readConstant(inPage, bytes)) {
            throw fault(warp, pc, lane, address, "read-only, but written in the same launch");
          }
          if (!shadow.read(inPage, bytes, warp, lane)) {
            throw fault(warp, pc, lane, address, shadow.explain(inPage, bytes, warp, lane, false));
          }
        } else {
          GridPage page = allocation.page(at, grid);
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
  static final class Shared extends MemoryAccess {
    Shared(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      Shadow shadow = warp.block.sharedShadow;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        int at = checkShared(warp, pc, lane, address);
        if (!shadow.read(at, bytes, warp, lane)) {
          throw fault(warp, pc, lane, address, shadow.explain(at, bytes, warp, lane, false));
        }
        load(warp.block.shared, at, warp, lane);
      }
    }
  }

  /** prefetch.global: it changes nothing that a kernel can see, but has an address. */
  static final class Prefetch extends MemoryAccess {
    Prefetch(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        allocation(warp, pc, lane, address(warp, lane));
      }
    }
  }
}
