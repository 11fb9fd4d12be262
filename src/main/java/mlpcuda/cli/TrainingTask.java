package mlpcuda.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import mlpcuda.data.LabelledData;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.error.StoppedException;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Printable;
import mlpcuda.run.CommitteeFolder;
import mlpcuda.run.FolderLock;
import mlpcuda.run.Resumption;
import mlpcuda.run.RunData;
import mlpcuda.run.RunDescription;
import mlpcuda.run.RunFolder;
import mlpcuda.run.RunPlan;
import mlpcuda.run.RunState;
import mlpcuda.run.Start;
import mlpcuda.run.TrainingRun;
import mlpcuda.train.Progress;

/**
 * A training run that a command line asks for: it opens device and data, takes the run's folder,
 * and trains. {@code train} has one, and {@code sweep} has many.
 *
 * @param options the options of the run
 * @param terminal where it prints
 * @param verbose whether it prints the times of the start and the launches of a step
 * @param stop asked before each step whether to end the run
 * @param startUp the times of the program's start
 */
record TrainingTask(
    RunOptions options, Terminal terminal, boolean verbose, BooleanSupplier stop, StartUp startUp) {
  /** Thrown where the folder of a new run holds a finished one that shall not be replaced. */
  static final class FinishedRunException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private FinishedRunException(Path folder) {
      super(
          folder
              + ": this folder holds a finished run; --overwrite replaces it, --resume goes on with"
              + " it, or name another --out");
    }
  }

  /**
   * Begins a run.
   *
   * @param command the words of the command line, for the record
   */
  TrainingRun.Result begin(List<String> command) {
    try (Opened opened = Opened.of(options.device(), options.data(), terminal)) {
      RunPlan plan = options.plan(opened.device().choice());
      RunData data = RunData.of(plan.settings(), opened.dataset(), plan.data());
      var weights = options.initialWeights(data.shape());
      Path folder = folder(); // made when nothing is left to refuse
      try (FolderLock lock = FolderLock.take(folder)) {
        warnOfNoLock(lock);
        refuseFinished(folder);
        CommitteeFolder.forget(folder);
        Start start = new Start.Fresh(RunState.begin(plan, data, opened.ops(), command), weights);
        return run(opened, data, start, Optional.of(folder));
      }
    }
  }

  /** Refuses a folder that holds a finished run, unless that shall be replaced. */
  void refuseFinished(Path folder) {
    if (!options.recording().overwrite() && RunFolder.holdsTheEnd(folder)) {
      throw new FinishedRunException(folder);
    }
  }

  /** Takes one step and evaluates the network; nothing is written. */
  TrainingRun.Result tryOut(List<String> command) {
    try (Opened opened = Opened.of(options.device(), options.data(), terminal)) {
      RunPlan plan = options.plan(opened.device().choice()).forOneStep();
      RunData data = RunData.of(plan.settings(), opened.dataset(), plan.data());
      Start start =
          new Start.Fresh(
              RunState.begin(plan, data, opened.ops(), command),
              options.initialWeights(data.shape()));
      return run(opened, data, start, Optional.empty());
    }
  }

  /** Goes on with a run, whose folder the caller has locked. */
  TrainingRun.Result resume(Resumption from) {
    RunPlan plan = from.state().plan();
    try (Opened opened =
        Opened.of(
            () -> options.device().open(plan.device()),
            () -> DataOptions.load(plan.data(), terminal),
            startUp)) {
      RunData data = from.check(data(from, opened.dataset()));
      from.check(opened.ops(), data);
      try {
        writable(from.folder());
      } catch (IOException e) {
        throw WholeFile.notAFolder("--resume " + from.folder(), e);
      }
      WholeFile.clear(from.folder());
      return run(opened, data, new Start.Resumed(from), Optional.of(from.folder()));
    }
  }

  private static RunData data(Resumption from, LabelledData dataset) {
    RunPlan plan = from.state().plan();
    try {
      return RunData.of(plan.settings(), dataset, plan.data());
    } catch (SettingException e) {
      throw new BadFileException(
          "%s: its settings must be a run's and fit the data: %s"
              .formatted(from.file(), e.getMessage()));
    }
  }

  private TrainingRun.Result run(Opened opened, RunData data, Start start, Optional<Path> folder) {
    RunPlan plan = start.state().plan();
    String device = RunDescription.device(opened.ops(), data, plan.settings());
    terminal.line("%s", opened.device().line(device));
    if (verbose) {
      opened.ops().tellNotes(line -> terminal.line("%s", line));
    }
    if (start instanceof Start.Resumed resumed) {
      resumed
          .from()
          .differences(device, data.train().size())
          .forEach(difference -> terminal.always(Printable.oneLine(difference)));
    }
    // A process that was asked is waited for: from here on a stop leaves a checkpoint.
    if (stop instanceof Stop process && process.getAsBoolean()) {
      Progress at = start.state().progress();
      throw new StoppedException(at.epoch(), at.steps());
    }
    try (var display = new TrainingDisplay(terminal, plan, verbose, startUp)) {
      return new TrainingRun(opened.ops(), data, start, folder, display, stop).run();
    }
  }

  /** Warns of a folder whose file system has no locks. */
  void warnOfNoLock(FolderLock lock) {
    lock.warning().ifPresent(text -> terminal.always(Printable.oneLine(text)));
  }

  /** Makes the run's folder: the one of {@code --out}, or a new one that is named by the time. */
  Path folder() {
    Optional<Path> out = options.recording().out();
    try {
      if (out.isPresent()) {
        Files.createDirectories(out.get()); // this may return an absolute path for a relative one
        return writable(out.get());
      }
      Path runs = Files.createDirectories(Path.of("runs"));
      String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss"));
      for (int i = 1; ; i++) {
        try {
          return Files.createDirectory(runs.resolve(i == 1 ? time : time + "-" + i));
        } catch (FileAlreadyExistsException e) {
          // Another run began in the same second, so the next name is tried.
        }
      }
    } catch (IOException e) {
      throw WholeFile.notAFolder(out.map(path -> "--out " + path).orElse("runs"), e);
    }
  }

  /** The folder itself, which is better refused now than after the first epoch. */
  private static Path writable(Path folder) throws IOException {
    if (!Files.isWritable(folder)) {
      throw new AccessDeniedException(folder.toString(), null, "no permission to write");
    }
    return folder;
  }
}
