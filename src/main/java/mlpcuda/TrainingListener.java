package mlpcuda;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What a training tells and asks its caller. The calls come from the device's thread.
 *
 * @param onEpoch gets the result of each epoch
 * @param enough whether the training ends after that epoch
 * @param onCheckpoint gets the file of each checkpoint after it was written
 * @param cancelled whether the training ends before its next step, without a result
 */
record TrainingListener(
    Consumer<EpochResult> onEpoch,
    Predicate<EpochResult> enough,
    Consumer<Path> onCheckpoint,
    BooleanSupplier cancelled) {
  /** Nobody listens. */
  static final TrainingListener NONE =
      new TrainingListener(epoch -> {}, epoch -> false, file -> {}, () -> false);

  TrainingListener onEpoch(Consumer<EpochResult> other) {
    return new TrainingListener(other, enough, onCheckpoint, cancelled);
  }

  TrainingListener enough(Predicate<EpochResult> other) {
    return new TrainingListener(onEpoch, other, onCheckpoint, cancelled);
  }

  TrainingListener onCheckpoint(Consumer<Path> other) {
    return new TrainingListener(onEpoch, enough, other, cancelled);
  }

  TrainingListener cancelled(BooleanSupplier other) {
    return new TrainingListener(onEpoch, enough, onCheckpoint, other);
  }
}
