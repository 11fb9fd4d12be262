package mlpcuda.compute.cuda.ptx.races;

import mlpcuda.compute.cuda.ptx.Lanes;

/**
 * Accesses by many threads to a unit of memory: for each warp the lanes that accessed it last, and
 * when. Lanes of a warp that nothing orders count as accessing at the last one's time.
 */
final class AccessSet {
  private final Causality order;
  private int[] lanes;
  private int[] times;
  private int[] pcs;

  AccessSet(Causality order) {
    this.order = order;
  }

  AccessSet copy() {
    AccessSet copy = new AccessSet(order);
    if (lanes != null) {
      copy.lanes = lanes.clone();
      copy.times = times.clone();
      copy.pcs = pcs.clone();
    }
    return copy;
  }

  /** Adds an access; earlier ones of the warp that come before it are forgotten. */
  void add(long stamp) {
    if (lanes == null) {
      int warps = order.threads() / Lanes.COUNT;
      lanes = new int[warps];
      times = new int[warps];
      pcs = new int[warps];
    }
    int thread = Causality.thread(stamp);
    int warp = thread / Lanes.COUNT;
    int time = Causality.time(stamp);
    if (times[warp] != time && allBefore(warp, thread)) {
      lanes[warp] = 0;
    }
    lanes[warp] |= 1 << thread % Lanes.COUNT;
    times[warp] = time;
    pcs[warp] = Causality.pc(stamp);
  }

  private boolean allBefore(int warp, int thread) {
    return unordered(warp, thread) < 0;
  }

  /** The first thread of a warp whose access does not come before what {@code thread} does now. */
  private int unordered(int warp, int thread) {
    for (int m = lanes[warp]; m != 0; m &= m - 1) {
      int other = warp * Lanes.COUNT + Integer.numberOfTrailingZeros(m);
      if (!order.isBefore(other, times[warp], thread)) {
        return other;
      }
    }
    return -1;
  }

  /**
   * The stamp of an access that does not come before what a thread does now; 0 if there is none.
   *
   * @param ofOtherBlocks whether accesses of the thread's own block do not count
   */
  long unordered(int thread, boolean ofOtherBlocks) {
    for (int warp = 0; lanes != null && warp < lanes.length; warp++) {
      boolean counts = !ofOtherBlocks || order.block(warp * Lanes.COUNT) != order.block(thread);
      int other = counts ? unordered(warp, thread) : -1;
      if (other >= 0) {
        return Causality.stamp(times[warp], other, pcs[warp]);
      }
    }
    return 0;
  }
}
