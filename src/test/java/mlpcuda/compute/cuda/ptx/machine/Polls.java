package mlpcuda.compute.cuda.ptx.machine;

import mlpcuda.compute.cuda.ptx.Lanes;

/**
 * Finds lanes that loop without effect until another thread changes memory: they come to a strong
 * load with the same registers as before, while no strong write has changed global memory since.
 *
 * <p>A state is kept and compared with all later ones; after 1, 2, 4, 8, … loads the newest takes
 * its place, so that a loop of any number of loads is found (Brent's cycle detection).
 */
final class Polls {
  private static final class Kept {
    int pc;
    int mask;
    long state;
    long version;
    int loads;
    int until;
  }

  private final Kept[] byFirstLane = new Kept[Lanes.COUNT];

  /**
   * Whether these lanes have been at this load in the same state.
   *
   * @param version the number of changes of global memory by strong writes so far
   */
  boolean repeats(Warp warp, int pc, int mask, long version) {
    int first = Integer.numberOfTrailingZeros(mask);
    Kept kept = byFirstLane[first];
    if (kept == null) {
      kept = new Kept();
      byFirstLane[first] = kept;
    }
    long state = state(warp, mask);
    if (kept.version == version && kept.loads > 0) {
      if (kept.pc == pc && kept.mask == mask && kept.state == state) {
        return true;
      }
      if (++kept.loads < kept.until) {
        return false;
      }
    } else {
      kept.until = 1;
    }
    kept.pc = pc;
    kept.mask = mask;
    kept.state = state;
    kept.version = version;
    kept.loads = 1;
    kept.until *= 2;
    return false;
  }

  private static long state(Warp warp, int mask) {
    long hash = 0;
    for (long[] register : warp.registers) {
      for (int m = mask; m != 0; m &= m - 1) {
        hash = (hash ^ register[Integer.numberOfTrailingZeros(m)]) * 0x9e3779b97f4a7c15L;
        hash ^= hash >>> 29;
      }
    }
    for (int predicate : warp.predicates) {
      hash = (hash ^ predicate & mask) * 0x9e3779b97f4a7c15L;
      hash ^= hash >>> 29;
    }
    return hash;
  }
}
