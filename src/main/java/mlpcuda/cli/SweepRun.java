package mlpcuda.cli;

import mlpcuda.report.Tables;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Reason;
import mlpcuda.files.WholeFile;

/**
 * One run of a sweep. Its folder holds, besides the files of {@code train}, all that it printed and
 * a note of its arguments and of how it ended.
 *
 * @param settings the point of the grid
 * @param arguments the arguments of {@code train}, without the folder and the GPU, which do not
 *     affect the results
 */
record SweepRun(Path folder, Map<String, String> settings, List<String> arguments) {
  private static final String NOTE = "sweep-run.json";
  private static final String LOG = "log.txt";
  private static final int MAX_NAME = 100; // characters: file systems take 255 bytes

  /** The result of a network on a set. */
  record Score(double accuracy, double loss) {}

  /**
   * The end of a run.
   *
   * @param code the exit code, as if it were a process
   * @param error the first line of its error; null if there is none
   * @param validation the validation set's result; null if the run held no examples back
   * @param test the test set's result; null if the run failed
   */
  record Outcome(int code, String error, double seconds, Score validation, Score test) {
    boolean done() {
      return code == 0 && test != null;
    }
  }

  /** The name of a run's folder: its number among {@code count}, and its settings. */
  static String name(int number, int count, Map<String, String> settings) {
    var name = new StringBuilder();
    name.append(("%0" + Math.max(3, Integer.toString(count).length()) + "d").formatted(number));
    settings.forEach((option, value) -> name.append('-').append(option).append('=').append(value));
    String safe = name.toString().replaceAll("[^A-Za-z0-9.,=+-]", "_");
    return safe.substring(0, Math.min(MAX_NAME, safe.length()));
  }

  /**
   * The outcome of this run in an earlier sweep; null if it must run, for the first time or again.
   *
   * @throws IllegalArgumentException if the folder is of another run
   * @throws BadFileException if a file in it cannot be understood
   */
  Outcome former() {
    Path note = folder.resolve(NOTE);
    if (!Files.exists(note)) {
      if (isEmpty()) {
        return null;
      }
      throw new IllegalArgumentException(
          "%s: must be a run of this sweep, or not be there; found files and no %s"
              .formatted(folder, NOTE));
    }
    Map<String, Object> former = read(note);
    if (!arguments.equals(former.get("arguments"))) {
      throw new IllegalArgumentException(
          "%s: must be a run of '%s', found one of '%s'; name another --out"
              .formatted(folder, String.join(" ", arguments), joined(former.get("arguments"))));
    }
    if (!(former.get("exit_code") instanceof Integer code)
        || code != 0
        || !(former.get("seconds") instanceof Number seconds)
        || !Files.exists(folder.resolve("metrics.json"))) {
      return null;
    }
    Outcome outcome = outcome(code, null, seconds.doubleValue());
    return outcome.done() ? outcome : null;
  }

  private boolean isEmpty() {
    if (!Files.exists(folder)) {
      return true;
    }
    WholeFile.clear(folder); // the file that a killed process was writing
    try (Stream<Path> files = Files.list(folder)) {
      return files.allMatch(file -> file.endsWith(FolderLock.FILE));
    } catch (IOException e) {
      return false; // for example because a file has that name
    }
  }

  private static String joined(Object arguments) {
    return arguments instanceof List<?> list
        ? String.join(" ", list.stream().map(String::valueOf).toList())
        : "nothing";
  }

  /**
   * Runs {@code train} on the calling thread; a failure becomes part of the outcome.
   *
   * @param gpu the GPU's index; null for the CPU
   */
  Outcome run(Integer gpu, Gpus gpus, BooleanSupplier stopping) {
    var words = new ArrayList<String>();
    words.add("train");
    if (gpu == null && Files.exists(folder.resolve(RunFolder.CHECKPOINT))) {
      // a GPU's run would go on with its former GPU, which another run may have now
      words.add("--resume=" + folder);
      words.addAll(Resumption.reachingOut(arguments));
    } else {
      words.addAll(arguments);
      if (gpu != null) {
        words.add("--gpu=" + gpu);
      }
      words.add("--out=" + folder);
      // the folder may have a finished run, if a sweep was killed before it noted that
      words.add("--overwrite");
    }
    long start = System.nanoTime();
    try {
      Files.createDirectories(folder);
      note(Map.of());
      int code;
      String error;
      try (var log =
          new PrintWriter(
              Files.newBufferedWriter(
                  folder.resolve(LOG),
                  StandardCharsets.UTF_8,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.APPEND,
                  LinkOption.NOFOLLOW_LINKS), // a link planted here must lead nothing away
              true)) {
        var firstLine = new FirstLine(log);
        code =
            Terminal.unwatched(
                () ->
                    Main.run(
                        words.toArray(String[]::new),
                        log,
                        new PrintWriter(firstLine, true),
                        gpus,
                        stopping));
        error = code == 0 ? null : firstLine.text();
      }
      double seconds = seconds(start);
      var end = new LinkedHashMap<String, Object>();
      end.put("exit_code", code);
      end.put("error", error);
      end.put("seconds", seconds);
      note(end);
      return outcome(code, error, seconds);
    } catch (Exception | Error e) { // a run that fails is a row of the table, and the others go on
      return new Outcome(
          ExitCode.INTERNAL.code, String.valueOf(e.getMessage()), seconds(start), null, null);
    }
  }

  private static double seconds(long start) {
    return Math.round((System.nanoTime() - start) / 1e6) / 1e3;
  }

  private void note(Map<String, Object> end) {
    var note = new LinkedHashMap<String, Object>();
    note.put("version", Main.version());
    note.put("arguments", arguments);
    note.putAll(end);
    WholeFile.write(
        folder.resolve(NOTE), out -> out.write(Tables.json(note).getBytes(StandardCharsets.UTF_8)));
  }

  private Outcome outcome(int code, String error, double seconds) {
    if (code != 0) {
      return new Outcome(code, error, seconds, null, null);
    }
    Map<String, Object> metrics = read(folder.resolve("metrics.json"));
    return new Outcome(
        code, error, seconds, score(metrics.get("validation")), score(metrics.get("test")));
  }

  private static Score score(Object result) {
    return result instanceof Map<?, ?> map
            && map.get("accuracy") instanceof Number accuracy
            && map.get("loss") instanceof Number loss
        ? new Score(accuracy.doubleValue(), loss.doubleValue())
        : null;
  }

  private static Map<String, Object> read(Path file) {
    try {
      return JSON.std.mapFrom(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new BadFileException(
          file + ": this is not what a sweep writes there: " + Reason.of(e), e);
    }
  }

  /** Passes all text on, and keeps the first line. */
  private static final class FirstLine extends Writer {
    private final Writer to;
    private final StringBuilder line = new StringBuilder();
    private boolean ended;

    FirstLine(Writer to) {
      this.to = to;
    }

    String text() {
      return line.toString();
    }

    @Override
    public void write(char[] characters, int from, int count) throws IOException {
      to.write(characters, from, count);
      for (int i = from; i < from + count && !ended; i++) {
        ended = characters[i] == '\n' || characters[i] == '\r';
        if (!ended) {
          line.append(characters[i]);
        }
      }
    }

    @Override
    public void flush() throws IOException {
      to.flush();
    }

    @Override
    public void close() throws IOException {
      to.close();
    }
  }
}
