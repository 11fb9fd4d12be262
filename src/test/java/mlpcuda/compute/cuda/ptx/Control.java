package mlpcuda.compute.cuda.ptx;

/** An instruction that decides where its lanes go on. */
abstract class Control extends Instruction {
  Control(Statement statement) {
    super(statement);
  }

  /** Decides for each lane of {@code mask} where it goes on: by {@code warp.go}, wait or exit. */
  @Override
  abstract void run(Warp warp, int pc, int mask);

  @Override
  final boolean isControl() {
    return true;
  }
}
