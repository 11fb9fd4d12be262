package mlpcuda.compute.cuda.ptx.machine;

import mlpcuda.compute.cuda.ptx.parse.Statement;

/** An instruction, decoded: executed for a whole warp at once. */
public abstract class Instruction {
  /** The statement that this instruction was decoded from. */
  public final Statement statement;

  /** The predicate that decides which lanes execute it; −1: all lanes do. */
  private int guard = -1;

  /** A mask that is all ones if the guard is negated, else 0. */
  private int guardFlip;

  protected Instruction(Statement statement) {
    this.statement = statement;
  }

  /** Lets only the lanes execute it whose predicate holds, or does not where it is negated. */
  public final void guard(int predicate, boolean negated) {
    guard = predicate;
    guardFlip = negated ? -1 : 0;
  }

  /** The lanes of {@code mask} whose guard holds. */
  public final int guarded(Warp warp, int mask) {
    return guard < 0 ? mask : mask & (warp.predicates[guard] ^ guardFlip);
  }

  /** Executes for the lanes of {@code mask}; {@code pc} is the instruction's number. */
  public abstract void run(Warp warp, int pc, int mask);

  /** Whether an instruction other than the one after it may come next: it ends a basic block. */
  public boolean isControl() {
    return false;
  }

  /** Whether all threads of the block must come to it before any goes on. */
  public boolean isBlockBarrier() {
    return false;
  }

  /** Whether lanes may wait at it: it starts a basic block. */
  public boolean isMeeting() {
    return false;
  }
}
