package mlpcuda.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import mlpcuda.report.Printable;
import mlpcuda.run.LoadingListener;
import picocli.CommandLine;

/** The output that people read: lines always, and progress bars where someone is watching. */
final class Terminal {
  private static final Bars BARS = Bars.ofProcess();

  /** Whether somebody watches the output of the thread's work. */
  private static final ThreadLocal<Boolean> WATCHED = ThreadLocal.withInitial(() -> true);

  private final PrintWriter out;
  private final boolean interactive;
  private final boolean quiet;

  /** A terminal that prints lines to {@code out}. */
  Terminal(PrintWriter out, boolean interactive) {
    this(out, interactive, false);
  }

  /** A terminal that prints to {@code out}; a quiet one prints results and warnings alone. */
  Terminal(PrintWriter out, boolean interactive, boolean quiet) {
    this.out = out;
    this.interactive = interactive;
    this.quiet = quiet;
  }

  /**
   * The terminal of a command: its standard output, or its standard error where that output is
   * JSON.
   *
   * @param quiet whether only results and warnings are printed, and beside JSON nothing
   */
  static Terminal of(CommandLine command, boolean json, boolean quiet) {
    PrintWriter out = json ? command.getErr() : command.getOut();
    return new Terminal(
        json && quiet ? new PrintWriter(Writer.nullWriter()) : out,
        !quiet && isInteractive(),
        quiet);
  }

  /** Whether a person is watching: standard input and output are a terminal. */
  static boolean isInteractive() {
    if (!WATCHED.get()) {
      return false;
    }
    Console console = System.console();
    // a dumb terminal cannot move its cursor
    if (console == null || "dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try { // From JDK 22 on there is a console without a terminal too.
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }

  /**
   * Runs a task whose output nobody watches, terminal or not: the bars of several runs would mix.
   */
  static int unwatched(IntSupplier task) {
    WATCHED.set(false);
    try {
      return task.getAsInt();
    } finally {
      WATCHED.remove();
    }
  }

  /** Whether bars are drawn. */
  boolean interactive() {
    return interactive;
  }

  /** Prints lines that are the program's own, unless the terminal is quiet. */
  void line(String lines) {
    if (!quiet) {
      always(lines);
    }
  }

  /**
   * Prints a line, unless the terminal is quiet.
   *
   * @param values what the line tells; texts and paths may come from files, and stay on that line
   */
  void line(String format, Object... values) {
    Object[] shown =
        Arrays.stream(values)
            .map(
                v -> v instanceof String || v instanceof Path ? Printable.oneLine(v.toString()) : v)
            .toArray();
    line(String.format(Locale.ROOT, format, shown));
  }

  /** Prints a result or a warning, which a quiet terminal shows too. */
  void always(String line) {
    BARS.above(() -> out.println(line));
  }

  /** Clears the place of the bars, for a line that this class does not print. */
  static void eraseBars() {
    BARS.erase();
  }

  /** Takes all bars off the screen, after they were closed. */
  static void removeBars() {
    BARS.removeAll();
  }

  /** Takes the bars off the screen for good, because the process ends. */
  static void endBars() {
    BARS.end();
  }

  /** Makes a bar at the bottom of the screen; for an interactive terminal alone. */
  ProgressBarBuilder bar(String task, long max) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(max)
        .setUpdateIntervalMillis(100)
        .setStyle(style())
        .setConsumer(BARS.add());
  }

  private static ProgressBarStyle style() {
    // Only newer JDKs set the property; older ones print in the locale's charset.
    String encoding = System.getProperty("stdout.encoding", Charset.defaultCharset().name());
    boolean blocks = Charset.forName(encoding).newEncoder().canEncode('\u2588');
    return blocks ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII;
  }

  /**
   * Shows how a data set is loaded: a line as each download begins, and a bar while a download or
   * the reading of files lasts. The caller closes it.
   */
  Loading loading() {
    return new Loading();
  }

  /** Shows the loading of one data set. */
  final class Loading implements LoadingListener, AutoCloseable {
    private String file;
    private ProgressBar bar;

    @Override
    public void report(String file, long bytes, long total) {
      if (!file.equals(this.file)) {
        close();
        this.file = file;
        line("Fetching %s", file);
        if (interactive) {
          bar = bar(file, total).setUnit(" MB", 1_000_000).build();
        }
      }
      if (bar != null) {
        bar.maxHint(total).stepTo(bytes); // the next mirror begins at 0 again
      }
    }

    @Override
    public void at(long done, long all) {
      if (!interactive) {
        return;
      }
      if (bar == null) {
        bar = bar("Reading", all).build();
      }
      bar.maxHint(Math.max(all, done)).stepTo(done);
    }

    @Override
    public void note(String sentence) {
      always(Printable.oneLine(sentence));
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
        removeBars();
        bar = null;
      }
    }
  }
}
