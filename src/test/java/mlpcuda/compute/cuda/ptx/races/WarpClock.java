package mlpcuda.compute.cuda.ptx.races;

import java.util.Arrays;
import mlpcuda.compute.cuda.ptx.Lanes;

/**
 * The time of a warp of an ordinary launch, and which earlier accesses come before what it does
 * now. All times are stamps of {@link Shadow}.
 */
public final class WarpClock {
  /** The warp's number in its block. */
  final int warp;

  /** The current epoch. */
  int now;

  /** The stamp below which accesses are of other blocks. */
  int startedAt;

  /** The stamp below which accesses came before the block's last barrier. */
  int blockSynchronizedBelow;

  /** The stamp below which accesses came before the last bar.warp.sync of the whole warp. */
  int synchronizedBelow;

  /**
   * For each lane the stamp below which accesses came before its last bar.warp.sync with some
   * lanes.
   */
  final int[] partSynchronizedBelow = new int[Lanes.COUNT];

  /** For each lane the lanes of that bar.warp.sync, itself among them. */
  final int[] partMembers = new int[Lanes.COUNT];

  /** {@code warp} is the warp's number in its block. */
  public WarpClock(int warp) {
    this.warp = warp;
  }

  /** Forgets the barriers of an earlier block. */
  public void start() {
    synchronizedBelow = 0;
    Arrays.fill(partMembers, 0);
  }

  /**
   * Sets the time when the warp goes on.
   *
   * @param stamp the current epoch
   * @param blockStartedAt the stamp at which its block started
   * @param lastBarrier the stamp at which its block's last barrier was passed
   */
  public void goOn(int stamp, int blockStartedAt, int lastBarrier) {
    now = stamp;
    startedAt = blockStartedAt;
    blockSynchronizedBelow = lastBarrier;
  }

  /** All lanes of the warp pass a bar.warp.sync, with which the epoch {@code stamp} begins. */
  public void synchronize(int stamp) {
    now = stamp;
    synchronizedBelow = stamp;
  }

  /** The lanes of a mask pass a bar.warp.sync, with which the epoch {@code stamp} begins. */
  public void synchronize(int stamp, int lanes) {
    now = stamp;
    for (int m = lanes; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      partMembers[lane] = lanes;
      partSynchronizedBelow[lane] = stamp;
    }
  }
}
