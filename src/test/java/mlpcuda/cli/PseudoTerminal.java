package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import mlpcuda.Child;

/**
 * A window of tmux that nobody looks at, with a program in it: a pseudo-terminal with a screen,
 * which can be typed at, resized and closed. Tests that need it are skipped where tmux is missing,
 * unless the environment has {@code TMUX_REQUIRED}.
 */
final class PseudoTerminal implements AutoCloseable {
  /** The lines of the screen. */
  static final int ROWS = 30;

  private static final int COLUMNS = 100;
  private static final int MINUTES = 5;

  private final Path folder;
  private ProcessHandle shell;

  private PseudoTerminal(Path folder) {
    this.folder = folder;
  }

  /**
   * Starts the program in a window of its own.
   *
   * @param folder the folder for files of the window
   */
  static PseudoTerminal start(Path folder, Object... arguments) {
    return start(folder, java(List.of(), arguments));
  }

  /** The command of the program, with more options for its JVM. */
  static List<String> java(List<String> options, Object... arguments) {
    var all = new ArrayList<>(List.of("-XX:TieredStopAtLevel=1"));
    all.addAll(options);
    return Child.java(all, Main.class, arguments);
  }

  /** Starts a command in a window of its own. */
  static PseudoTerminal start(Path folder, List<String> words) {
    var terminal = new PseudoTerminal(folder);
    String command =
        words.stream()
            .map(word -> "'" + word.replace("'", "'\\''") + "'")
            .collect(Collectors.joining(" "));
    // The shell outlives the signals that all in the window get, and tells how the program ended.
    // When a window is closed, a shell passes SIGHUP on to its jobs, and the system sends it to
    // them once more when the shell ends: the program gets it twice.
    String script =
        """
        exec 3<&0
        %s <&3 &
        program=$!
        trap : INT TERM
        trap 'kill -HUP $program; kill -HUP $program' HUP
        while kill -0 $program
        do
          wait $program
          code=$?
        done 2> /dev/null
        echo $code > '%s'
        mv '%2$s' '%3$s'
        """
            .formatted(command, terminal.codeFile(".new"), terminal.codeFile(""));
    try {
      Files.createDirectories(folder);
      Files.deleteIfExists(terminal.codeFile(""));
      Files.writeString(folder.resolve("script"), script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // The window stays when its program has ended, for tests to read it.
    terminal.tmux(
        "set-option",
        "-g",
        "remain-on-exit",
        "on",
        ";",
        "new-session",
        "-d",
        "-x",
        Integer.toString(COLUMNS),
        "-y",
        Integer.toString(ROWS),
        "sh",
        folder.resolve("script").toString());
    String pid = terminal.tmux("display-message", "-p", "#{pane_pid}").strip();
    terminal.shell = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
    return terminal;
  }

  private Path codeFile(String suffix) {
    return folder.resolve("code" + suffix);
  }

  private String socket() {
    return folder.resolve("socket").toString();
  }

  private String tmux(String... command) {
    var words = new ArrayList<>(List.of("tmux", "-u", "-f", "/dev/null"));
    words.addAll(List.of("-S", socket()));
    words.addAll(List.of(command));
    Child tmux;
    try {
      tmux = Child.start(words);
    } catch (UncheckedIOException e) {
      if (System.getenv("TMUX_REQUIRED") != null) {
        throw e;
      }
      return abort("tmux is needed for a pseudo-terminal: " + e.getMessage());
    }
    try (tmux) {
      String output = tmux.rest();
      assertEquals(0, tmux.exitCode(), output);
      return output;
    }
  }

  /** Types keys by tmux's names: {@code C-c} is Ctrl-C. */
  void type(String keys) {
    tmux("send-keys", keys);
  }

  /** Resizes the window. */
  void resize(int columns) {
    tmux("resize-window", "-x", Integer.toString(columns), "-y", Integer.toString(ROWS));
  }

  /** Closes the window while the program runs in it. */
  void hangUp() {
    tmux("kill-server");
  }

  private long program() {
    return shell.children().findFirst().orElseThrow().pid();
  }

  /** Sends a signal to the program alone. */
  void signal(String name) {
    Child.signal(program(), name);
  }

  /**
   * Waits until the program's process has a thread of that name; Linux cuts it to 15 characters.
   */
  void awaitThread(String name) {
    Path threads = Path.of("/proc", Long.toString(program()), "task");
    await(
        () -> {
          try (Stream<Path> all = Files.list(threads)) {
            return all.anyMatch(thread -> isNamed(thread, name));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        "thread " + name);
  }

  private static boolean isNamed(Path thread, String name) {
    try {
      return Files.readString(thread.resolve("comm")).strip().equals(name);
    } catch (IOException e) {
      return false; // the thread has just ended
    }
  }

  /**
   * All lines that were printed, also above the screen; those that the window broke are whole
   * again.
   */
  List<String> lines() {
    List<String> lines =
        new ArrayList<>(
            tmux("capture-pane", "-p", "-J", "-S", "-")
                .lines()
                .map(String::stripTrailing)
                .toList());
    lines.removeIf(line -> line.startsWith("Pane is dead"));
    while (!lines.isEmpty() && lines.get(lines.size() - 1).isEmpty()) {
      lines.remove(lines.size() - 1);
    }
    return lines;
  }

  /** Waits for a line that matches. */
  void await(String regex) {
    try {
      await(() -> lines().stream().anyMatch(line -> line.matches(regex)), "line " + regex);
    } catch (AssertionError e) {
      throw new AssertionError("the screen:\n" + String.join("\n", lines()), e);
    }
  }

  /** Waits until a condition is true. */
  static void await(BooleanSupplier condition, String what) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > TimeUnit.MINUTES.toNanos(MINUTES)) {
        throw new AssertionError("there is no " + what + " after %d minutes".formatted(MINUTES));
      }
      pause(20);
    }
  }

  static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether the program has ended. */
  boolean hasEnded() {
    return Files.exists(codeFile(""));
  }

  /** Waits for the program's end, and returns its exit code as shells report it. */
  int exitCode() {
    await(this::hasEnded, "end of the program");
    try {
      return Integer.parseInt(Files.readString(codeFile(""), StandardCharsets.US_ASCII).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Closes the window, which kills the program in it. */
  @Override
  public void close() {
    // The program may live on without a window.
    shell.descendants().forEach(ProcessHandle::destroyForcibly);
    try (Child tmux = Child.start(List.of("tmux", "-S", socket(), "kill-server"))) {
      tmux.rest(); // after hangUp there is no server
    }
  }
}
