package mlpcuda.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import mlpcuda.run.Reporter;
import mlpcuda.run.RunPlan;
import mlpcuda.train.Averages;
import mlpcuda.train.Trainer;

/** Shows a run: bars over epochs and batches on a terminal, plain lines elsewhere. */
class TrainingDisplay implements Reporter, AutoCloseable {
  private final Terminal terminal;
  private final RunPlan plan;
  private final boolean verbose;
  private final StartUp startUp;
  private final int epochs;
  private final int logInterval;
  private final long start = System.nanoTime();
  private int batches;
  private ProgressBar epochBar;
  private ProgressBar batchBar;
  private final ImportanceBar importanceBar;

  /**
   * The display of a run of that plan.
   *
   * @param verbose whether the times of the start and the launches of a step are shown
   * @param startUp the times of the program's start
   */
  TrainingDisplay(Terminal terminal, RunPlan plan, boolean verbose, StartUp startUp) {
    this.terminal = terminal;
    this.plan = plan;
    this.verbose = verbose;
    this.startUp = startUp;
    this.importanceBar = new ImportanceBar(terminal);
    this.epochs = plan.settings().course().epochs();
    this.logInterval = plan.settings().recording().logInterval();
  }

  @Override
  public void line(String text) {
    terminal.line(text);
  }

  @Override
  public void warning(String text) {
    terminal.always(text);
  }

  @Override
  public void result(String text) {
    terminal.always(text);
  }

  @Override
  public void detail(String text) {
    if (verbose) {
      terminal.line(text);
    }
  }

  @Override
  public void trainingBegins() {
    startUp.ended("network and files");
    if (verbose) {
      terminal.line(startUp.toString());
    }
  }

  @Override
  public void importanceAt(int done, int all) {
    importanceBar.at(done, all);
  }

  @Override
  public String howToResume(Path folder) {
    return ResumeOptions.command(plan, folder);
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
    endBars();
    terminal.line(line(result, epochs));
  }

  /** The line of an epoch, of so many. */
  static String line(Trainer.EpochResult result, int epochs) {
    return String.format(
        Locale.ROOT,
        "Epoch %d/%d: mean loss %.4f, accuracy %.2f%%%s%s, rate %.2e, %.2f s, %,.0f images/s",
        result.epoch(),
        epochs,
        result.train().loss(),
        100 * result.train().accuracy(),
        result.validation().map(averages -> answers("validation", averages)).orElse(""),
        result.test().map(averages -> answers("test", averages)).orElse(""),
        result.rate(),
        result.seconds(),
        result.imagesPerSecond());
  }

  private static String answers(String set, Averages of) {
    return String.format(
        Locale.ROOT, ", %s loss %.4f, accuracy %.2f%%", set, of.loss(), 100 * of.accuracy());
  }

  /** Ends the bars, also if training ended early. */
  @Override
  public void close() {
    endBars();
    importanceBar.close();
  }

  private void endBars() {
    if (batchBar != null) {
      batchBar.close();
      epochBar.close();
      Terminal.removeBars();
      batchBar = null;
      epochBar = null;
    }
  }
}
