package mlpcuda.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.data.BadFileException;
import mlpcuda.data.PublishedDataset;
import mlpcuda.train.DivergedException;
import mlpcuda.train.StoppedException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Entry point of the program: commands, and what each failure ends with. */
@Command(
    name = "mlp-cuda",
    description = "Trains multilayer perceptrons. Without a command: train.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "[COMMAND]",
    footer = {
      "",
      "Exit codes: 0 done; 1 internal failure, or compare or benchmark found a wrong answer; 2 usage; 3 device; 4 data or model file;"
          + " 5 training diverged; 130 stopped by"
          + " Ctrl-C, 143 by SIGTERM.",
      "'mlp-cuda COMMAND --help' lists a command's options."
    })
public final class Main {
  static final int INTERNAL = 1;
  private static final int USAGE = 2;
  static final int DEVICE = 3;
  private static final int FILE = 4;
  private static final int DIVERGED = 5;

  /** The commands by their names, in the order of the help. */
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static { // a stream, the first of the program, would take longer than the options
    for (Class<?> command :
        List.of(
            TrainCommand.class,
            SweepCommand.class,
            LrFindCommand.class,
            BenchmarkCommand.class,
            EvaluateCommand.class,
            PredictCommand.class,
            ServeCommand.class,
            SummaryCommand.class,
            ExportCommand.class,
            ImportCommand.class,
            DevicesCommand.class,
            CompareCommand.class)) {
      COMMANDS.put(command.getAnnotation(Command.class).name(), command);
    }
  }

  private static final Set<String> ROOT_OPTIONS = Set.of("-h", "--help", "-V", "--version");

  /** 128 + SIGINT, as shells have it. */
  static final int STOPPED = 130;

  private final Gpus gpus;
  private final BooleanSupplier stopping;
  private final StartUp startUp = new StartUp();

  private Main(Gpus gpus, BooleanSupplier stopping) {
    this.gpus = gpus;
    this.stopping = stopping;
  }

  /** The GPUs there are. */
  Gpus gpus() {
    return gpus;
  }

  /** What the start of the program took. */
  StartUp startUp() {
    return startUp;
  }

  /** Whether the program was told to stop. */
  BooleanSupplier stopping() {
    return stopping;
  }

  /** Runs the program and ends the process with its exit code. */
  public static void main(String[] args) {
    // The native libraries are unpacked once, beside what else this program keeps.
    if (System.getProperty("org.bytedeco.javacpp.cachedir") == null) {
      System.setProperty(
          "org.bytedeco.javacpp.cachedir", cacheRoot().resolve("natives").toString());
    }
    var stop = new Stop();
    Runtime.getRuntime().addShutdownHook(new Thread(stop::request, "mlp-cuda-stop"));
    int code;
    try {
      var out = new PrintWriter(System.out, true);
      var err = new PrintWriter(System.err, true);
      code = run(args, out, err, new CudaDevices(cacheRoot().resolve("natives")), stop);
    } finally {
      stop.released();
    }
    System.exit(code);
  }

  /** Runs the program; the exit code. */
  static int run(
      String[] args, PrintWriter out, PrintWriter err, Gpus gpus, BooleanSupplier stopping) {
    // Programs read the numbers: the same digits and points everywhere.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    var main = new Main(gpus, stopping);
    String[] whole = withCommand(args);
    CommandLine commands = main.commands(whole[0]);
    commands.setOut(out).setErr(err);
    commands.setParameterExceptionHandler(
        (e, given) -> {
          err.println(oneLine(usageMessage(e)));
          err.println(
              "'%s --help' lists the options."
                  .formatted(e.getCommandLine().getCommandSpec().qualifiedName()));
          return USAGE;
        });
    commands.setExecutionExceptionHandler(
        (e, command, result) -> {
          Terminal.eraseBars(); // and the ^C that a terminal echoes
          return report(e, err);
        });
    try {
      return commands.execute(whole);
    } catch (OutOfMemoryError e) {
      err.println(
          "out of memory: the network and its batches must fit, found %s; narrower layers or smaller"
                  .formatted(e.getMessage())
              + " batches need less, java -Xmx gives more");
      return INTERNAL;
    }
  }

  /**
   * The command of a run that began with {@code args}, with the outputs of {@code like}.
   *
   * @param file where the arguments are from
   * @throws BadFileException if they are not those of a run
   */
  TrainCommand parseTrain(List<String> args, CommandLine like, Path file) {
    String[] whole = withCommand(args.toArray(new String[0]));
    CommandLine commands = commands(whole[0]);
    commands.setExpandAtFiles(false); // they were, when the run began
    try {
      var parsed = commands.parseArgs(whole).subcommand();
      if (parsed != null && parsed.commandSpec().userObject() instanceof TrainCommand train) {
        parsed.commandSpec().commandLine().setOut(like.getOut()).setErr(like.getErr());
        return train;
      }
    } catch (ParameterException e) {
      throw new BadFileException(
          "%s: its arguments must be a run's: %s".formatted(file, e.getMessage()));
    }
    throw new BadFileException("%s: its arguments must be a run's, found %s".formatted(file, args));
  }

  private static String usageMessage(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()) {
      return "the command must be one of %s and come first, and options begin with --; found %s"
          .formatted(
              String.join(", ", COMMANDS.keySet()), String.join(" ", unmatched.getUnmatched()));
    }
    return e.getMessage();
  }

  /** The text without line breaks, which a file's name may bring along. */
  static String oneLine(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Zl}\\p{Zp}]", "?");
  }

  /**
   * The command line with that command, or with all of them where the word is none: to read the
   * options of all takes half of the time that the program needs to begin.
   */
  private CommandLine commands(String word) {
    var commands = new CommandLine(this);
    Class<?> command = COMMANDS.get(word);
    (command == null ? COMMANDS.values() : List.of(command)).forEach(commands::addSubcommand);
    return commands;
  }

  /** The arguments with the default command in front where none is named. */
  private static String[] withCommand(String[] args) {
    if (args.length > 0 && (COMMANDS.containsKey(args[0]) || ROOT_OPTIONS.contains(args[0]))) {
      return args;
    }
    String[] whole = new String[args.length + 1];
    whole[0] = "train";
    System.arraycopy(args, 0, whole, 1, args.length);
    return whole;
  }

  private static int report(Exception e, PrintWriter err) {
    if (e instanceof BadFileException) {
      err.println(oneLine(e.getMessage()));
      return FILE;
    }
    if (e instanceof DeviceException) {
      err.println(e.getMessage());
      return DEVICE;
    }
    if (e instanceof DivergedException) {
      err.println(e.getMessage());
      return DIVERGED;
    }
    if (e instanceof StoppedException) {
      err.println(e.getMessage());
      return STOPPED;
    }
    if (e instanceof UncheckedIOException) { // a full disk, say: nothing is wrong inside
      err.println(oneLine(e.getMessage()));
      return INTERNAL;
    }
    err.println("Internal failure of " + build() + ":");
    e.printStackTrace(err);
    return INTERNAL;
  }

  /** The program's version, as its jar has it. */
  static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "(built from source)" : version;
  }

  /** Name, version and, where the build knew it, commit. */
  static String build() {
    return "mlp-cuda " + version() + commit().map(", commit "::concat).orElse("");
  }

  /** The commit that the program was built from, with {@code -dirty} if it was changed before. */
  static Optional<String> commit() {
    try (InputStream file = Main.class.getResourceAsStream("commit")) {
      return file == null
          ? Optional.empty()
          : Optional.of(new String(file.readAllBytes(), StandardCharsets.UTF_8).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder that keeps what was fetched or unpacked. */
  static Path cacheRoot() {
    return PublishedDataset.cacheRoot(System.getenv(), System.getProperty("user.home"));
  }

  /** For {@code --version}. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {build()};
    }
  }
}
