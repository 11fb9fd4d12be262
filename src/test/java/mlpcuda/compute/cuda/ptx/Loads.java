package mlpcuda.compute.cuda.ptx;

/** Loads from global and shared memory. */
final class Loads {
  private Loads() {}

  /** ld.global. */
  static final class Global extends MemoryAccess {
    private final boolean constant;

    /** {@code constant} says that nobody writes there in this launch (.nc). */
    Global(Statement statement, Operands operands, boolean constant) {
      super(statement, operands);
      this.constant = constant;
    }

    @Override
    void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long address = address(warp, lane);
        Allocation allocation = allocation(warp, pc, lane, address);
        checkAligned(warp, pc, lane, address);
        int at = (int) (address - allocation.start);
        if (!allocation.isKnown(at, bytes)) {
          throw fault(
              warp,
              pc,
              lane,
              address,
              "byte "
                  + allocation.firstUnknown(at, bytes)
                  + " of the allocation of "
                  + allocation.data.length
                  + " bytes was never written");
        }
        allocation.isRead = true;
        Shadow shadow = allocation.page(at);
        int inPage = at & Allocation.PAGE - 1;
        if (constant && !shadow.readConstant(inPage, bytes)) {
          throw fault(warp, pc, lane, address, "read-only, but written in the same launch");
        }
        if (!shadow.read(inPage, bytes, warp, lane)) {
          throw fault(warp, pc, lane, address, shadow.explain(inPage, bytes, warp, lane, false));
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
}
