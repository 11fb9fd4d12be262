package mlpcuda.cli;

import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import mlpcuda.train.Trainer;

/** Shows a run: bars over epochs and batches on a terminal, plain lines elsewhere. */
final class TrainingDisplay implements Trainer.Listener, AutoCloseable {
  private final Terminal terminal;
  private final int epochs;
  private final int logInterval;
  private final long start = System.nanoTime();
  private int batches;
  private ProgressBar epochBar;
  private ProgressBar batchBar;

  TrainingDisplay(Terminal terminal, int epochs, int logInterval) {
    this.terminal = terminal;
    this.epochs = epochs;
    this.logInterval = logInterval;
  }

  @Override
  public void epochBegins(int epoch, int batches) {
    this.batches = batches;
    if (terminal.interactive()) {
      Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
      epochBar = terminal.bar("Epochs ", epochs).startsFrom(epoch - 1, elapsed).build();
      batchBar = terminal.bar("Batches", batches).build();
    }
  }

  @Override
  public void stepDone(Trainer.StepResult result) {
    if (batchBar != null) {
      batchBar.stepTo(result.batch());
    }
    if (result.batch() % logInterval != 0) {
      return;
    }
    if (batchBar != null) {
      batchBar.setExtraMessage(String.format(Locale.ROOT, " loss %.4f", result.loss()));
    } else {
      terminal.line(
          "Epoch %d/%d, batch %d/%d: loss %.4f",
          result.epoch(), epochs, result.batch(), batches, result.loss());
    }
  }

  @Override
  public void epochDone(Trainer.EpochResult result) {
    String line =
        String.format(
            Locale.ROOT,
            "Epoch %d/%d: mean loss %.4f, accuracy %.2f%%%s%s, rate %.2e, %.2f s, %,.0f images/s",
            result.epoch(),
            epochs,
            result.loss(),
            100 * result.accuracy(),
            result.validated()
                ? answers("validation", result.validationLoss(), result.validationAccuracy())
                : "",
            result.tested() ? answers("test", result.testLoss(), result.testAccuracy()) : "",
            result.rate(),
            result.seconds(),
            result.imagesPerSecond());
    close();
    terminal.line(line);
  }

  private static String answers(String set, double loss, double accuracy) {
    return String.format(Locale.ROOT, ", %s loss %.4f, accuracy %.2f%%", set, loss, 100 * accuracy);
  }

  /** Ends the bars, also if training ended early. */
  @Override
  public void close() {
    if (batchBar != null) {
      batchBar.close();
      epochBar.close();
      Terminal.removeBars();
      batchBar = null;
      epochBar = null;
    }
  }
}
