package mlpcuda.compute.cuda.ptx.races;

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
public final class Shadow {
  /** The number of bits of a stamp that hold the thread's code. */
  public static final int CODE_BITS = 11;

  /** The most epochs of a launch. */
  public static final int EPOCHS = 1 << 31 - CODE_BITS;

  /** The bytes of global memory that share a shadow. */
  public static final int PAGE = 4096;

  private static final int CODES = (1 << CODE_BITS) - 1;

  /** The code of several lanes of one warp, to which the warp is added. */
  private static final int LANES = 1024;

  /** The code of threads of several warps. */
  private static final int WARPS = LANES + 32;

  /** The stamp of readers in several blocks. */
  private static final int BLOCKS = Integer.MAX_VALUE;

  /** The stamp of a gap, kept as a writer's: no variable of shared memory is here. */
  private static final int GAP = Integer.MAX_VALUE - 1;

  /** Names the owners of accesses in messages. */
  public interface Names {
    /** The coordinates of a thread of the block that accesses memory now. */
    String thread(int inBlock);

    /** The name of the block that ran at a stamp. */
    String block(int stamp);
  }

  private final boolean shared;
  private int[] writers;
  private int[] readers;
  private boolean bytewise;

  private final ReadOnlyBytes readOnly = new ReadOnlyBytes();

  private Shadow(boolean shared, int bytes) {
    this.shared = shared;
    this.writers = new int[(bytes + 3) / 4];
    this.readers = new int[(bytes + 3) / 4];
  }

  /** The shadow of a page of global memory. */
  public static Shadow ofGlobal() {
    return new Shadow(false, PAGE);
  }

  /** The shadow of a block's shared memory; a gap is the first and the end byte of no variable. */
  public static Shadow ofShared(int bytes, List<int[]> gaps) {
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
  public boolean read(int at, int bytes, WarpClock clock, int lane) {
    int first = first(at, bytes);
    int me = clock.now | clock.warp << 5 | lane;
    for (int i = first, end = first + units(bytes); i < end; i++) {
      int written = writers[i];
      if (written < clock.startedAt) {
        if (shared || written != 0) {
          return false;
        }
      } else if (written >= clock.blockSynchronizedBelow && !ordered(written, me, clock)) {
        return false;
      }
      int read = readers[i];
      if (read != me) {
        readers[i] = reader(read, me, clock);
      }
    }
    return true;
  }

  private int reader(int before, int me, WarpClock clock) {
    int code = before & CODES;
    if (before < clock.blockSynchronizedBelow) {
      return shared || before == 0 || before >= clock.startedAt ? me : BLOCKS;
    }
    if (code >= WARPS) {
      return before;
    }
    if (code == (me & CODES)) {
      return me;
    }
    int lanes = LANES + clock.warp;
    if (code == lanes || code >> 5 == clock.warp) {
      return before < clock.synchronizedBelow ? me : clock.now | lanes;
    }
    return clock.now | WARPS;
  }

  /** Notes a lane's write; false if it is a race. */
  public boolean write(int at, int bytes, WarpClock clock, int lane) {
    int first = first(at, bytes);
    int me = clock.now | clock.warp << 5 | lane;
    for (int i = first, end = first + units(bytes); i < end; i++) {
      if (!free(writers[i], me, clock) || !free(readers[i], me, clock)) {
        return false;
      }
      writers[i] = me;
      readers[i] = 0;
    }
    return true;
  }

  /** Whether a write may follow an earlier access. */
  private boolean free(int before, int me, WarpClock clock) {
    if (before < clock.startedAt) {
      return shared || before == 0;
    }
    return before < clock.blockSynchronizedBelow || ordered(before, me, clock);
  }

  /** Whether an access of this block since its last barrier is ordered before one of now. */
  private static boolean ordered(int before, int me, WarpClock clock) {
    int code = before & CODES;
    if (code == (me & CODES)) {
      return true;
    }
    if (code == LANES + clock.warp) {
      return before < clock.synchronizedBelow;
    }
    if (code >> 5 != clock.warp) {
      return false;
    }
    int lane = me & 31;
    return before < clock.synchronizedBelow
        || before < clock.partSynchronizedBelow[lane]
            && (clock.partMembers[lane] >> (code & 31) & 1) != 0;
  }

  /** The lane of this warp that wrote there last in this epoch; −1 if it was another thread. */
  public int laneThatWrote(int at, int bytes, WarpClock clock) {
    int stamp = writers[first(at, bytes)];
    boolean ours = stamp >= clock.now && (stamp & CODES) >> 5 == clock.warp;
    return ours ? stamp & 31 : -1;
  }

  /** Notes a read as if nobody writes here in this launch; false if somebody did. */
  public boolean readConstant(int at, int bytes) {
    int first = first(at, bytes);
    for (int i = first; i < first + units(bytes); i++) {
      if (writers[i] != 0) {
        return false;
      }
    }
    readOnly.add(at, bytes);
    return true;
  }

  /** Whether somebody read here as if nobody writes in this launch. */
  public boolean isConstant(int at, int bytes) {
    return readOnly.hasAny(at, bytes);
  }

  /** Says why {@link #read} or {@link #write} was refused. */
  public String explain(int at, int bytes, WarpClock clock, int lane, boolean write, Names names) {
    int first = first(at, bytes);
    int me = clock.now | clock.warp << 5 | lane;
    for (int i = first; i < first + units(bytes); i++) {
      if (writers[i] == GAP) {
        return "outside all variables of shared memory";
      }
      if (shared && !write && writers[i] < clock.startedAt) {
        return "which no thread of the block has written";
      }
      if (!free(writers[i], me, clock)) {
        return "a race with the write by " + who(writers[i], clock, names);
      }
      if (write && !free(readers[i], me, clock)) {
        return "a race with the read by " + who(readers[i], clock, names);
      }
    }
    throw new IllegalStateException("no race at byte " + at);
  }

  private static String who(int stamp, WarpClock clock, Names names) {
    if (stamp == BLOCKS) {
      return "threads of several blocks, which nothing orders";
    }
    int code = stamp & CODES;
    String threads =
        code >= WARPS
            ? "threads of several warps"
            : code >= LANES ? "several lanes of warp " + (code - LANES) : names.thread(code);
    String block = names.block(stamp);
    return stamp < clock.startedAt
        ? threads + " of " + block + ", which nothing orders"
        : threads + " without a barrier between";
  }
}
