package mlpcuda.compute.cuda.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import mlpcuda.compute.cuda.CudaDriver.Shape;

/**
 * The blocks of a cooperative launch, which are all live at once: a warp of any of them, chosen at
 * random, executes some instructions, then another. The choices repeat for the same seed.
 */
final class Grid {
  /** The most instructions that a warp executes before another may, but for its last block. */
  private static final int MOST_AT_ONCE = 48;

  private static final int MOST_NAMED = 4;

  final Causality order;
  private final Launch launch;
  private final SplittableRandom random;
  private final List<Block> blocks = new ArrayList<>();

  // Warps that can go on, in the first places, and those that poll memory.
  private final List<Warp> runnable = new ArrayList<>();
  private final List<Warp> parked = new ArrayList<>();
  private long version;
  private long strongVersion;

  Grid(Launch launch, Shape shape, long seed) {
    this.launch = launch;
    this.random = new SplittableRandom(seed);
    long count = (long) shape.gridX() * shape.gridY() * shape.gridZ();
    int warps = (shape.blockX() * shape.blockY() + Lanes.COUNT - 1) / Lanes.COUNT;
    order = new Causality(Math.toIntExact(count), warps * Lanes.COUNT);
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
    long seen = strongVersion;
    while (!runnable.isEmpty() || wakeAny()) {
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
      if (seen != strongVersion) {
        seen = strongVersion;
        parked.forEach(this::wake);
        parked.clear();
      }
    }
  }

  private void wake(Warp warp) {
    warp.unpark();
    runnable.add(warp);
  }

  /**
   * When no warp can go on: wakes those that poll if an ordinary store has changed memory since.
   * False when all have exited.
   */
  private boolean wakeAny() {
    if (parked.isEmpty()) {
      return false;
    }
    List<Warp> stale = parked.stream().filter(warp -> warp.parkedAt() != version).toList();
    if (stale.isEmpty()) {
      throw deadlock();
    }
    parked.removeAll(stale);
    stale.forEach(this::wake);
    return true;
  }

  /** The number of changes of global memory so far. */
  long version() {
    return version;
  }

  /** The number of those that strong writes made. */
  long strongVersion() {
    return strongVersion;
  }

  /** Notes that the content of global memory has changed; {@code strongly} by a strong write. */
  void changed(boolean strongly) {
    version++;
    strongVersion += strongly ? 1 : 0;
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

  /** The thread of an access, with its block and instruction. */
  String who(long stamp) {
    int thread = Causality.thread(stamp);
    Block block = blocks.get(order.block(thread));
    Statement statement = launch.program.code()[Causality.pc(stamp)].statement;
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
