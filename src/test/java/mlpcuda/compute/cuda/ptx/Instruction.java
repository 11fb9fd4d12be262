package mlpcuda.compute.cuda.ptx;

/** An instruction, decoded: executed for a whole warp at once. */
abstract class Instruction {
  /** The statement that this instruction was decoded from. */
  final Statement statement;

  /** The predicate that decides which lanes execute it; −1: all lanes do. */
  int guard = -1;

  /** A mask that is all ones if the guard is negated, else 0. */
  int guardFlip;

  Instruction(Statement statement) {
    this.statement = statement;
  }

  /** The lanes of {@code mask} whose guard holds. */
  final int guarded(Warp warp, int mask) {
    return guard < 0 ? mask : mask & (warp.predicates[guard] ^ guardFlip);
  }

  /** Executes for the lanes of {@code mask}; {@code pc} is the instruction's number. */
  abstract void run(Warp warp, int pc, int mask);

  /** Whether an instruction other than the one after it may come next: it ends a basic block. */
  boolean isControl() {
    return false;
  }

  /** Whether lanes may wait at it: it starts a basic block. */
  boolean isMeeting() {
    return false;
  }
}
