package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Stack;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.cli.SweepTable.Row;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.error.DeviceException;
import mlpcuda.files.InputFile;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.run.FolderLock;
import mlpcuda.train.Averages;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code sweep}: a run of {@code train} for each point of a grid, several at once. */
@Command(
    name = "sweep",
    description = "Trains once for each point of a grid over options of train.",
    customSynopsis = {
      "mlp-cuda sweep --grid NAME=VALUES... [OPTIONS]",
      "                      [options of train, for every run]"
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    footer = {
      "",
      "A sweep that is started again with its --out runs only what is not done. Without --gpus the runs"
          + " are on the CPU.",
      "Exit codes: 0 every run is done; 1 a run failed, the table says how; 130 stopped; else as"
          + " train has them, and nothing was run."
    })
final class SweepCommand implements Callable<Integer> {
  /**
   * The options of {@code train} that every run gets from the sweep, or that make no sense in one.
   */
  private static final List<String> OWN =
      List.of(
          "--out",
          "--overwrite",
          "--tensorboard",
          "--json",
          "--gpu",
          "--dry-run",
          "--resume",
          "--help",
          "--version");

  @Spec private CommandSpec spec;
  @ParentCommand private Context context;

  @Option(
      names = "--grid",
      paramLabel = "NAME=VALUES",
      required = true,
      arity = "1..*",
      parameterConsumer = GridWords.class,
      description = {
        "An option of train, without dashes, and its values: lr=1e-3,3e-4 seed=1..5. Where values"
            + " have commas themselves, ; separates: \"hidden=128,64;300,300\". An option that"
            + " takes no value is given or not: no-graph=true,false. With --random also"
            + " lr=1e-4~1e-2, drawn evenly on a logarithmic scale."
      })
  private List<String> grid = new ArrayList<>();

  @Option(
      names = "--random",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Visit N different points, drawn at random. Default: every point.")
  private Integer random;

  @Option(
      names = "--sweep-seed",
      paramLabel = "N",
      converter = Converters.Whole.class,
      description = "Seed of what --random draws. Default: 1.")
  private Long sweepSeed;

  @Option(
      names = "--parallel",
      paramLabel = "P",
      converter = Converters.Positive.class,
      description =
          "Runs at once. Default: one for each of --gpus; on the CPU as many as there are"
              + " processors, with --threads 1 each unless that is given.")
  private Integer parallel;

  @Option(
      names = "--gpus",
      paramLabel = "N",
      split = ",",
      converter = Converters.NotNegative.class,
      description = "Run on these GPUs. Default: on the CPU.")
  private List<Integer> gpus = new ArrayList<>();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Folder for the runs' folders, sweep.json and sweep.csv. Default: runs/sweep-<time>.")
  private Path out;

  @Option(names = "--quiet", description = "Print the tables alone, and no line for each run.")
  private boolean quiet;

  @Option(
      names = "--json",
      description = "Print sweep.json on standard output, all else on standard error.")
  private boolean json;

  @Unmatched private List<String> common = new ArrayList<>();

  /** Parses the options of a run, and runs nothing. */
  private final CommandLine train =
      new CommandLine(new TrainCommand()).registerConverter(Path.class, new Converters.FileName());

  /** Takes words up to the next option, which may be one of {@code train}, too. */
  static final class GridWords implements IParameterConsumer {
    @Override
    public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
      var taken = new ArrayList<String>(option.<List<String>>getValue());
      int before = taken.size();
      while (!words.isEmpty() && !words.peek().startsWith("-")) {
        taken.add(words.pop());
      }
      if (taken.size() == before) {
        throw new ParameterException(
            command.commandLine(), "Missing required parameter for option '--grid' (NAME=VALUES)");
      }
      option.setValue(taken);
    }
  }

  @Override
  public Integer call() {
    if (out == null) {
      String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss"));
      out = Path.of("runs", "sweep-" + time);
    }
    try {
      Grid points = Grid.parse(grid, train.getCommandSpec());
      check();
      List<SweepRun> runs = runs(points);
      if (!Files.isDirectory(out)) {
        openDevices();
        makeFolder();
      }
      try (FolderLock lock = FolderLock.take(out)) {
        if (!lock.locked()) {
          spec.commandLine()
              .getErr()
              .println(name() + ": its file system knows no locks, so keep other sweeps out of it");
        }
        return sweep(points, runs);
      }
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  /** Runs the points that are not done yet, in the locked folder, and prints the tables. */
  private int sweep(Grid points, List<SweepRun> runs) {
    var outcomes = new ArrayList<Optional<Outcome>>();
    runs.forEach(run -> outcomes.add(run.former()));
    PrintWriter standardOut = spec.commandLine().getOut();
    PrintWriter lines = json ? spec.commandLine().getErr() : standardOut;
    int done = (int) outcomes.stream().filter(Optional::isPresent).count();
    if (done < runs.size()) {
      openDevices();
    }
    PrintWriter progress = quiet ? new PrintWriter(Writer.nullWriter()) : lines;
    progress.println(
        "%s: %s, %d of them done before".formatted(name(), Tables.count(runs.size(), "run"), done));
    if (done < runs.size()) {
      runAll(runs, outcomes, progress);
    }
    var rows = new ArrayList<Row>();
    for (int i = 0; i < outcomes.size(); i++) {
      rows.add(new Row(runs.get(i), outcomes.get(i)));
    }
    var table = new SweepTable(points.varying(), rows);
    String document = Tables.json(table.json());
    write("sweep.json", document + "\n");
    write("sweep.csv", table.csv());
    lines.println(table.text());
    if (json) {
      standardOut.println(document);
    }
    return exitCode(rows, lines);
  }

  private void check() {
    if (sweepSeed != null && random == null) {
      throw new IllegalArgumentException("--sweep-seed needs --random, found it alone");
    }
    if (gpus.stream().distinct().count() < gpus.size()) {
      throw new IllegalArgumentException("--gpus must differ, found one twice in " + gpus);
    }
  }

  // ---- what is to be run ----

  private List<SweepRun> runs(Grid points) {
    List<Map<String, String>> all =
        random == null ? points.all() : points.random(random, sweepSeed == null ? 1 : sweepSeed);
    var runs = new ArrayList<SweepRun>();
    for (Map<String, String> settings : all) {
      var words = new ArrayList<>(common);
      words.addAll(points.words(settings));
      ParseResult given = parsed(words);
      for (OptionSpec option : given.matchedOptions()) {
        if (OWN.contains(option.longestName())) {
          throw new IllegalArgumentException(
              "an option of train in a sweep must be none of %s; found %s"
                  .formatted(String.join(", ", OWN), option.longestName()));
        }
      }
      checkInit(given.matchedOptionValue("--init", null));
      if (gpus.isEmpty()) {
        if (!given.hasMatchedOption("--cpu")) {
          words.add("--cpu");
        }
        if (!given.hasMatchedOption("--threads")) {
          words.add("--threads=1");
        }
        checkOptions(parsed(words));
      } else {
        checkOptions(parsed(concat(words, "--gpu=" + gpus.get(0))));
      }
      String name = SweepRun.name(runs.size() + 1, all.size(), settings);
      runs.add(new SweepRun(out.resolve(name), settings, List.copyOf(words)));
    }
    return runs;
  }

  /**
   * Refuses a pipe: runs at the same time would share its bytes, and later runs would wait for
   * more.
   */
  private static void checkInit(Path init) {
    if (init != null && InputFile.isStream(init)) {
      throw new IllegalArgumentException(
          "--init %s: every run of a sweep reads this file, and a pipe can be read only once; save"
                  .formatted(init)
              + " it as a file");
    }
  }

  /** The number of parallel runs that keep every GPU, or every processor, at work. */
  private int parallel(List<SweepRun> runs) {
    if (parallel != null) {
      return parallel;
    }
    if (!gpus.isEmpty()) {
      return gpus.size();
    }
    int threads = 1;
    for (SweepRun run : runs) {
      threads = Math.max(threads, parsed(run.arguments()).matchedOptionValue("--threads", 1));
    }
    return Math.max(1, Runtime.getRuntime().availableProcessors() / threads);
  }

  private static List<String> concat(List<String> words, String last) {
    return Stream.concat(words.stream(), Stream.of(last)).toList();
  }

  /** Parses words as {@code train} does, and refuses what it refuses. */
  private ParseResult parsed(List<String> words) {
    try {
      return train.parseArgs(words.toArray(String[]::new));
    } catch (UnmatchedArgumentException e) {
      throw new IllegalArgumentException(
          e.isUnknownOption()
              ? Failures.usageMessage(e, List.of())
              : "options begin with --, found " + String.join(" ", e.getUnmatched()));
    } catch (ParameterException e) {
      throw new IllegalArgumentException(Failures.usageMessage(e, List.of()));
    }
  }

  /** Refuses options that {@code train} would refuse before it reads a file. */
  private static void checkOptions(ParseResult words) {
    try {
      ((TrainCommand) words.commandSpec().userObject()).options().check();
    } catch (ParameterException e) {
      throw new IllegalArgumentException(e.getMessage());
    }
  }

  // ---- running ----

  /**
   * Loads the native libraries once, before several runs do, and refuses a GPU that is not there.
   */
  private void openDevices() {
    if (gpus.isEmpty()) {
      new CpuOps(1).close();
      return;
    }
    List<Integer> found = context.gpus().list().stream().map(GpuProperties::index).toList();
    for (int gpu : gpus) {
      if (!found.contains(gpu)) {
        throw new DeviceException(
            "--gpus must be of the GPUs that CUDA shows, %s; found %d".formatted(found, gpu),
            "'mlp-cuda devices' lists them.");
      }
    }
  }

  private void makeFolder() {
    try {
      Files.createDirectories(out);
    } catch (IOException e) {
      throw WholeFile.notAFolder("--out " + out, e);
    }
  }

  /** Runs the points that have no outcome yet, each on a thread that keeps to one GPU. */
  private void runAll(List<SweepRun> runs, List<Optional<Outcome>> outcomes, PrintWriter lines) {
    List<Integer> pending =
        IntStream.range(0, runs.size()).filter(i -> outcomes.get(i).isEmpty()).boxed().toList();
    var next = new AtomicInteger();
    var ended = new AtomicInteger(runs.size() - pending.size());
    var threads = new ArrayList<Thread>();
    for (int t = 0; t < Math.min(parallel(runs), pending.size()); t++) {
      OptionalInt gpu =
          gpus.isEmpty() ? OptionalInt.empty() : OptionalInt.of(gpus.get(t % gpus.size()));
      Runnable work =
          () -> {
            for (int k = next.getAndIncrement();
                k < pending.size() && !context.stopping().getAsBoolean();
                k = next.getAndIncrement()) {
              int i = pending.get(k);
              Outcome outcome = runs.get(i).run(gpu, context);
              synchronized (lines) { // the lock keeps the numbers in the order of the lines
                outcomes.set(i, Optional.of(outcome));
                String line = progress(runs.get(i), outcome);
                lines.println("[%d/%d] %s".formatted(ended.incrementAndGet(), runs.size(), line));
              }
            }
          };
      threads.add(new Thread(work, "mlp-cuda-sweep-" + (t + 1)));
    }
    threads.forEach(Thread::start);
    try {
      for (Thread thread : threads) {
        thread.join(); // joining also makes the outcomes visible to this thread
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("a sweep is stopped by Ctrl-C, not by an interrupt", e);
    }
  }

  /**
   * Returns the line of a run's result: of the validation set if there is one, because a choice
   * must not be made by the test set.
   */
  private static String progress(SweepRun run, Outcome outcome) {
    if (!outcome.done()) {
      return "%s: exit code %d: %s"
          .formatted(run.folder().getFileName(), outcome.code(), outcome.error().orElse(""));
    }
    boolean validated = outcome.validation().isPresent();
    Averages score = outcome.validation().orElseGet(() -> outcome.test().orElseThrow());
    return String.format(
        Locale.ROOT,
        "%s: %s accuracy %.2f%%, loss %.4f, %.1f s",
        run.folder().getFileName(),
        validated ? "validation" : "test",
        100 * score.accuracy(),
        score.loss(),
        outcome.seconds());
  }

  /** The name of the sweep's folder as it is shown. */
  private String name() {
    return Printable.oneLine(out.toString());
  }

  private void write(String name, String text) {
    WholeFile.write(out.resolve(name), to -> to.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private int exitCode(List<Row> rows, PrintWriter lines) {
    long done = rows.stream().filter(Row::done).count();
    if (done == rows.size()) {
      return 0;
    }
    boolean stopped =
        rows.stream()
            .anyMatch(
                row ->
                    row.outcome().map(Outcome::code).orElse(ExitCode.STOPPED.code)
                        == ExitCode.STOPPED.code);
    lines.println(
        "%d of %s done%s; the same command with --out %s runs the others"
            .formatted(done, Tables.are(rows.size(), "run"), stopped ? ": stopped" : "", name()));
    return stopped ? ExitCode.STOPPED.code : ExitCode.INTERNAL.code;
  }
}
