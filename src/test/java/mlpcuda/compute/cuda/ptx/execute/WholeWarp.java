package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;

/** What instructions have in common that a warp's 32 lanes execute together (.sync.aligned). */
final class WholeWarp {
  private WholeWarp() {}

  /**
   * Whether all lanes of the warp have come to an instruction. Where they have not, those that have
   * wait there for the others; where a guard excludes them all, they go on.
   */
  static boolean isHere(Instruction instruction, Warp warp, int pc, int mask) {
    int here = instruction.guarded(warp, mask);
    if (here == 0) {
      warp.go(pc + 1, mask);
      return false;
    }
    int lane = Integer.numberOfTrailingZeros(here);
    if (here != mask) {
      int other = Integer.numberOfTrailingZeros(mask & ~here);
      throw warp.fault(pc, lane, "needs the whole warp, but its guard excludes lane " + other);
    }
    if (here == -1) {
      return true;
    }
    int gone = ~here & ~warp.alive();
    if (gone != 0) {
      int other = Integer.numberOfTrailingZeros(gone);
      throw warp.fault(
          pc,
          lane,
          "needs the whole warp, but lane "
              + other
              + ((warp.present >> other & 1) == 0 ? " is no thread" : " has exited"));
    }
    warp.await(pc, here);
    return false;
  }
}
