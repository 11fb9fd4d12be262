package mlpcuda.compute.cuda.ptx.machine;

import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.memory.Allocation;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.WarpClock;

/**
 * 32 threads of a block. Those at the same instruction execute it together. Those at the
 * instruction that comes first in the text go first, so that branches meet again. Lanes that came
 * to a meeting or a barrier wait there while others go on.
 */
public final class Warp {
  /** The state of a warp that does not run. */
  enum State {
    /** The warp can go on. */
    RUNNABLE,
    /** The warp loops until another thread changes memory. */
    PARKED,
    AT_BARRIER,
    EXITED;

    /** Whether it goes on with the other warps of its block alone, or never. */
    boolean isStopped() {
      return this == AT_BARRIER || this == EXITED;
    }
  }

  /** The limit of instructions for a warp that runs until it waits or exits. */
  static final long NO_LIMIT = 1L << 62;

  public final Block block;
  final int index;

  /** The warp's number in the grid, in a cooperative launch. */
  public final int number;

  /** A mask with a bit for each lane that is a thread. */
  public int present;

  public final long[][] registers;
  public final int[] predicates;

  /** A work array for results that not all lanes take. */
  public final long[] scratch = new long[Lanes.COUNT];

  /** For each instruction the allocation that it accessed last. */
  public final Allocation[] caches;

  /**
   * Tells which earlier accesses happened before the warp's current instruction, in an ordinary
   * launch.
   */
  public final WarpClock clock;

  // There are groups of lanes, each at an instruction of its own.
  private final int[] groupAt = new int[Lanes.COUNT];
  private final int[] groupMask = new int[Lanes.COUNT];
  private final boolean[] groupWaits = new boolean[Lanes.COUNT];
  private int groups;

  // These lanes execute an instruction now, and are in no group.
  private int running;

  // Lanes that loop until another thread changes memory, where, and since which change of it.
  private final Polls polls = new Polls();
  private int polling;
  private int pollsAt;
  private long polledVersion;
  private State state;

  Warp(Block block, int index, int number, Registers layout, int instructions) {
    this.block = block;
    this.index = index;
    this.clock = new WarpClock(index);
    this.number = number;
    this.registers = new long[layout.slots()][];
    this.predicates = new int[layout.predicates()];
    this.caches = new Allocation[instructions];
  }

  /** Starts these lanes at the first instruction. */
  void start(int lanes) {
    present = lanes;
    clock.start();
    groups = 0;
    polling = 0;
    state = State.RUNNABLE;
    go(0, lanes);
  }

  /** A mask of the lanes that have not exited. */
  public int alive() {
    int alive = running;
    for (int i = 0; i < groups; i++) {
      alive |= groupMask[i];
    }
    return alive;
  }

  /** Lets these lanes go on at an instruction, together with those that wait there. */
  public void go(int pc, int mask) {
    put(pc, mask, false);
  }

  /** Makes these lanes wait at an instruction until others come. */
  public void await(int pc, int mask) {
    put(pc, mask, true);
  }

  /** Ends these lanes. */
  public void exit(int mask) {
    running &= ~mask;
  }

  private void put(int pc, int mask, boolean waits) {
    running &= ~mask;
    for (int i = 0; i < groups; i++) {
      if (groupAt[i] == pc) {
        if (((groupMask[i] | mask) & ~polling) != 0) {
          polling &= ~(groupMask[i] | mask); // together they may do what they did not apart
        }
        groupMask[i] |= mask;
        groupWaits[i] = waits && groupWaits[i];
        return;
      }
    }
    groupAt[groups] = pc;
    groupMask[groups] = mask;
    groupWaits[groups++] = waits;
  }

  /**
   * Runs until all lanes wait at one barrier of the block, have exited, or poll memory; or until
   * they have executed {@code most} instructions.
   */
  State run(long most) {
    if (polling != 0 && block.grid.version() != polledVersion) {
      unpark();
    }
    clock.goOn(block.launch.now(), block.startedAt, block.synchronizedBelow);
    state = runGroups(most);
    return state;
  }

  private State runGroups(long most) {
    Instruction[] code = block.launch.program.code();
    int[] ends = block.launch.program.blockEnds();
    long left = most;
    while (groups > 0) {
      if (left <= 0) {
        return State.RUNNABLE;
      }
      int next = next();
      if (next < 0) {
        checkBarrier(code);
        return State.AT_BARRIER;
      }
      int pc = groupAt[next];
      int mask = groupMask[next];
      if ((mask & polling) != 0) {
        return State.PARKED;
      }
      groups--;
      groupAt[next] = groupAt[groups];
      groupMask[next] = groupMask[groups];
      groupWaits[next] = groupWaits[groups];
      running = mask;
      int end = (int) Math.min(ends[pc], pc + left - 1);
      left -= end - pc + 1;
      block.launch.count(end - pc + 1, this, pc);
      for (; pc < end; pc++) {
        execute(code[pc], pc, mask);
      }
      if (code[end].isControl()) {
        code[end].run(this, end, mask);
      } else {
        execute(code[end], end, mask);
        go(end + 1, mask);
      }
    }
    return State.EXITED;
  }

  /** The state in which the warp stopped running. */
  State state() {
    return state;
  }

  private void execute(Instruction instruction, int pc, int mask) {
    int lanes = instruction.guarded(this, mask);
    if (lanes != 0) {
      instruction.run(this, pc, lanes);
    }
  }

  /** The group that goes on: the first in the text, one that polls only if all do. */
  private int next() {
    int next = -1;
    for (int i = 0; i < groups; i++) {
      if (!groupWaits[i] && (next < 0 || isBefore(i, next))) {
        next = i;
      }
    }
    return next;
  }

  private boolean isBefore(int group, int other) {
    if (polling != 0) {
      boolean polls = (groupMask[group] & polling) != 0;
      if (polls != ((groupMask[other] & polling) != 0)) {
        return !polls;
      }
    }
    return groupAt[group] < groupAt[other];
  }

  // ---- polls of a cooperative launch ----

  /**
   * Notes that the running lanes come to a strong load, which a guard may keep some of them from,
   * and whether they loop there in vain.
   */
  public void poll(int pc) {
    long version = block.grid.version();
    if (polls.repeats(this, pc, running, version)) {
      polledVersion = polling == 0 ? version : polledVersion;
      polling |= running;
      pollsAt = pc;
    }
  }

  /** Lets lanes that poll go on. */
  void unpark() {
    polling = 0;
  }

  /** Says where lanes of this warp poll memory. */
  String whereItPolls() {
    Statement statement = block.launch.program.code()[pollsAt].statement;
    return "polls memory by "
        + thread(Integer.numberOfTrailingZeros(polling))
        + " in line "
        + statement.line()
        + ": "
        + statement.text();
  }

  /** Checks, when all lanes wait, that they wait at one barrier and that none has exited. */
  private void checkBarrier(Instruction[] code) {
    int pc = groupAt[0];
    int lane = Integer.numberOfTrailingZeros(groupMask[0]);
    if (groups > 1) {
      int other = groupAt[1];
      throw fault(
          pc,
          lane,
          "waits for ever: "
              + thread(Integer.numberOfTrailingZeros(groupMask[1]))
              + " waits in line "
              + code[other].statement.line()
              + ": "
              + code[other].statement.text());
    }
    if (!code[pc].isBlockBarrier()) {
      throw fault(pc, lane, "waits for lanes that never come");
    }
    if (groupMask[0] != present) {
      int gone = Integer.numberOfTrailingZeros(present & ~groupMask[0]);
      throw fault(
          pc, lane, "waits for all threads of the block, but " + thread(gone) + " has exited");
    }
  }

  /** The instruction of the barrier at which the warp waits. */
  int barrier() {
    return groupAt[0];
  }

  /** Lets the warp go on, once all threads of the block have come to the barrier. */
  void release() {
    groupAt[0]++;
    groupWaits[0] = false;
    state = State.RUNNABLE;
  }

  /** Executes bar.warp.sync for these lanes. */
  public void synchronizeLanes(int members) {
    int now = block.launch.tick();
    if (block.grid != null) {
      block.grid.order.warpBarrier(number * Lanes.COUNT, members);
    }
    if (members == present) {
      clock.synchronize(now);
    } else {
      clock.synchronize(now, members);
    }
  }

  /** The number of a lane's thread in its block. */
  public int threadInBlock(int lane) {
    return index * Lanes.COUNT + lane;
  }

  /** A lane's coordinates. */
  public String thread(int lane) {
    return block.thread(threadInBlock(lane));
  }

  /** The fault of a lane at an instruction. */
  public Fault fault(int pc, int lane, String what) {
    Statement statement = block.launch.program.code()[pc].statement;
    return new Fault(
        "kernel "
            + block.launch.program.name()
            + ", "
            + block.name()
            + ", "
            + thread(lane)
            + ", line "
            + statement.line()
            + ": "
            + statement.text()
            + " "
            + what);
  }
}
