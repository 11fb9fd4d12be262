package mlpcuda.cli;

import me.tongfei.progressbar.ProgressBar;
import mlpcuda.train.Importance;

/** Shows how far the importance of columns is measured: a bar on a terminal, nothing elsewhere. */
final class ImportanceBar implements Importance.Listener, AutoCloseable {
  private final Terminal terminal;
  private ProgressBar bar;

  ImportanceBar(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void at(int done, int all) {
    if (!terminal.interactive()) {
      return;
    }
    if (bar == null) {
      bar = terminal.bar("Permutations", all).build();
    }
    bar.stepTo(done);
    if (done == all) {
      close();
    }
  }

  /** Ends the bar, also if the measurement ended early. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      Terminal.removeBars();
      bar = null;
    }
  }
}
