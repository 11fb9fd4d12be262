package mlpcuda.compute.cuda.ptx;

import mlpcuda.compute.cuda.CudaDriver.Shape;

/** A block of threads with its shared memory, which is used for all blocks of a launch in turn. */
final class Block {
  final Launch launch;
  final byte[] shared;
  final Shadow sharedShadow;

  /** Work arrays of {@link Mma}, kept here because they would be allocated anew so often. */
  final double[] left = new double[Mma.ROWS * Mma.DEPTH];

  final double[] right = new double[Mma.DEPTH * Mma.COLUMNS];
  final double[] sum = new double[Mma.ROWS * Mma.COLUMNS];

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

  Block(Launch launch, Shape shape) {
    this.launch = launch;
    this.shape = shape;
    Program program = launch.program;
    shared = new byte[program.sharedBytes()];
    sharedShadow = Shadow.ofShared(program.sharedBytes(), program.sharedGaps());
    int threads = shape.blockX() * shape.blockY();
    warps = new Warp[(threads + Lanes.COUNT - 1) / Lanes.COUNT];
    for (int i = 0; i < warps.length; i++) {
      warps[i] = new Warp(this, i, program.registers(), program.code().length);
      launch.fill(warps[i]);
    }
    order = warps.clone();
  }

  /** Runs a block to its end. */
  void run(int blockX, int blockY, int blockZ) {
    x = blockX;
    y = blockY;
    z = blockZ;
    startedAt = launch.tick();
    synchronizedBelow = startedAt;
    launch.blockStarts(startedAt, this);
    int threads = shape.blockX() * shape.blockY();
    for (Warp warp : warps) {
      int lanes = Math.min(Lanes.COUNT, threads - warp.index * Lanes.COUNT);
      warp.start(-1 >>> Lanes.COUNT - lanes);
      launch.place(warp, x, y, z);
    }
    while (step()) {
      for (Warp warp : warps) {
        warp.release();
      }
      synchronizedBelow = launch.tick();
    }
  }

  /** Runs all warps to the next barrier; false when all have exited instead. */
  private boolean step() {
    launch.shuffle(order);
    Warp waiting = null;
    Warp exited = null;
    for (Warp warp : order) {
      Warp.State state = warp.run();
      if (state == Warp.State.EXITED) {
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
    return waiting != null;
  }

  /** The block's name, with its coordinates. */
  String name() {
    return "block (" + x + "," + y + "," + z + ")";
  }

  /** The coordinates of a thread. */
  String thread(int thread) {
    return "thread (" + thread % shape.blockX() + "," + thread / shape.blockX() + ",0)";
  }
}
