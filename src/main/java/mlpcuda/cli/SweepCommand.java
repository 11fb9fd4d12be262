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
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import mlpcuda.cli.SweepResults.Row;
import mlpcuda.cli.SweepRun.Outcome;
import mlpcuda.files.WholeFile;
import mlpcuda.report.Printable;
import mlpcuda.report.Tables;
import mlpcuda.run.FolderLock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

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
              + " processors, with --threads 1 each unless that is given; on a Spark cluster as many as"
              + " it has cores or GPUs for.")
  private Integer parallel;

  @Option(
      names = "--gpus",
      paramLabel = "N",
      split = ",",
      converter = Converters.NotNegative.class,
      description = "Run on these GPUs. Default: on the CPU.")
  private List<Integer> gpus = new ArrayList<>();

  @Option(
      names = "--spark",
      paramLabel = "MASTER",
      description = {
        "Make the runs on the executors of this Spark cluster, such as spark://HOST:7077; on their"
            + " GPUs if Spark gives each task one. --out must be on a path that all machines share,"
            + " and spark-submit starts the program."
      })
  private String spark;

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

  @Override
  public Integer call() {
    if (out == null) {
      String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss"));
      out = Path.of("runs", "sweep-" + time);
    }
    try {
      check();
      var sweep = new SweepRuns(grid, common, spark == null ? gpus : SparkRunner.gpus(), out);
      List<SweepRun> runs = sweep.of(visited(sweep.grid()));
      if (!Files.isDirectory(out)) {
        checkDevices();
        makeFolder();
      }
      try (FolderLock lock = FolderLock.take(out)) {
        if (!lock.locked()) {
          spec.commandLine()
              .getErr()
              .println(name() + ": its file system knows no locks, so keep other sweeps out of it");
        }
        return run(sweep, runs);
      }
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  /** Runs the points that are not done yet, in the locked folder, and prints the tables. */
  private int run(SweepRuns sweep, List<SweepRun> runs) {
    var outcomes = new ArrayList<Optional<Outcome>>();
    runs.forEach(run -> outcomes.add(run.former()));
    PrintWriter standardOut = spec.commandLine().getOut();
    PrintWriter lines = json ? spec.commandLine().getErr() : standardOut;
    int done = (int) outcomes.stream().filter(Optional::isPresent).count();
    if (done < runs.size()) {
      checkDevices();
    }
    PrintWriter progress = quiet ? new PrintWriter(Writer.nullWriter()) : lines;
    progress.println(
        "%s: %s, %d of them done before".formatted(name(), Tables.count(runs.size(), "run"), done));
    if (done < runs.size()) {
      make(sweep, runs, outcomes, progress);
    }
    var rows = new ArrayList<Row>();
    for (int i = 0; i < outcomes.size(); i++) {
      rows.add(new Row(runs.get(i), outcomes.get(i)));
    }
    var results = new SweepResults(sweep.grid().varying(), rows);
    String document = Tables.json(results.json());
    write("sweep.json", document + "\n");
    write("sweep.csv", results.csv());
    lines.println(SweepTable.text(results));
    if (json) {
      standardOut.println(document);
    }
    return exitCode(results, lines);
  }

  /** Makes the runs that have no outcome yet, here or on a cluster. */
  private void make(
      SweepRuns sweep, List<SweepRun> runs, List<Optional<Outcome>> outcomes, PrintWriter lines) {
    if (spark == null) {
      new ParallelRuns(runs, outcomes, ParallelRuns.here(gpus, context), context.stopping(), lines)
          .run(parallel != null ? parallel : sweep.parallel(runs));
      return;
    }
    try (var cluster = new SparkRunner(spark, context.stopping())) {
      new ParallelRuns(runs, outcomes, cluster, context.stopping(), lines)
          .run(parallel != null ? parallel : SparkRunner.PARALLEL);
    }
  }

  private void checkDevices() {
    if (spark == null) { // otherwise the devices are those of the executors
      ParallelRuns.checkDevices(gpus, context);
    }
  }

  private void check() {
    if (spark != null) {
      SweepRuns.checkSpark(gpus);
    }
    if (sweepSeed != null && random == null) {
      throw new IllegalArgumentException("--sweep-seed needs --random, found it alone");
    }
    if (gpus.stream().distinct().count() < gpus.size()) {
      throw new IllegalArgumentException("--gpus must differ, found one twice in " + gpus);
    }
  }

  /** The points of the grid that the sweep visits. */
  private List<Map<String, String>> visited(Grid points) {
    return random == null ? points.all() : points.random(random, sweepSeed == null ? 1 : sweepSeed);
  }

  private void makeFolder() {
    try {
      Files.createDirectories(out);
    } catch (IOException e) {
      throw WholeFile.notAFolder("--out " + out, e);
    }
  }

  /** The name of the sweep's folder as it is shown. */
  private String name() {
    return Printable.oneLine(out.toString());
  }

  private void write(String name, String text) {
    WholeFile.write(out.resolve(name), to -> to.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private int exitCode(SweepResults results, PrintWriter lines) {
    int all = results.rows().size();
    long done = results.done();
    if (done == all) {
      return 0;
    }
    lines.println(
        "%d of %s done%s; the same command with --out %s runs the others"
            .formatted(done, Tables.are(all, "run"), results.stopped() ? ": stopped" : "", name()));
    return results.stopped() ? ExitCode.STOPPED.code : ExitCode.INTERNAL.code;
  }
}
