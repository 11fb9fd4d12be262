package mlpcuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import mlpcuda.run.Reporter;
import mlpcuda.train.Trainer;

/** Logs what a run tells, and passes the results of its epochs on. */
class LibraryReporter implements Reporter {
  static final System.Logger LOG = System.getLogger("mlpcuda");

  private final int count;
  private final Consumer<EpochResult> listener;
  private final List<EpochResult> epochs = new ArrayList<>();

  /**
   * A reporter of a run.
   *
   * @param count the number of epochs of the run
   * @param listener gets the result of each epoch
   */
  LibraryReporter(int count, Consumer<EpochResult> listener) {
    this.count = count;
    this.listener = listener;
  }

  /** The results of the epochs so far. */
  List<EpochResult> epochs() {
    return List.copyOf(epochs);
  }

  @Override
  public void epochDone(Trainer.EpochResult result) {
    EpochResult epoch = EpochResult.of(result, count);
    epochs.add(epoch);
    listener.accept(epoch);
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
