package mlpcuda.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mlpcuda.files.InputFile;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Makes the runs of a sweep from points of its grid, and refuses what {@code train} refuses. */
final class SweepRuns {
  /**
   * The options of {@code train} that a sweep gives every run itself, or that make no sense in a
   * sweep.
   */
  private static final List<String> OWN =
      List.of(
          "--out",
          "--overwrite",
          "--tensorboard",
          "--json",
          "--gpu",
          "--members",
          "--member-widths",
          "--parallel",
          "--dry-run",
          "--resume",
          "--help",
          "--version");

  /** Parses the options of a run, and runs nothing; making it takes longer than parsing. */
  private final CommandLine train =
      new CommandLine(new TrainCommand())
          .registerConverter(Path.class, new Converters.FileName(Path.of("")));

  private final Grid grid;
  private final List<String> common;
  private final List<Integer> gpus;
  private final Path out;

  /**
   * @param words the words of {@code --grid}
   * @param common the options of {@code train} that all runs have
   * @param gpus the indices of the GPUs; empty for the CPU
   * @param out the folder of the runs' folders
   * @throws IllegalArgumentException if a word is wrong, which says how
   */
  SweepRuns(List<String> words, List<String> common, List<Integer> gpus, Path out) {
    grid = Grid.parse(words, train.getCommandSpec());
    this.common = common;
    this.gpus = gpus;
    this.out = out;
  }

  /**
   * Refuses a choice of GPUs for a sweep on a Spark cluster, and a JVM without Spark. It is not a
   * method of {@link SparkRunner}, because the JVM could not load that class.
   *
   * @param gpus the indices of the GPUs that were chosen
   * @throws IllegalArgumentException if there are some, or Spark's classes are missing, which says
   *     what to do
   */
  static void checkSpark(List<Integer> gpus) {
    if (!gpus.isEmpty()) {
      throw new IllegalArgumentException(
          "--spark and --gpus exclude each other: Spark assigns the GPUs of its executors");
    }
    try {
      Class.forName("org.apache.spark.SparkConf");
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "--spark needs Spark's classes, which spark-submit brings: spark-submit --class"
              + " mlpcuda.cli.Main mlp-cuda.jar sweep --spark MASTER ...",
          e);
    }
  }

  Grid grid() {
    return grid;
  }

  /**
   * The runs of points of a grid, in their order.
   *
   * @throws IllegalArgumentException if {@code train} would refuse a run, which says why
   */
  List<SweepRun> of(List<Map<String, String>> points) {
    var runs = new ArrayList<SweepRun>();
    for (Map<String, String> settings : points) {
      var words = new ArrayList<>(common);
      words.addAll(grid.words(settings));
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
      String name = SweepRun.name(runs.size() + 1, points.size(), settings);
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
  int parallel(List<SweepRun> runs) {
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
}
