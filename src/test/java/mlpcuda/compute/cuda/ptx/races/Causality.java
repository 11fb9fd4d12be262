package mlpcuda.compute.cuda.ptx.races;

import java.util.Arrays;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.Lanes;

/**
 * What each thread of a cooperative launch knows of all others: the causality order of PTX's memory
 * consistency model, by vector clocks.
 *
 * <p>Each block has a time, which its barriers and the releases of its threads advance. An access
 * has the time of its block as a stamp. A clock has for each thread of the grid the time below
 * which that thread's accesses come before whatever the clock's owner does from now on. Clocks are
 * never changed, since threads and cells of memory share them.
 *
 * @see <a href="https://docs.nvidia.com/cuda/parallel-thread-execution/#memory-consistency-model">
 *     PTX ISA, memory consistency model</a>
 */
public final class Causality {
  private static final int PC_BITS = 20;
  private static final int THREAD_BITS = 20;
  private static final int TIMES = 1 << 63 - PC_BITS - THREAD_BITS;
  private static final int PART = (1 << PC_BITS) - 1;

  /** Names the owners of accesses in messages. */
  public interface Names {
    /** The thread, its block and its instruction. */
    String access(int thread, int pc);
  }

  private final int threadsPerBlock;
  private final Names names;
  private final int[] times;
  private final int[][] clocks;

  // What a strong store after a fence releases, and what a fence after a strong load acquires: for
  // all blocks, and for threads of the same block.
  private final int[][] fenced;
  private final int[][] fencedInBlock;
  private final int[][] pending;
  private final int[][] pendingInBlock;

  /** For each thread the time below which some release has published its accesses. */
  private final int[] published;

  /**
   * The order of the threads of blocks.
   *
   * @param names says who accessed memory, from the thread's number in the grid and the number of
   *     its instruction
   */
  public Causality(int blocks, int threadsPerBlock, Names names) {
    this.threadsPerBlock = threadsPerBlock;
    this.names = names;
    int threads = blocks * threadsPerBlock;
    if (threads > PART) {
      throw new Fault(threads + " threads of a cooperative launch are too many for the emulator");
    }
    times = new int[blocks];
    Arrays.fill(times, 1);
    clocks = new int[threads][];
    Arrays.fill(clocks, new int[threads]);
    fenced = new int[threads][];
    fencedInBlock = new int[threads][];
    pending = new int[threads][];
    pendingInBlock = new int[threads][];
    published = new int[threads];
  }

  // ---- stamps ----

  /** The stamp of a thread's access now by instruction {@code pc}; never 0. */
  long stamp(int thread, int pc) {
    return stamp(times[block(thread)], thread, pc);
  }

  static long stamp(int time, int thread, int pc) {
    return ((long) time << THREAD_BITS | thread) << PC_BITS | pc;
  }

  static int thread(long stamp) {
    return (int) (stamp >> PC_BITS) & PART;
  }

  static int pc(long stamp) {
    return (int) stamp & PART;
  }

  static int time(long stamp) {
    return (int) (stamp >> PC_BITS + THREAD_BITS);
  }

  /** Says who made the access of a stamp. */
  String who(long stamp) {
    return names.access(thread(stamp), pc(stamp));
  }

  public int block(int thread) {
    return thread / threadsPerBlock;
  }

  int threads() {
    return clocks.length;
  }

  /** Whether an access with that stamp comes before what a thread does now. */
  boolean isBefore(long stamp, int thread) {
    return isBefore(thread(stamp), time(stamp), thread);
  }

  /**
   * Whether an access by thread {@code other} at {@code time} comes before what a thread does now.
   */
  boolean isBefore(int other, int time, int thread) {
    return other == thread || time < clocks[thread][other];
  }

  /** Whether a release that other blocks may acquire has published an access. */
  boolean isPublished(long stamp) {
    return time(stamp) < published[thread(stamp)];
  }

  // ---- what orders ----

  private void advance(int block) {
    if (++times[block] == TIMES) {
      throw new Fault("a cooperative launch has too many barriers and releases for the emulator");
    }
  }

  private static int[] join(int[] a, int[] b) {
    if (a == b || b == null) {
      return a;
    }
    if (a == null) {
      return b;
    }
    int[] joined = null;
    for (int i = 0; i < a.length; i++) {
      if (b[i] > a[i]) {
        if (joined == null) {
          joined = a.clone();
        }
        joined[i] = b[i];
      }
    }
    return joined == null ? a : joined;
  }

  /** All threads of a block have met: each knows what any of them knew. */
  public void barrier(int block) {
    int first = block * threadsPerBlock;
    synchronize(first, threadsPerBlock, -1);
  }

  /** The lanes of a mask have met; {@code first} is the warp's first thread. */
  public void warpBarrier(int first, int lanes) {
    synchronize(first, Lanes.COUNT, lanes);
  }

  private void synchronize(int first, int count, int lanes) {
    int block = block(first);
    advance(block);
    int[] joined = null;
    int[] last = null;
    for (int i = 0; i < count; i++) {
      if ((lanes >> i & 1) != 0 && clocks[first + i] != last) {
        last = clocks[first + i];
        joined = join(joined, last);
      }
    }
    joined = joined.clone();
    for (int i = 0; i < count; i++) {
      if ((lanes >> i & 1) != 0) {
        joined[first + i] = times[block];
        clocks[first + i] = joined;
      }
    }
  }

  /** The clock with all that comes before a release of this thread now. */
  private int[] release(int thread) {
    advance(block(thread));
    int[] clock = clocks[thread].clone();
    clock[thread] = times[block(thread)];
    return clock;
  }

  /** A thread executes a fence. */
  public void fence(int thread, boolean beyondBlock) {
    acquire(thread, pendingInBlock[thread]);
    pendingInBlock[thread] = null;
    if (beyondBlock) {
      acquire(thread, pending[thread]);
      pending[thread] = null;
    }
    int[] clock = release(thread);
    fencedInBlock[thread] = clock;
    if (beyondBlock) {
      fenced[thread] = clock;
    }
  }

  private void acquire(int thread, int[] clock) {
    clocks[thread] = join(clocks[thread], clock);
  }

  /** A thread's strong read takes the value of a cell. */
  void read(Cell cell, int thread, Ordering ordering) {
    int[] ofBlock = cell.block == block(thread) ? cell.releasedInBlock : null;
    int[] ofAll = ordering.beyondBlock() ? cell.released : null;
    if (ordering.acquires()) {
      acquire(thread, ofBlock);
      acquire(thread, ofAll);
    } else {
      pendingInBlock[thread] = join(pendingInBlock[thread], ofBlock);
      pending[thread] = join(pending[thread], ofAll);
    }
  }

  /**
   * A thread's strong write gives a cell its value.
   *
   * @param updates whether it is one with the read of the value before, so that it continues what
   *     earlier releases began
   */
  void write(Cell cell, int thread, Ordering ordering, boolean updates) {
    int[] ofBlock = fencedInBlock[thread];
    int[] ofAll = fenced[thread];
    if (ordering.releases()) {
      ofBlock = release(thread);
      ofAll = ofBlock;
    }
    if (!ordering.beyondBlock()) {
      ofAll = null;
    }
    publish(ofAll);
    if (updates) {
      ofAll = join(cell.released, ofAll);
      ofBlock = cell.block == block(thread) ? join(cell.releasedInBlock, ofBlock) : ofBlock;
    }
    cell.released = ofAll;
    cell.releasedInBlock = ofBlock;
    cell.block = block(thread);
  }

  private void publish(int[] clock) {
    for (int i = 0; clock != null && i < clock.length; i++) {
      published[i] = Math.max(published[i], clock[i]);
    }
  }
}
