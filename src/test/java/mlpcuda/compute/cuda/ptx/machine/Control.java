package mlpcuda.compute.cuda.ptx.machine;

import mlpcuda.compute.cuda.ptx.parse.Statement;

/** An instruction that decides where its lanes go on. */
public abstract class Control extends Instruction {
  protected Control(Statement statement) {
    super(statement);
  }

  /** Decides for each lane of {@code mask} where it goes on: by {@code warp.go}, wait or exit. */
  @Override
  public abstract void run(Warp warp, int pc, int mask);

  @Override
  public final boolean isControl() {
    return true;
  }
}
