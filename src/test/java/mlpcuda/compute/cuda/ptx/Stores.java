package mlpcuda.compute.cuda.ptx;

/** Stores to global and shared memory. */
final class Stores {
  private Stores() {}

  /** A store, with the check of lanes that write the same bytes at once. */
  private abstract static class Store extends MemoryAccess {
    Store(Statement statement, Operands operands) {
      super(statement, operands);
    }

    /**
     * Notes a lane's write: it is refused if another thread accesses these bytes, but for a lane
     * that writes the same.
     */
    final void write(Shadow shadow, int at, Warp warp, int pc, int lane, int mask) {
      if (shadow.write(at, bytes, warp, lane)) {
        return;
      }
      long address = address(warp, lane);
      int other = shadow.laneThatWrote(at, bytes, warp);
      boolean same =
          other >= 0 && other < lane && (mask >> other & 1) != 0 && address(warp, other) == address;
      if (!same) {
        throw fault(warp, pc, lane, address, shadow.explain(at, bytes, warp, lane, true));
      }
      for (int element : elements) {
        if (differ(warp.registers[element][lane], warp.registers[element][other])) {
          throw fault(
              warp,
              pc,
              lane,
              address,
              "a race with " + warp.thread(other) + ", which writes another value at once");
        }
      }
    }
  }

  /** st.global. */
  static final class Global extends Store {
    Global(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        Allocation allocation = allocation(warp, pc, lane, address);
        checkAligned(warp, pc, lane, address);
        int at = (int) (address - allocation.start);
        allocation.setKnown(at, bytes);
        allocation.isWritten = true;
        Shadow shadow = allocation.page(at);
        int inPage = at & Allocation.PAGE - 1;
        if (shadow.isConstant(inPage, bytes)) {
          throw fault(warp, pc, lane, address, "which was read as read-only in the same launch");
        }
        write(shadow, inPage, warp, pc, lane, mask);
        store(allocation.data, at, warp, lane);
      }
    }
  }

  /** st.shared. */
  static final class Shared extends Store {
    Shared(Statement statement, Operands operands) {
      super(statement, operands);
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      BankConflicts conflicts = warp.block.launch.conflicts;
      if (conflicts != null) {
        conflicts.count(this, warp, mask);
      }
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int at = checkShared(warp, pc, lane, address(warp, lane));
        write(warp.block.sharedShadow, at, warp, pc, lane, mask);
        store(warp.block.shared, at, warp, lane);
      }
    }
  }
}
