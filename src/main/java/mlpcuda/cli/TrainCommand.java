package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.report.Metrics;
import mlpcuda.report.Tables;
import mlpcuda.run.CommitteePlan;
import mlpcuda.run.FolderLock;
import mlpcuda.run.Resumption;
import mlpcuda.run.RunFolder;
import mlpcuda.run.RunPlan;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code train}: trains, evaluates and saves a network. */
@Command(
    name = "train",
    description = "Trains a network and evaluates it; the default command.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class TrainCommand extends RunOptions implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @ParentCommand private Context context;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description = {
        "Go on with the run of that folder, stopped or finished, with its own options. Beside it may"
            + " stand --epochs, --max-steps and --early-stopping for another end, --data or"
            + " --dataset where the same examples are now, --cpu, --gpu or --threads, --tensorboard,"
            + " --test-at-end, --quiet, --verbose and --json."
      })
  private Path resume;

  @Option(names = "--dry-run", description = "One step and the evaluation; nothing is written.")
  private boolean dryRun;

  @Option(
      names = "--verbose",
      description = "Say also what the start took and what a step asks of the device.")
  private boolean verbose;

  @Option(names = "--quiet", description = "Print the last line and warnings alone.")
  private boolean quiet;

  @Option(
      names = "--json",
      description = "Print the metrics as JSON on standard output, all else on standard error.")
  private boolean json;

  @Override
  public Integer call() {
    if (quiet && verbose) {
      throw refused("--quiet and --verbose exclude each other, found both");
    }
    TrainingTask task = task(Terminal.of(spec.commandLine(), json, quiet));
    Metrics metrics = resume == null ? begin(task) : resume(task);
    if (json) {
      spec.commandLine().getOut().println(Tables.json(metrics.json()));
    }
    return 0;
  }

  private TrainingTask task(Terminal terminal) {
    return new TrainingTask(this, terminal, verbose, context.stopping(), context.startUp());
  }

  /** The task of this command line in a sweep, which prints everything into a log. */
  TrainingTask task(PrintWriter log) {
    return task(new Terminal(log, false, quiet));
  }

  /**
   * The options of the run that this command line begins.
   *
   * @throws ParameterException if it begins no run that writes checkpoints
   */
  RunOptions options() {
    if (resume != null || dryRun) {
      throw refused("found --resume or --dry-run");
    }
    return this;
  }

  private Metrics begin(TrainingTask task) {
    check();
    // A file of arguments, @FILE, is expanded here.
    List<String> words = spec.root().commandLine().getParseResult().expandedArgs();
    try {
      if (committee().isGiven()) {
        var members = new CommitteeTask(task);
        return (dryRun ? members.tryOut(words) : members.begin(words)).metrics();
      }
      return (dryRun ? task.tryOut(words) : task.begin(words)).metrics();
    } catch (SettingException e) {
      throw refused(Failures.message(e));
    } catch (TrainingTask.FinishedRunException e) {
      throw refused(e.getMessage());
    }
  }

  private Metrics resume(TrainingTask task) {
    ParseResult given = spec.commandLine().getParseResult();
    ResumeOptions.check(given);
    device().check();
    data().check();
    boolean ofCommittee = CommitteePlan.isIn(resume);
    if (!ofCommittee && committee().parallel().isPresent()) {
      throw refused("--parallel is of a committee, and %s holds none".formatted(resume));
    }
    if (!ofCommittee && !RunFolder.holdsARun(resume)) {
      return resume(task, given); // this says what is missing, and leaves no lock in the folder
    }
    // The lock is taken before anything is read: a run that is still going would move on meanwhile.
    try (FolderLock lock = FolderLock.take(resume)) {
      task.warnOfNoLock(lock);
      return ofCommittee ? resumeCommittee(task, given) : resume(task, given);
    }
  }

  private Metrics resumeCommittee(TrainingTask task, ParseResult given) {
    CommitteePlan former = CommitteePlan.read(resume);
    ResumeOptions.checkPlaces(former.base(), resume, given);
    try {
      RunPlan plan = ResumeOptions.changed(former.base(), this);
      return new CommitteeTask(task).resume(former.with(plan), resume).metrics();
    } catch (SettingException e) {
      throw refused(Failures.message(e));
    }
  }

  private Metrics resume(TrainingTask task, ParseResult given) {
    Resumption former = Resumption.read(resume, this::formerPlan);
    ResumeOptions.checkPlaces(former.former(), resume, given);
    Resumption from;
    try {
      RunPlan plan = ResumeOptions.changed(former.former(), this);
      from = former.with(plan, ResumeOptions.words(given));
    } catch (SettingException e) {
      throw refused(Failures.message(e));
    }
    return task.resume(from).metrics();
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** Parses the words of a command line of {@code train}; nothing is run yet. */
  static TrainCommand parse(Context context, List<String> words) {
    var line = new CommandLine(context).addSubcommand(new TrainCommand());
    line.registerConverter(Path.class, new Converters.FileName(context.folder()));
    line.setExpandAtFiles(false); // files of arguments were expanded when the run began
    var whole = new ArrayList<>(words);
    if (whole.isEmpty() || !whole.get(0).equals("train")) {
      whole.add(0, "train");
    }
    ParseResult parsed = line.parseArgs(whole.toArray(String[]::new)).subcommand();
    return (TrainCommand) parsed.commandSpec().userObject();
  }

  /** Reads the arguments that a run's checkpoint of version 0.1.0 has. */
  RunPlan formerPlan(List<String> args, int gpu, int threads, Path file) {
    try {
      RunOptions former = parse(context, args).options();
      former.check();
      return former.plan(former.device().former(gpu, threads));
    } catch (ParameterException e) {
      throw new BadFileException(
          "%s: its arguments must be a run's: %s".formatted(file, e.getMessage()));
    }
  }
}
