package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.Ordering;

/** An access to global memory, with what loads, stores and atomic operations check alike. */
abstract class GlobalAccess extends MemoryAccess {
  /** What it orders; null for an ordinary access. */
  final Ordering ordering;

  GlobalAccess(Statement statement, Operands operands, Ordering ordering) {
    super(statement, operands);
    this.ordering = ordering;
  }

  /** An ordinary access whose bytes are no elements with a register each. */
  GlobalAccess(Statement statement, Address address, int bytes) {
    super(statement, address, bytes);
    this.ordering = null;
  }

  /** Fails unless all bytes that a lane reads were ever written. */
  final void checkKnown(Warp warp, int pc, int lane, long address, Allocation allocation) {
    checkKnown(warp, pc, lane, address, allocation, bytes);
  }

  /** Fails unless that many bytes, of the aligned access or the first of it, were ever written. */
  final void checkKnown(
      Warp warp, int pc, int lane, long address, Allocation allocation, int count) {
    int at = (int) (address - allocation.start);
    if (!allocation.isKnown(at, count)) {
      throw fault(
          warp,
          pc,
          lane,
          address,
          "byte "
              + allocation.firstUnknown(at, count)
              + " of the allocation of "
              + allocation.data.length
              + " bytes was never written");
    }
  }

  /** Fails if {@code race}, which says why an access is one, is not null. */
  final void check(Warp warp, int pc, int lane, long address, String race) {
    if (race != null) {
      throw fault(warp, pc, lane, address, race);
    }
  }

  /** The number of a lane's thread in a cooperative launch. */
  static int thread(Warp warp, int lane) {
    return warp.number * Lanes.COUNT + lane;
  }
}
