package mlpcuda.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import mlpcuda.error.BadFileException;
import mlpcuda.files.Reason;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Build;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.run.FolderLock;
import mlpcuda.run.Resumption;
import mlpcuda.run.RunFolder;
import mlpcuda.run.RunPlan;
import mlpcuda.run.TrainingRun;
import mlpcuda.train.Averages;
import mlpcuda.train.Score;

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
  private static final int MAX_NAME = 100; // characters: file systems take 255 bytes

  /**
   * The end of a run.
   *
   * @param code the exit code, as if it were a process
   * @param error the first line of its error; empty if there is none
   * @param validation the validation set's result; empty if the run held no examples back
   * @param test the test set's result; empty if the run failed
   */
  record Outcome(
      int code,
      Optional<String> error,
      double seconds,
      Optional<Averages> validation,
      Optional<Averages> test) {
    /** The end of a run that has failed. */
    static Outcome failed(int code, String error, double seconds) {
      return new Outcome(code, Optional.of(error), seconds, Optional.empty(), Optional.empty());
    }

    boolean done() {
      return code == 0 && test.isPresent();
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
   * The outcome of this run in an earlier sweep; empty if the run must be made, for the first time
   * or again.
   *
   * @throws IllegalArgumentException if the folder holds another run
   * @throws BadFileException if a file in it cannot be understood
   */
  Optional<Outcome> former() {
    Path note = folder.resolve(NOTE);
    if (!Files.exists(note)) {
      if (isEmpty()) {
        return Optional.empty();
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
      return Optional.empty();
    }
    Map<String, Object> metrics = read(folder.resolve("metrics.json"));
    var outcome =
        new Outcome(
            code,
            Optional.empty(),
            seconds.doubleValue(),
            averages(metrics.get("validation")),
            averages(metrics.get("test")));
    return Optional.of(outcome).filter(Outcome::done);
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
   * Trains on the calling thread; a failure becomes part of the outcome.
   *
   * @param gpu the GPU's index; empty for the CPU
   * @param context the GPUs of the machine, and whether to stop
   */
  Outcome run(OptionalInt gpu, Context context) {
    long start = System.nanoTime();
    try {
      Files.createDirectories(folder);
      note(Map.of());
      Outcome outcome = logged(gpu, context, start);
      var end = new LinkedHashMap<String, Object>();
      end.put("exit_code", outcome.code);
      end.put("error", outcome.error.orElse(null));
      end.put("seconds", outcome.seconds);
      note(end);
      return outcome;
    } catch (Exception | Error e) { // a run that fails is a row of the table, and the others go on
      return Outcome.failed(ExitCode.INTERNAL.code, String.valueOf(e.getMessage()), seconds(start));
    }
  }

  private Outcome logged(OptionalInt gpu, Context context, long start) throws IOException {
    try (PrintWriter log = RunLog.open(folder)) {
      try {
        TrainingRun.Result result = train(gpu, context, Printable.safe(log));
        return new Outcome(
            0,
            Optional.empty(),
            seconds(start),
            result.validation().map(Score::averages),
            Optional.of(result.test().averages()));
      } catch (Exception | OutOfMemoryError e) {
        var lines = new StringWriter();
        int code = Failures.report(e, Printable.safe(new PrintWriter(lines)));
        log.print(lines);
        return Outcome.failed(
            code, lines.toString().lines().findFirst().orElse(""), seconds(start));
      }
    }
  }

  private TrainingRun.Result train(OptionalInt gpu, Context sweeps, PrintWriter log) {
    var words = new ArrayList<>(arguments);
    gpu.ifPresent(index -> words.add("--gpu=" + index));
    words.add("--out=" + folder);
    words.add("--overwrite"); // a killed sweep may have left a finished run that it had not noted
    // The context is the run's own, because it measures the times of a start.
    TrainCommand command =
        TrainCommand.parse(new Context(sweeps.gpus(), sweeps.stopping(), sweeps.folder()), words);
    TrainingTask task = command.task(log);
    // A GPU's run would go on with its former GPU, which another run may have now.
    if (gpu.isPresent() || !RunFolder.holdsARun(folder)) {
      words.add(0, "train");
      return task.begin(words);
    }
    try (FolderLock lock = FolderLock.take(folder)) {
      task.warnOfNoLock(lock);
      Resumption former = Resumption.read(folder, command::formerPlan);
      RunPlan plan = command.options().plan(former.former().device());
      return task.resume(former.with(plan, List.of()));
    }
  }

  private static double seconds(long start) {
    return Math.round((System.nanoTime() - start) / 1e6) / 1e3;
  }

  private void note(Map<String, Object> end) {
    var note = new LinkedHashMap<String, Object>();
    note.put("version", Build.version());
    note.put("arguments", arguments);
    note.putAll(end);
    WholeFile.write(
        folder.resolve(NOTE), out -> out.write(Tables.json(note).getBytes(StandardCharsets.UTF_8)));
  }

  private static Optional<Averages> averages(Object result) {
    return result instanceof Map<?, ?> map
            && map.get("accuracy") instanceof Number accuracy
            && map.get("loss") instanceof Number loss
        ? Optional.of(new Averages(loss.doubleValue(), accuracy.doubleValue()))
        : Optional.empty();
  }

  private static Map<String, Object> read(Path file) {
    try {
      return JSON.std.mapFrom(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new BadFileException(
          file + ": this is not what a sweep writes there: " + Reason.of(e), e);
    }
  }
}
