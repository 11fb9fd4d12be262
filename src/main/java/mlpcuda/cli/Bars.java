package mlpcuda.cli;

import java.io.IOError;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import me.tongfei.progressbar.ProgressBarConsumer;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/**
 * Progress bars at the bottom of a terminal: a block of lines that is drawn over itself. Between
 * two drawings the cursor stands at the beginning of the block. A terminal that breaks its lines
 * anew when its window is resized moves the cursor with the text, so the whole of an old block lies
 * behind the cursor, and the next drawing clears it.
 *
 * <p>The library's own consumer asks JLine for a terminal with native signals, and that one gives
 * SIGINT its default action: Ctrl-C would kill the process before a run has saved anything.
 */
final class Bars {
  /**
   * Makes the terminal cut lines that are wider than a window just made narrower, and not break
   * them.
   */
  private static final String CUT_LINES = "\u001b[?7l";

  private static final String BREAK_LINES = "\u001b[?7h";
  private static final String CLEAR_TO_END_OF_LINE = "\u001b[K";
  private static final String CLEAR_TO_END_OF_SCREEN = "\u001b[J";
  private static final int USUAL_WIDTH = 80;

  private final PrintStream screen;
  private final IntSupplier width;
  private final List<Bar> bars = new ArrayList<>();
  private boolean used;
  private boolean ended;

  /**
   * Bars on a screen.
   *
   * @param width the screen's columns; 0 or less: unknown
   */
  Bars(PrintStream screen, IntSupplier width) {
    this.screen = screen;
    this.width = width;
  }

  /** The bars of the terminal that is the process's standard output. */
  static Bars ofProcess() {
    return new Bars(System.out, new Columns());
  }

  /** Adds a bar below the others. */
  synchronized ProgressBarConsumer add() {
    var bar = new Bar();
    bars.add(bar);
    return bar;
  }

  /** Prints lines above the bars. */
  synchronized void above(Runnable lines) {
    if (!used) {
      lines.run();
      return;
    }
    erase();
    lines.run();
    draw();
  }

  /**
   * Clears the place of the bars, and what Ctrl-C echoed there. Open bars are drawn again later.
   */
  synchronized void erase() {
    if (used) {
      screen.print("\r" + BREAK_LINES + CLEAR_TO_END_OF_SCREEN);
      screen.flush();
    }
  }

  /**
   * Takes all bars off the screen. The library does not close the consumer of a bar that was closed
   * before its first drawing, as in an epoch of some ms, and such a bar would stay for ever.
   */
  synchronized void removeAll() {
    erase();
    bars.clear();
  }

  /** Takes the bars off the screen for good. */
  synchronized void end() {
    erase();
    ended = true;
  }

  /**
   * Draws all bars, each on a line that is cleared from its beginning. A line that the terminal has
   * broken in two stays joined with the next line until it is cleared, whatever is written over it;
   * the next resize would join a bar with the line below.
   */
  private void draw() {
    var block = new StringBuilder(CUT_LINES);
    int lines = 0;
    for (Bar bar : bars) {
      if (!bar.text.isEmpty()) {
        block.append(lines++ == 0 ? "\r" : "\r\n").append(CLEAR_TO_END_OF_LINE).append(bar.text);
      }
    }
    if (ended || lines == 0) {
      return;
    }
    block.append(CLEAR_TO_END_OF_SCREEN).append(BREAK_LINES);
    if (lines > 1) {
      block.append("\u001b[").append(lines - 1).append('A');
    }
    screen.print(block.append('\r'));
    screen.flush();
    used = true;
  }

  /** A bar, which is one line of the block. */
  private final class Bar implements ProgressBarConsumer {
    private String text = "";

    @Override
    public int getMaxRenderedLength() {
      int columns = width.getAsInt();
      return (columns > 0 ? columns : USUAL_WIDTH) - 1; // a full line may break by itself
    }

    @Override
    public void accept(String line) {
      synchronized (Bars.this) {
        text = line;
        draw();
      }
    }

    /** Leaves the bar as it is: {@link #removeAll} takes it off the screen, with all others. */
    @Override
    public void close() {}
  }

  /**
   * The width of the process's terminal. JLine starts a process, {@code stty}, for each answer,
   * which takes some milliseconds: it is asked once a second, and the terminal cuts what is drawn
   * too wide until then.
   */
  private static final class Columns implements IntSupplier {
    private static final long NANOS = 1_000_000_000;

    private Terminal terminal;
    private long asked;
    private int last;

    @Override
    public synchronized int getAsInt() {
      long now = System.nanoTime();
      if (terminal == null || now - asked > NANOS) {
        asked = now;
        ask();
      }
      return last;
    }

    private void ask() {
      try {
        if (terminal == null) {
          terminal = TerminalBuilder.builder().system(true).dumb(true).nativeSignals(false).build();
        }
        last = terminal.getWidth();
      } catch (IOException | RuntimeException | IOError e) {
        // The window has been closed, and the run goes on to its checkpoint.
      }
    }
  }
}
