package mlpcuda.compute.cuda.ptx.execute;

import mlpcuda.compute.cuda.ptx.machine.Control;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.parse.Statement;

/**
 * An instruction that the lanes of a warp that a mask names execute together: lanes that come first
 * wait for the others.
 */
abstract class Meeting extends Control {
  private final int members;

  /** {@code members}: the register with the mask. */
  Meeting(Statement statement, int members) {
    super(statement);
    this.members = members;
  }

  /** The register with the mask of members. */
  final int members() {
    return members;
  }

  /** Executes for the lanes of {@code mask}, which has all the lanes that each must meet. */
  abstract void meet(Warp warp, int pc, int mask);

  @Override
  public final boolean isMeeting() {
    return true;
  }

  @Override
  public final void run(Warp warp, int pc, int mask) {
    int here = guarded(warp, mask);
    if (here != mask) {
      warp.go(pc + 1, mask & ~here);
    }
    if (here == 0) {
      return;
    }
    long[] named = warp.registers[members];
    int missing = 0;
    for (int m = here; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      int mine = (int) named[lane];
      if ((mine >> lane & 1) == 0) {
        throw warp.fault(pc, lane, "executes it with a mask without itself: " + hex(mine));
      }
      if ((mine & ~warp.alive()) != 0) {
        int other = Integer.numberOfTrailingZeros(mine & ~warp.alive());
        throw warp.fault(
            pc,
            lane,
            "names in its mask "
                + hex(mine)
                + " lane "
                + other
                + ((warp.present >> other & 1) == 0
                    ? ", which is no thread"
                    : ", which has exited"));
      }
      missing |= mine & ~here;
    }
    if (missing != 0) {
      warp.await(pc, here);
      return;
    }
    checkSame(warp, pc, here, named);
    meet(warp, pc, here);
    warp.go(pc + 1, here);
  }

  private static void checkSame(Warp warp, int pc, int here, long[] named) {
    for (int m = here; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      for (int n = (int) named[lane]; n != 0; n &= n - 1) {
        int other = Integer.numberOfTrailingZeros(n);
        if ((int) named[other] != (int) named[lane]) {
          throw warp.fault(
              pc,
              lane,
              "names lane "
                  + other
                  + " in its mask "
                  + hex((int) named[lane])
                  + ", which has mask "
                  + hex((int) named[other]));
        }
      }
    }
  }

  static String hex(int mask) {
    return String.format("0x%08x", mask);
  }
}
