package mlpcuda.compute.cuda.ptx;

/** Stores to global and shared memory. */
final class Stores {
  private Stores() {}

  /** st.global. */
  static final class Global extends GlobalAccess {
    Global(Statement statement, Operands operands, Ordering ordering) {
      super(statement, operands, ordering);
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      Grid grid = warp.block.grid;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        Allocation allocation = allocation(warp, pc, lane, address);
        checkAligned(warp, pc, lane, address);
        int at = (int) (address - allocation.start);
        allocation.setKnown(at, bytes);
        allocation.isWritten = true;
        int inPage = at & Allocation.PAGE - 1;
        if (grid == null) {
          Shadow shadow = allocation.page(at);
          if (shadow.isConstant(inPage, bytes)) {
            throw fault(warp, pc, lane, address, "which was read as read-only in the same launch");
          }
          if (!shadow.write(inPage, bytes, warp, lane)) {
            int other = shadow.laneThatWrote(inPage, bytes, warp);
            String race = shadow.explain(inPage, bytes, warp, lane, true);
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
      GridPage page = allocation.page(at, grid);
      int inPage = at & Allocation.PAGE - 1;
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
          checkSame(warp, pc, lane, page.laneThatWrote(inPage, bytes, warp), mask, race);
        }
      }
    }
  }

  /** st.shared. */
  static final class Shared extends MemoryAccess {
    Shared(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int at = checkShared(warp, pc, lane, address(warp, lane));
        Shadow shadow = warp.block.sharedShadow;
        if (!shadow.write(at, bytes, warp, lane)) {
          int other = shadow.laneThatWrote(at, bytes, warp);
          checkSame(warp, pc, lane, other, mask, shadow.explain(at, bytes, warp, lane, true));
        }
        store(warp.block.shared, at, warp, lane);
      }
    }
  }
}
