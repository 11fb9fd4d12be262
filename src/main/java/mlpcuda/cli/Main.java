package mlpcuda.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
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
import mlpcuda.files.CacheFolder;
import mlpcuda.report.Printable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The entry point of the program: its commands, and the exit code of each failure. */
public final class Main {
  /** The commands by their names, in the order of the help. */
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static { // no stream: the first one takes longer than reading the options
    for (Class<?> command :
        List.of(
            TrainCommand.class,
            SweepCommand.class,
            LrFindCommand.class,
            BenchmarkCommand.class,
            EvaluateCommand.class,
            PredictCommand.class,
            ServeCommand.class,
            DistortCommand.class,
            InspectCommand.class,
            SummaryCommand.class,
            ExportCommand.class,
            ImportCommand.class,
            DevicesCommand.class,
            CompareCommand.class)) {
      COMMANDS.put(command.getAnnotation(Command.class).name(), command);
    }
  }

  /** The words that may come first instead of a command's name. */
  private static final Set<String> ROOT_WORDS = Set.of("help", "-h", "--help", "-V", "--version");

  private Main() {}

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
    if (stop.isRequested()) {
      // The JVM is ending already, with the signal's exit code. In JDK 17 a second exit replaces
      // this code if it comes between the end of the hooks and the end of the process.
      return;
    }
    System.exit(code);
  }

  /** The encoding of standard output: newer JDKs tell it, older ones use the locale's encoding. */
  private static Charset outputCharset() {
    return Charset.forName(System.getProperty("stdout.encoding", Charset.defaultCharset().name()));
  }

  /** Runs the program, and returns the exit code. */
  static int run(
      String[] args, PrintWriter out, PrintWriter error, Gpus gpus, BooleanSupplier stopping) {
    // Programs read the numbers: digits and points must be the same everywhere.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    PrintWriter err = Printable.safe(error);
    String[] whole = withCommand(args);
    CommandLine commands = commands(new Context(gpus, stopping), whole[0]);
    commands.setExpandAtFiles(mayHoldArguments(commands, whole));
    commands.setOut(out).setErr(err);
    commands.getCommandSpec().usageMessage().exitCodeList(ExitCode.list());
    commands.setParameterExceptionHandler(
        (e, given) -> {
          return Failures.usage(e, COMMANDS.keySet(), err);
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
          Terminal.eraseBars(); // erases the ^C, too, that a terminal echoes
          return Failures.report(e, err);
        });
    try {
      return commands.execute(whole);
    } catch (OutOfMemoryError e) {
      return Failures.outOfMemory(e, err);
    }
  }

  /** All commands with their options, for the page of the documentation that lists them. */
  static CommandLine described(Gpus gpus) {
    return commands(new Context(gpus, () -> false), "help");
  }

  /**
   * The command line with that command alone, or, if the word is no command, with all commands and
   * {@code help}: reading the options of all commands takes half of the program's start.
   */
  private static CommandLine commands(Context context, String word) {
    var commands = new CommandLine(context);
    Class<?> command = COMMANDS.get(word);
    (command == null ? COMMANDS.values() : List.of(command)).forEach(commands::addSubcommand);
    commands.getSubcommands().values().forEach(MeasuringOptions::listLast);
    if (command == null) {
      commands.addSubcommand(HelpCommand.class);
    }
    // The converter reaches only the subcommands that were added before.
    commands.registerConverter(Path.class, new Converters.FileName(context.folder()));
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
}
