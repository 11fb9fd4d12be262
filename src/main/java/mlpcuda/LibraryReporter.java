package mlpcuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import mlpcuda.run.Reporter;
import mlpcuda.run.RunFolder;
import mlpcuda.train.Progress;
import mlpcuda.train.Trainer;

/** Logs what a run tells, and passes the results of its epochs on. */
class LibraryReporter implements Reporter {
  static final System.Logger LOG = System.getLogger("mlpcuda");

  private final int count;
  private final TrainingListener listener;
  private final Optional<Path> folder;
  private final List<EpochResult> epochs = new ArrayList<>();

  /**
   * A reporter of a run.
   *
   * @param count the number of epochs of the run
   * @param listener hears of epochs and checkpoints
   * @param folder the folder of the run; empty: it has none
   */
  LibraryReporter(int count, TrainingListener listener, Optional<Path> folder) {
    this.count = count;
    this.listener = listener;
    this.folder = folder;
  }

  /** The results of the epochs so far. */
  List<EpochResult> epochs() {
    return List.copyOf(epochs);
  }

  @Override
  public void epochDone(Trainer.EpochResult result) {
    EpochResult epoch = EpochResult.of(result, count);
    epochs.add(epoch);
    listener.onEpoch().accept(epoch);
  }

  @Override
  public boolean endsAfter(Trainer.EpochResult result) {
    return listener.enough().test(epochs.get(epochs.size() - 1));
  }

  @Override
  public void checkpoint(Progress progress) {
    folder.ifPresent(of -> listener.onCheckpoint().accept(of.resolve(RunFolder.CHECKPOINT)));
  }

  @Override
  public void line(String text) {
    LOG.log(System.Logger.Level.DEBUG, text);
  }

  @Override
  public void warning(String text) {
    LOG.log(System.Logger.Level.WARNING, text);
  }

  @Override
  public void result(String text) {
    line(text);
  }

  @Override
  public void detail(String text) {
    LOG.log(System.Logger.Level.TRACE, text);
  }

  @Override
  public String howToResume(Path folder) {
    return "Training.resume of " + folder;
  }
}
