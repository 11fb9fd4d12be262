package mlpcuda.compute.cuda.ptx.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.Lanes;
import mlpcuda.compute.cuda.ptx.parse.Statement;
import mlpcuda.compute.cuda.ptx.races.Causality;

/**
 * The blocks of a cooperative launch, which are all live at once: a warp of any of them, chosen at
 * random, executes some instructions, then another. The choices repeat for the same seed.
 */
public final class Grid {
  /** The most instructions that a warp executes before another may. */
  private static final int MOST_AT_ONCE = 48;

  private static final int MOST_NAMED = 4;

  public final Causality order;
  private final Launch launch;
  private final SplittableRandom random;
  private final List<Block> blocks = new ArrayList<>();

  // Warps that can go on, and those that poll memory in vain. Others wait at a barrier of their
  // block or have exited.
  private final List<Warp> runnable = new ArrayList<>();
  private final List<Warp> parked = new ArrayList<>();
  private long version;

  Grid(Launch launch, Shape shape, long seed) {
    this.launch = launch;
    this.random = new SplittableRandom(seed);
    long count = (long) shape.gridX() * shape.gridY() * shape.gridZ();
    int warps = (shape.blockX() * shape.blockY() + Lanes.COUNT - 1) / Lanes.COUNT;
    order = new Causality(Math.toIntExact(count), warps * Lanes.COUNT, this::who);
    for (int number = 0; number < count; number++) {
      blocks.add(new Block(launch, shape, this, number));
    }
  }

  /** Runs all blocks to their end. */
  void run(Shape shape) {
    for (int i = 0; i < blocks.size(); i++) {
      int x = i % shape.gridX();
      int y = i / shape.gridX() % shape.gridY();
      blocks.get(i).start(x, y, i / shape.gridX() / shape.gridY());
      runnable.addAll(blocks.get(i).warps());
    }
    long seen = version;
    while (!runnable.isEmpty()) {
      int i = random.nextInt(runnable.size());
      Warp warp = runnable.get(i);
      Warp.State state = warp.run(random.nextInt(1, MOST_AT_ONCE + 1));
      if (state != Warp.State.RUNNABLE) {
        runnable.set(i, runnable.get(runnable.size() - 1));
        runnable.remove(runnable.size() - 1);
        if (state == Warp.State.PARKED) {
          parked.add(warp);
        } else if (warp.block.allStopped() && warp.block.meet()) {
          order.barrier(warp.block.number);
          runnable.addAll(warp.block.warps());
        }
      }
      if (seen != version) {
        seen = version;
        parked.forEach(Warp::unpark);
        runnable.addAll(parked);
        parked.clear();
      }
    }
    if (!parked.isEmpty()) {
      throw deadlock();
    }
  }

  /**
   * The number of times that strong writes have changed global memory. Ordinary stores do not count
   * there: one to what another thread polls is a race.
   */
  long version() {
    return version;
  }

  /** Notes that a strong write has changed global memory. */
  public void changed() {
    version++;
  }

  // ---- messages ----

  private Fault deadlock() {
    Warp first = parked.get(0);
    StringBuilder others = new StringBuilder();
    int named = 0;
    for (Block block : blocks) {
      Warp polling = parked.stream().filter(warp -> warp.block == block).findFirst().orElse(null);
      if (block == first.block || ++named > MOST_NAMED) {
        continue;
      }
      others.append("; ").append(block.name());
      others.append(polling == null ? " has ended" : " " + polling.whereItPolls());
    }
    if (named > MOST_NAMED) {
      others.append("; and ").append(named - MOST_NAMED).append(" other blocks");
    }
    return new Fault(
        "kernel "
            + launch.program.name()
            + " waits for ever: "
            + first.block.name()
            + " "
            + first.whereItPolls()
            + others);
  }

  /** A thread of the grid at an instruction, with its block. */
  private String who(int thread, int pc) {
    Block block = blocks.get(order.block(thread));
    Statement statement = launch.program.code()[pc].statement;
    return block.thread(thread - block.warps().get(0).number * Lanes.COUNT)
        + " of "
        + block.name()
        + " in line "
        + statement.line()
        + " ("
        + statement.text()
        + ")";
  }
}
