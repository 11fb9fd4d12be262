package mlpcuda.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import mlpcuda.compute.cuda.CudaDevices;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.BadFileException;
import mlpcuda.error.DeviceException;
import mlpcuda.error.DivergedException;
import mlpcuda.error.StoppedException;
import mlpcuda.files.CacheFolder;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The entry point of the program: its commands, and the exit code of each failure. */
@Command(
    name = "mlp-cuda",
    description = "Trains multilayer perceptrons. Without a command: train.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "[COMMAND]",
    exitCodeListHeading = "%nExit codes:%n",
    footer = {"", "'mlp-cuda COMMAND --help' lists a command's options."})
public final class Main {
  /** The commands by their names, in the order of the help. */
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static { // a stream, the first of the program, would take longer than reading the options
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

  /** The MiB of heap in which MNIST and the default network have room. */
  private static final long LEAST_HEAP = 256;

  /** The words that may come first instead of a command's name. */
  private static final Set<String> ROOT_WORDS = Set.of("help", "-h", "--help", "-V", "--version");

  private final Gpus gpus;
  private final BooleanSupplier stopping;
  private final StartUp startUp = new StartUp();

  private Main(Gpus gpus, BooleanSupplier stopping) {
    this.gpus = gpus;
    this.stopping = stopping;
  }

  /** The GPUs of this machine. */
  Gpus gpus() {
    return gpus;
  }

  /** The times of the program's start. */
  StartUp startUp() {
    return startUp;
  }

  /** Whether the program was told to stop. */
  BooleanSupplier stopping() {
    return stopping;
  }

  /** Runs the program and ends the process with its exit code. */
  public static void main(String[] args) {
    var stop = new Stop();
    Runtime.getRuntime().addShutdownHook(new Thread(stop::request, "mlp-cuda-stop"));
    int code;
    try {
      var standardOut = new StandardOutput(new FileOutputStream(FileDescriptor.out));
      System.setOut(new PrintStream(standardOut, false, outputCharset()));
      var out = new PrintWriter(System.out, true, outputCharset());
      var err = new PrintWriter(System.err, true);
      code = run(args, out, err, new CudaDevices(CacheFolder.natives()), stop);
      out.flush();
      Optional<String> complaint = standardOut.complaint();
      complaint.ifPresent(err::println);
      if (complaint.isPresent() && code == 0) {
        code = ExitCode.UNWRITABLE.code;
      }
    } finally {
      stop.released();
    }
    System.exit(code);
  }

  /** The encoding of standard output: newer JDKs tell it, older ones write in the locale's. */
  private static Charset outputCharset() {
    return Charset.forName(System.getProperty("stdout.encoding", Charset.defaultCharset().name()));
  }

  /** Runs the program, and returns the exit code. */
  static int run(
      String[] args, PrintWriter out, PrintWriter error, Gpus gpus, BooleanSupplier stopping) {
    // Programs read the numbers: digits and points must be the same everywhere.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    PrintWriter err = Printable.safe(error);
    var main = new Main(gpus, stopping);
    String[] whole = withCommand(args);
    CommandLine commands = main.commands(whole[0]);
    commands.setExpandAtFiles(mayHoldArguments(commands, whole));
    commands.setOut(out).setErr(err);
    commands.getCommandSpec().usageMessage().exitCodeList(ExitCode.list());
    commands.setParameterExceptionHandler(
        (e, given) -> {
          err.println(Printable.oneLine(usageMessage(e)));
          err.println(
              "'%s --help' lists the options."
                  .formatted(e.getCommandLine().getCommandSpec().qualifiedName()));
          return ExitCode.USAGE.code;
        });
    commands.setExecutionStrategy(
        parsed -> {
          // The help is the program's own text, and has escape sequences for its colours.
          Integer helped = CommandLine.executeHelpRequest(parsed);
          if (helped != null) {
            return helped;
          }
          commands.setOut(Printable.safe(out));
          return new CommandLine.RunLast().execute(parsed);
        });
    commands.setExecutionExceptionHandler(
        (e, command, result) -> {
          Terminal.eraseBars(); // and the ^C that a terminal echoes
          return report(e, err);
        });
    try {
      return commands.execute(whole);
    } catch (OutOfMemoryError e) {
      return outOfMemory(e, err);
    }
  }

  /**
   * The command of a run that began with {@code args}; it prints where {@code like} prints.
   *
   * @param file the file that has the arguments
   * @throws BadFileException if the arguments are not those of a run
   */
  TrainCommand parseTrain(List<String> args, CommandLine like, Path file) {
    String[] whole = withCommand(args.toArray(new String[0]));
    CommandLine commands = commands(whole[0]);
    commands.setExpandAtFiles(false); // they were expanded when the run began
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

  /** Says what is wrong with a command line, and what was probably meant. */
  static String usageMessage(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched) {
      String word = unmatched.getUnmatched().get(0);
      return unmatched.isUnknownOption()
          ? e.getMessage() + Suggestion.ofOption(word, e.getCommandLine().getCommandSpec())
          : "the command must be one of %s and come first, and options begin with --; found %s"
                  .formatted(
                      String.join(", ", COMMANDS.keySet()),
                      String.join(" ", unmatched.getUnmatched()))
              + Suggestion.of(word, COMMANDS.keySet());
    }
    if (e.getValue() == null) {
      return e.getMessage();
    }
    if (e.getArgSpec() == null) { // from "help WORD"
      return "no command is named " + e.getValue() + Suggestion.of(e.getValue(), COMMANDS.keySet());
    }
    return e.getMessage() + Suggestion.ofValue(e.getValue(), e.getArgSpec());
  }

  /** All commands with their options, for the page of the documentation that lists them. */
  static CommandLine described(Gpus gpus) {
    return new Main(gpus, () -> false).commands("help");
  }

  /**
   * The command line with that command alone, or, if the word is no command, with all commands and
   * {@code help}: to read the options of all takes half of the time that the program needs to
   * begin.
   */
  private CommandLine commands(String word) {
    var commands = new CommandLine(this);
    Class<?> command = COMMANDS.get(word);
    (command == null ? COMMANDS.values() : List.of(command)).forEach(commands::addSubcommand);
    commands.getSubcommands().values().forEach(MeasuringOptions::listLast);
    if (command == null) {
      commands.addSubcommand(HelpCommand.class);
    }
    // after the subcommands are added, since it is for them, too
    commands.registerConverter(Path.class, new Converters.FileName());
    return commands;
  }

  /**
   * Whether {@code @FILE} stands for the arguments in that file. It does not where a command takes
   * the names of files without an option, nor beside {@code --}: the name of a picture may begin
   * with @, and whoever chose that name would have the file's text printed.
   */
  private static boolean mayHoldArguments(CommandLine commands, String[] args) {
    CommandLine command = commands.getSubcommands().get(args[0]);
    return !List.of(args).contains("--")
        && (command == null || command.getCommandSpec().positionalParameters().isEmpty());
  }

  /** The arguments, with the default command in front if none is named. */
  private static String[] withCommand(String[] args) {
    if (args.length > 0 && (COMMANDS.containsKey(args[0]) || ROOT_WORDS.contains(args[0]))) {
      return args;
    }
    String[] whole = new String[args.length + 1];
    whole[0] = "train";
    System.arraycopy(args, 0, whole, 1, args.length);
    return whole;
  }

  /** Says that the heap is too small; the place at which it ran out says little. */
  private static int outOfMemory(Throwable e, PrintWriter err) {
    err.println(
        "The Java heap of %d MiB is too small for the data, the network and its batches (%s): start the"
                .formatted(Runtime.getRuntime().maxMemory() >> 20, e.getMessage())
            + " program with a larger one, such as java -Xmx%dm, or take narrower layers or smaller batches"
                .formatted(Math.max(LEAST_HEAP, Runtime.getRuntime().maxMemory() >> 19)));
    return ExitCode.MEMORY.code;
  }

  private static int report(Exception e, PrintWriter err) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfMemoryError) { // for example from a thread that reads the data
        return outOfMemory(cause, err);
      }
    }
    if (e instanceof BadFileException) {
      err.println(Printable.oneLine(e.getMessage()));
      return ExitCode.FILE.code;
    }
    if (e instanceof DeviceException) {
      err.println(e.getMessage());
      return ExitCode.DEVICE.code;
    }
    if (e instanceof DivergedException) {
      err.println(Printable.oneLine(e.getMessage()));
      return ExitCode.DIVERGED.code;
    }
    if (e instanceof StoppedException) {
      err.println(Printable.oneLine(e.getMessage()));
      return ExitCode.STOPPED.code;
    }
    // for example a full disk: the program itself is not at fault
    if (e instanceof UncheckedIOException) {
      err.println(Printable.oneLine(e.getMessage()));
      return ExitCode.UNWRITABLE.code;
    }
    if (e instanceof RefusedException refused) {
      err.println(Printable.oneLine(refused.getMessage()));
      return refused.code().code;
    }
    err.println("Internal failure of " + build() + ":");
    e.printStackTrace(err);
    return ExitCode.INTERNAL.code;
  }

  /** The program's version from its jar. */
  static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "(built from source)" : version;
  }

  /** The program's name, version and, if the build knew it, commit. */
  static String build() {
    return "mlp-cuda " + version() + commit().map(", commit "::concat).orElse("");
  }

  /** The commit that the program was built from, with {@code -dirty} if files were changed. */
  static Optional<String> commit() {
    try (InputStream file = Main.class.getResourceAsStream("commit")) {
      return file == null
          ? Optional.empty()
          : Optional.of(new String(file.readAllBytes(), StandardCharsets.UTF_8).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of {@code --version}. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {build()};
    }
  }
}
