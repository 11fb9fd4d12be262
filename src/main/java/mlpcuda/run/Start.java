package mlpcuda.run;

import java.util.List;
import java.util.Optional;

/** Where a run starts from. */
public sealed interface Start {
  /**
   * A run that begins.
   *
   * @param state the run's state, at the position before the first step
   * @param weights the weights to begin with, in the order of {@link
   *     mlpcuda.net.Parameters#tensors}; empty if the seed gives them
   */
  record Fresh(RunState state, Optional<List<float[]>> weights) implements Start {}

  /**
   * A run that goes on from a checkpoint.
   *
   * @param from the checkpoint, with the changes that were asked for
   */
  record Resumed(Resumption from) implements Start {
    @Override
    public RunState state() {
      return from.state();
    }
  }

  /** The state of the run when it starts. */
  RunState state();
}
