package mlpcuda.compute.cuda.ptx.machine;

import java.util.Arrays;
import java.util.List;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.races.Shadow;

/**
 * A block of threads with its shared memory, which is used for all blocks of an ordinary launch in
 * turn. A cooperative launch has an object for each block.
 */
public final class Block implements Shadow.Names {
  public final Launch launch;

  /** The blocks that are live with this one; null in an ordinary launch. */
  public final Grid grid;

  /** The block's number in the grid, in a cooperative launch. */
  final int number;

  public final byte[] shared;
  public final Shadow sharedShadow;

  /** Multiplies the matrices of the block's warps. */
  public final TensorCore tensorCore = new TensorCore();

  /** The copies to shared memory that are under way. */
  public final AsyncCopies copies;

  /** The stamp below which accesses are of other blocks, see {@link Shadow}. */
  int startedAt;

  /** The stamp below which accesses came before the block's last barrier. */
  int synchronizedBelow;

  private final Shape shape;
  private final Warp[] warps;
  private final Warp[] order;
  private int x;
  private int y;
  private int z;

  /** {@code grid} and {@code number} are null and 0 in an ordinary launch. */
  Block(Launch launch, Shape shape, Grid grid, int number) {
    this.launch = launch;
    this.shape = shape;
    this.grid = grid;
    this.number = number;
    Program program = launch.program;
    shared = new byte[program.shared().bytes() + launch.dynamicShared];
    sharedShadow = Shadow.ofShared(shared.length, program.shared().gaps());
    int threads = shape.blockX() * shape.blockY();
    warps = new Warp[(threads + Lanes.COUNT - 1) / Lanes.COUNT];
    for (int i = 0; i < warps.length; i++) {
      int inGrid = number * warps.length + i;
      warps[i] = new Warp(this, i, inGrid, program.registers(), program.code().length);
      launch.fill(warps[i]);
    }
    order = warps.clone();
    copies = new AsyncCopies(this, warps.length);
  }

  /** Runs a block to its end. */
  void run(int blockX, int blockY, int blockZ) {
    start(blockX, blockY, blockZ);
    do {
      launch.shuffle(order);
      for (Warp warp : order) {
        warp.run(Warp.NO_LIMIT);
      }
    } while (meet());
  }

  /** Puts all threads of a block at its first instruction. */
  void start(int blockX, int blockY, int blockZ) {
    x = blockX;
    y = blockY;
    z = blockZ;
    startedAt = launch.tick();
    synchronizedBelow = startedAt;
    launch.blockStarts(startedAt, this);
    copies.start();
    int threads = shape.blockX() * shape.blockY();
    for (Warp warp : warps) {
      int lanes = Math.min(Lanes.COUNT, threads - warp.index * Lanes.COUNT);
      warp.start(-1 >>> Lanes.COUNT - lanes);
      launch.place(warp, x, y, z);
    }
  }

  List<Warp> warps() {
    return Arrays.asList(warps);
  }

  /** Whether all warps wait at a barrier or have exited. */
  boolean allStopped() {
    return Arrays.stream(warps).allMatch(warp -> warp.state().isStopped());
  }

  /**
   * Lets all warps, which have stopped, go on from the barrier where they wait; false when all have
   * exited instead.
   */
  boolean meet() {
    Warp waiting = null;
    Warp exited = null;
    for (Warp warp : order) {
      if (warp.state() == Warp.State.EXITED) {
        exited = warp;
      } else if (waiting == null) {
        waiting = warp;
      } else if (waiting.barrier() != warp.barrier()) {
        throw waiting.fault(
            waiting.barrier(),
            0,
            "waits for all threads of the block, but "
                + warp.thread(0)
                + " waits at the barrier in line "
                + launch.program.code()[warp.barrier()].statement.line());
      }
    }
    if (waiting != null && exited != null) {
      throw waiting.fault(
          waiting.barrier(),
          0,
          "waits for all threads of the block, but " + exited.thread(0) + " has exited");
    }
    if (waiting == null) {
      return false;
    }
    for (Warp warp : warps) {
      warp.release();
    }
    synchronizedBelow = launch.tick();
    return true;
  }

  /** The block's name, with its coordinates. */
  String name() {
    return "block (" + x + "," + y + "," + z + ")";
  }

  @Override
  public String block(int stamp) {
    return launch.blockOf(stamp);
  }

  @Override
  public String thread(int thread) {
    return "thread (" + thread % shape.blockX() + "," + thread / shape.blockX() + ",0)";
  }
}
