package mlpcuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A process that a test starts. A child that does not answer is killed after some minutes: its
 * output ends then, so that a test which reads it fails rather than waits for ever. JUnit's
 * timeouts do not interrupt such a read.
 */
public final class Child implements AutoCloseable {
  private static final int MINUTES = 5;

  private static final boolean CAN_RESTORE_SIGINT = canRestoreSigint();

  private final Process process;
  private volatile boolean tooLate;

  private Child(Process process) {
    this.process = process;
    CompletableFuture.delayedExecutor(MINUTES, TimeUnit.MINUTES)
        .execute(
            () -> {
              if (process.isAlive()) {
                tooLate = true;
                kill();
              }
            });
  }

  /** Starts a process; its standard error goes where its standard output goes. */
  public static Child start(List<String> command) {
    return start(new ProcessBuilder(command).redirectErrorStream(true));
  }

  /** Starts a process. */
  public static Child start(ProcessBuilder builder) {
    try {
      return new Child(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The command of a JVM on the tests' class path, which Ctrl-C ends. A JVM whose parent ignores
   * SIGINT, as {@code nohup} and a shell's background jobs may, would ignore it, too.
   *
   * @param options the options of the JVM
   */
  public static List<String> java(List<String> options, Class<?> main, Object... arguments) {
    var command = new ArrayList<String>();
    if (CAN_RESTORE_SIGINT) {
      command.addAll(List.of("env", "--default-signal=INT"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED"); // without it the JVM prints a warning
    }
    // A process of a test lives for a second: it starts sooner without the optimising compiler.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    return command;
  }

  private static boolean canRestoreSigint() {
    try { // not every system's env has the option
      var probe = new ProcessBuilder("env", "--default-signal=INT", "true");
      return probe.redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The process itself. */
  public Process process() {
    return process;
  }

  /** The output of the process. */
  public BufferedReader output() {
    return process.inputReader();
  }

  /** All that the process prints from here to its end. */
  public String rest() {
    return output().lines().map(line -> line + "\n").collect(Collectors.joining());
  }

  /** Sends a signal to the process, as a shell does. */
  public void signal(String name) {
    signal(process.pid(), name);
  }

  /** Sends a signal to any process. */
  public static void signal(long pid, String name) {
    try (Child kill = start(List.of("kill", "-" + name, Long.toString(pid)))) {
      String output = kill.rest();
      assertEquals(0, kill.exitCode(), output);
    }
  }

  /**
   * Suspends the process: after this call none of its threads runs, so that none writes a file. The
   * kernel delivers SIGSTOP to each thread later than {@code kill} returns, and a thread that is
   * inside of a write finishes it first; this method waits for that.
   */
  public void suspend() {
    signal("STOP");
    try {
      while (!states().allMatch("T"::equals)) {
        assertTrue(process.isAlive(), "the process ended before it was suspended");
        Thread.sleep(1);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The state letter of each thread of the process, or of the process where there is no /proc. */
  private Stream<String> states() {
    var command =
        Files.isDirectory(Path.of("/proc/self/task"))
            ? List.of("ps", "-L", "-o", "state=", "-p", Long.toString(process.pid()))
            : List.of("ps", "-o", "state=", "-p", Long.toString(process.pid()));
    try (Child ps = start(command)) {
      return ps.rest().lines().map(line -> line.strip().substring(0, 1));
    }
  }

  /** Waits until the process has ended, and returns its exit code. */
  public int exitCode() {
    try {
      int code = process.waitFor();
      if (tooLate) {
        throw new AssertionError(
            "the process had to be killed after %d minutes: %s"
                .formatted(MINUTES, process.info().commandLine().orElse("")));
      }
      return code;
    } catch (InterruptedException e) {
      kill();
      throw new IllegalStateException(e);
    }
  }

  private void kill() {
    // Descendants hold the output open, too.
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Kills the process if it runs, and waits for its end. */
  @Override
  public void close() {
    kill();
    exitCode();
  }
}
