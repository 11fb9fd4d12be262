package mlpcuda.compute.cuda.ptx.execute;

import java.util.Arrays;
import mlpcuda.compute.cuda.ptx.machine.AsyncCopies;
import mlpcuda.compute.cuda.ptx.machine.AsyncCopies.Copy;
import mlpcuda.compute.cuda.ptx.machine.Grid;
import mlpcuda.compute.cuda.ptx.machine.Instruction;
import mlpcuda.compute.cuda.ptx.machine.Warp;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.memory.DeviceMemory;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.GridPage;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/**
 * Asynchronous copies from global to shared memory, with their groups and waits. A copy may be made
 * at any time between the cp.async and the wait for it, so it is checked at both: a read of the
 * source and a write of the destination by the issuing thread.
 */
public final class Copies {
  private static final int WORD = 4;

  private Copies() {}

  /** cp.async: begins a copy to shared memory. */
  public static final class Copying extends GlobalAccess {
    private final Address to;
    private final int size;

    /**
     * A copy of {@code bytes} bytes.
     *
     * @param to the address in shared memory
     * @param size the register with the number of bytes that are copied, zeros follow them; −1: all
     */
    public Copying(Statement statement, Address to, Address from, int bytes, int size) {
      super(statement, from, bytes);
      this.to = to;
      this.size = size;
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      countBankConflicts(warp, mask, to);
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int at = checkShared(warp, pc, lane, to.of(warp, lane));
        Shadow shadow = warp.block.sharedShadow;
        if (!shadow.write(at, bytes, warp.clock, lane)) {
          throw fault(warp, pc, lane, at, explain(shadow, at, warp, lane, true));
        }
        warp.block.copies.issue(copy(warp, pc, lane, at));
      }
    }

    private Copy copy(Warp warp, int pc, int lane, int at) {
      long address = address(warp, lane);
      checkAligned(warp, pc, lane, address);
      int copied = size < 0 ? bytes : (int) warp.registers[size][lane];
      if (copied < 0 || copied > bytes) {
        throw warp.fault(pc, lane, "copies " + copied + " of " + bytes + " bytes");
      }
      int thread = warp.threadInBlock(lane);
      if (copied == 0) {
        return new Copy(pc, thread, null, 0, 0, at, new byte[bytes]);
      }
      Allocation source = allocation(warp, pc, lane, address, copied);
      checkKnown(warp, pc, lane, address, source, copied);
      source.isRead = true;
      int from = (int) (address - source.start);
      byte[] data = Arrays.copyOf(Arrays.copyOfRange(source.data, from, from + copied), bytes);
      Copy copy = new Copy(pc, thread, source, from, copied, at, data);
      check(warp, pc, lane, address, raceOfSource(warp, lane, copy));
      return copy;
    }
  }

  /** cp.async.commit_group: puts a thread's copies into a group. */
  public static final class Commit extends Instruction {
    public Commit(Statement statement) {
      super(statement);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        warp.block.copies.commit(warp.threadInBlock(Integer.numberOfTrailingZeros(m)));
      }
    }
  }

  /** cp.async.wait_group and wait_all: a thread waits for its copies. */
  public static final class Wait extends Instruction {
    private final int pending;
    private final boolean all;

    private Wait(Statement statement, int pending, boolean all) {
      super(statement);
      this.pending = pending;
      this.all = all;
    }

    /** The wait until at most that many of a thread's last groups are under way. */
    public static Wait forGroups(Statement statement, int pending) {
      return new Wait(statement, pending, false);
    }

    /** The wait for all copies, of those in no group too. */
    public static Wait forAll(Statement statement) {
      return new Wait(statement, 0, true);
    }

    @Override
    public void run(Warp warp, int pc, int mask) {
      AsyncCopies copies = warp.block.copies;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int thread = warp.threadInBlock(lane);
        if (all) {
          copies.commit(thread);
        }
        for (Copy copy : copies.await(thread, pending)) {
          make(warp, pc, lane, copy);
        }
      }
    }

    private static void make(Warp warp, int pc, int lane, Copy copy) {
      if (copy.source() != null) {
        int end = copy.from() + copy.bytes();
        String race =
            Arrays.equals(copy.source().data, copy.from(), end, copy.data(), 0, copy.bytes())
                ? raceOfSource(warp, lane, copy)
                : "changed while the copy was under way";
        if (race != null) {
          throw warp.fault(
              pc,
              lane,
              "waits for the copy of line "
                  + warp.block.launch.program.code()[copy.pc()].statement.line()
                  + " from "
                  + DeviceMemory.hex(copy.source().start + copy.from())
                  + ": "
                  + race);
        }
      }
      // Nobody has accessed these bytes since the issue, so that this write is no race.
      warp.block.sharedShadow.write(copy.to(), copy.data().length, warp.clock, lane);
      System.arraycopy(copy.data(), 0, warp.block.shared, copy.to(), copy.data().length);
    }
  }

  /** Notes the read of a copy's source, in words and then in bytes; null, or the race it is. */
  private static String raceOfSource(Warp warp, int lane, Copy copy) {
    Grid grid = warp.block.grid;
    int end = copy.from() + copy.bytes();
    int step;
    for (int at = copy.from(); at < end; at += step) {
      step = end - at >= WORD ? (end - at) / WORD * WORD : 1;
      int inPage = at & Shadow.PAGE - 1;
      String race = null;
      if (grid == null) {
        Shadow shadow = copy.source().page(at);
        if (!shadow.read(inPage, step, warp.clock, lane)) {
          race = shadow.explain(inPage, step, warp.clock, lane, false, warp.block);
        }
      } else {
        GridPage page = copy.source().page(at, grid.order);
        race = page.read(inPage, step, GlobalAccess.thread(warp, lane), copy.pc());
      }
      if (race != null) {
        return race;
      }
    }
    return null;
  }
}
