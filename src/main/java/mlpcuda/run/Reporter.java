package mlpcuda.run;

import java.nio.file.Path;
import mlpcuda.train.Trainer;

/**
 * Hears what a run does, beside the results of its steps and epochs: the command line prints it,
 * the library logs it. The calls come from the run's thread.
 */
public interface Reporter extends Trainer.Listener {
  /** The run tells something that is worth reading, in a line or a table. */
  void line(String text);

  /** The run tells what is probably wrong, in a sentence. */
  void warning(String text);

  /** The run tells its result on the test set, in its last line. */
  void result(String text);

  /** The run tells how it uses the device, in a line for those who measure. */
  default void detail(String text) {}

  /** Everything is set up: the next that the run does is a training step. */
  default void trainingBegins() {}

  /** The importance of columns is measured: so many of all evaluations are done. */
  default void importanceAt(int done, int all) {}

  /** The words that make a stopped run of that folder go on, for a message. */
  String howToResume(Path folder);
}
