package mlpcuda.compute.cuda.ptx;

import java.util.Arrays;
import java.util.List;

/**
 * The last writers and readers of a piece of memory, by which races are found: two accesses of the
 * same byte, not both reads, by threads that no barrier orders.
 *
 * <p>An access is a stamp: the epoch, which each barrier and each block begins anew, and below it
 * the code of the thread in its block. Accesses before a barrier have lower stamps than the one
 * that the barrier began with. 0 means no access.
 *
 * <p>Memory is tracked in words of 4 bytes until a smaller access comes, then in bytes.
 */
final class Shadow {
  /** The number of bits of a stamp that hold the thread's code. */
  static final int CODE_BITS = 11;

  /** The most epochs of a launch. */
  static final int EPOCHS = 1 << 31 - CODE_BITS;

  private static final int CODES = (1 << CODE_BITS) - 1;

  /** The code of several lanes of one warp, to which the warp is added. */
  private static final int LANES = 1024;

  /** The code of threads of several warps. */
  private static final int WARPS = LANES + 32;

  /** The stamp of readers in several blocks. */
  private static final int BLOCKS = Integer.MAX_VALUE;

  /** The stamp of a gap, kept as a writer's: no variable of shared memory is here. */
  private static final int GAP = Integer.MAX_VALUE - 1;

  private final boolean shared;
  private int[] writers;
  private int[] readers;
  private boolean bytewise;

  // A bit for each byte that was read as if nobody writes it in this launch.
  private long[] constant;

  private Shadow(boolean shared, int bytes) {
    this.shared = shared;
    this.writers = new int[(bytes + 3) / 4];
    this.readers = new int[(bytes + 3) / 4];
  }

  static Shadow ofGlobal(int bytes) {
    return new Shadow(false, bytes);
  }

  static Shadow ofShared(int bytes, List<int[]> gaps) {
    Shadow shadow = new Shadow(true, bytes);
    // Gaps begin and end anywhere, so memory is tracked in bytes unless gaps are whole words.
    if (gaps.stream().anyMatch(gap -> (gap[0] | gap[1]) % 4 != 0)) {
      shadow.tellBytesApart();
    }
    int unit = shadow.bytewise ? 1 : 4;
    gaps.forEach(gap -> Arrays.fill(shadow.writers, gap[0] / unit, gap[1] / unit, GAP));
    return shadow;
  }

  private void tellBytesApart() {
    writers = fourTimes(writers);
    readers = fourTimes(readers);
    bytewise = true;
  }

  private static int[] fourTimes(int[] words) {
    int[] bytes = new int[4 * words.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = words[i / 4];
    }
    return bytes;
  }

  /** The first unit of an access that starts at byte {@code at}. */
  private int first(int at, int bytes) {
    if (bytes < 4 && !bytewise) {
      tellBytesApart();
    }
    return bytewise ? at : at >> 2;
  }

  private int units(int bytes) {
    return bytewise ? bytes : bytes >> 2;
  }

  /** Notes a lane's read; false if it is a race, or if its block never wrote that shared memory. */
  boolean read(int at, int bytes, Warp warp, int lane) {
    int first = first(at, bytes);
    int me = warp.now | warp.index << 5 | lane;
    for (int i = first, end = first + units(bytes); i < end; i++) {
      int written = writers[i];
      if (written < warp.startedAt) {
        if (shared || written != 0) {
          return false;
        }
      } else if (written >= warp.blockSynchronizedBelow && !ordered(written, me, warp)) {
        return false;
      }
      int read = readers[i];
      if (read != me) {
        readers[i] = reader(read, me, warp);
      }
    }
    return true;
  }

  private int reader(int before, int me, Warp warp) {
    int code = before & CODES;
    if (before < warp.blockSynchronizedBelow) {
      return shared || before == 0 || before >= warp.startedAt ? me : BLOCKS;
    }
    if (code >= WARPS) {
      return before;
    }
    if (code == (me & CODES)) {
      return me;
    }
    int lanes = LANES + warp.index;
    if (code == lanes || code >> 5 == warp.index) {
      return before < warp.synchronizedBelow ? me : warp.now | lanes;
    }
    return warp.now | WARPS;
  }

  /** Notes a lane's write; false if it is a race. */
  boolean write(int at, int bytes, Warp warp, int lane) {
    int first = first(at, bytes);
    int me = warp.now | warp.index << 5 | lane;
    for (int i = first, end = first + units(bytes); i < end; i++) {
      if (!free(writers[i], me, warp) || !free(readers[i], me, warp)) {
        return false;
      }
      writers[i] = me;
      readers[i] = 0;
    }
    return true;
  }

  /** Whether a write may follow an earlier access. */
  private boolean free(int before, int me, Warp warp) {
    if (before < warp.startedAt) {
      return shared || before == 0;
    }
    return before < warp.blockSynchronizedBelow || ordered(before, me, warp);
  }

  /** Whether an access of this block since its last barrier is ordered before one of now. */
  private static boolean ordered(int before, int me, Warp warp) {
    int code = before & CODES;
    if (code == (me & CODES)) {
      return true;
    }
    if (code == LANES + warp.index) {
      return before < warp.synchronizedBelow;
    }
    if (code >> 5 != warp.index) {
      return false;
    }
    int lane = me & 31;
    return before < warp.synchronizedBelow
        || before < warp.partSynchronizedBelow[lane]
            && (warp.partMembers[lane] >> (code & 31) & 1) != 0;
  }

  /** The lane of this warp that wrote there last in this epoch; −1 if it was another thread. */
  int laneThatWrote(int at, int bytes, Warp warp) {
    int stamp = writers[first(at, bytes)];
    boolean ours = stamp >= warp.now && (stamp & CODES) >> 5 == warp.index;
    return ours ? stamp & 31 : -1;
  }

  /** Notes a read as if nobody writes here in this launch; false if somebody did. */
  boolean readConstant(int at, int bytes) {
    int first = first(at, bytes);
    for (int i = first; i < first + units(bytes); i++) {
      if (writers[i] != 0) {
        return false;
      }
    }
    if (constant == null) {
      constant = new long[Allocation.PAGE / 64];
    }
    constant[at >> 6] |= Allocation.bits(at, bytes);
    return true;
  }

  /** Whether somebody read here as if nobody writes in this launch. */
  boolean isConstant(int at, int bytes) {
    return constant != null && (constant[at >> 6] & Allocation.bits(at, bytes)) != 0;
  }

  /** Says why {@link #read} or {@link #write} was refused. */
  String explain(int at, int bytes, Warp warp, int lane, boolean write) {
    int first = first(at, bytes);
    int me = warp.now | warp.index << 5 | lane;
    for (int i = first; i < first + units(bytes); i++) {
      if (writers[i] == GAP) {
        return "outside all variables of shared memory";
      }
      if (shared && !write && writers[i] < warp.startedAt) {
        return "which no thread of the block has written";
      }
      if (!free(writers[i], me, warp)) {
        return "a race with the write by " + who(writers[i], warp);
      }
      if (write && !free(readers[i], me, warp)) {
        return "a race with the read by " + who(readers[i], warp);
      }
    }
    throw new IllegalStateException("no race at byte " + at);
  }

  private static String who(int stamp, Warp warp) {
    if (stamp == BLOCKS) {
      return "threads of several blocks, which nothing orders";
    }
    int code = stamp & CODES;
    String threads =
        code >= WARPS
            ? "threads of several warps"
            : code >= LANES ? "several lanes of warp " + (code - LANES) : warp.block.thread(code);
    String block = warp.block.launch.blockOf(stamp);
    return stamp < warp.startedAt
        ? threads + " of " + block + ", which nothing orders"
        : threads + " without a barrier between";
  }
}
