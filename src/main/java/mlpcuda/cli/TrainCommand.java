package mlpcuda.cli;

import mlpcuda.report.Printable;

import mlpcuda.report.Tables;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import mlpcuda.compute.LossScale;
import mlpcuda.data.Dataset;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.data.Split;
import mlpcuda.error.BadFileException;
import mlpcuda.files.WholeFile;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.report.Metrics;
import mlpcuda.train.MemoryNeed;
import mlpcuda.train.Progress;
import mlpcuda.train.Trainer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
    versionProvider = Main.Version.class,
    sortOptions = false)
final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @ParentCommand private Main main;
  @Mixin private NetworkOptions network = new NetworkOptions();
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private LearningOptions learning = new LearningOptions();
  @Mixin private ValidationOptions validation = new ValidationOptions();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples of a training step. Default: the preset's.")
  private Integer batchSize;

  @Option(
      names = "--test-batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples evaluated at once. Default: the preset's.")
  private Integer testBatchSize;

  @Option(
      names = "--test-at-end",
      description =
          "Evaluate the test set once, at the end. Default: after each epoch too, in time that is"
              + " not counted as the epoch's.")
  private boolean testAtEnd;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      converter = Converters.NotNegative.class,
      description = "Passes over the training set; 0 evaluates the initial network.")
  private Integer epochs;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Converters.Whole.class,
      description =
          "Seed of the initial weights, the order of examples, dropout and the validation set."
              + " Default: 1.")
  private long seed = 1;

  @Option(
      names = "--no-shuffle",
      description = "Visit the examples in the order of the file in every epoch.")
  private boolean noShuffle;

  @Option(
      names = "--subset",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Train on the first N examples alone, and evaluate these too.")
  private Integer subset;

  @Option(
      names = "--max-steps",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "End training after N steps.")
  private int maxSteps = Integer.MAX_VALUE;

  @Option(
      names = "--prepare",
      paramLabel = "HOW",
      converter = Converters.PreparationName.class,
      description =
          "How predict and serve shall prepare pictures for the network: mnist-form, or as-is,"
              + " resized alone. Default: mnist-form if the training images have it, else as-is.")
  private Preparation prepare;

  @Option(
      names = "--init",
      paramLabel = "FILE",
      description = "Initial weights: a safetensors file with this network's tensors.")
  private Path init;

  @Option(
      names = "--log-interval",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Log the loss of every N-th batch. Default: 100.")
  private int logInterval = 100;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for the model and the metrics. Default: runs/<time>.")
  private Path out;

  @Option(
      names = "--overwrite",
      description = "Replace a finished run that the folder of --out holds.")
  private boolean overwrite;

  @Option(
      names = "--tensorboard",
      paramLabel = "DIR",
      description = "Write losses and accuracies as TensorBoard's events into that folder too.")
  private Path tensorboard;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "STEPS",
      converter = Converters.Positive.class,
      description = "Write a checkpoint every STEPS steps too. Default: after each epoch.")
  private int checkpointEvery;

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

  private String folderOption = "--out"; // the option that named the folder
  private boolean stretched; // whether a run goes on to another end than it had

  @Override
  public Integer call() {
    if (resume == null) {
      return train(null);
    }
    ParseResult given = spec.commandLine().getParseResult();
    Resumption.check(given);
    device.check();
    data.check();
    checkLines();
    if (!Files.exists(resume.resolve(RunFolder.CHECKPOINT))) {
      return goOn(given); // goOn says what is missing, and leaves no lock in a folder without a run
    }
    // The lock is taken before anything is read: a run that is still going would move on meanwhile.
    try (FolderLock lock = FolderLock.take(resume)) {
      warnOfNoLock(lock, resume, Terminal.of(spec.commandLine(), json, quiet));
      return goOn(given);
    }
  }

  /** Resumes the run of {@link #resume}, whose folder is locked. */
  private int goOn(ParseResult given) {
    Resumption former = Resumption.read(resume);
    TrainCommand begun = begun(former);
    try {
      begun.check();
    } catch (ParameterException e) {
      throw misfit(former, e);
    }
    former.checkPlaces(begun.spec.commandLine().getParseResult(), given);
    Resumption from = former.with(begun.spec.commandLine().getParseResult(), given).on(device);
    if (from.changed()) {
      int epochsBefore = begun.epochs();
      int stepsBefore = begun.maxSteps;
      begun = begun(from);
      begun.check(); // a misfit of the changes is an error of this command line
      from.checkEnd(begun.epochs(), begun.maxSteps, given);
      begun.stretched = begun.epochs() != epochsBefore || begun.maxSteps != stepsBefore;
    }
    begun.out = resume;
    begun.folderOption = "--resume";
    begun.verbose = verbose || begun.verbose && !quiet;
    begun.quiet = quiet || begun.quiet && !verbose;
    begun.json |= json;
    begun.device.choose(from.state().gpu(), from.state().threads());
    try {
      return begun.train(from);
    } catch (ParameterException e) { // no error of this command line, but of the file or the data
      throw misfit(from, e);
    }
  }

  private static BadFileException misfit(Resumption from, ParameterException e) {
    return new BadFileException(
        "%s: its arguments must be a run's and fit the data: %s"
            .formatted(from.file(), e.getMessage()));
  }

  /** The command that a checkpoint's arguments mean. */
  private TrainCommand begun(Resumption from) {
    List<String> args = from.state().args();
    TrainCommand begun = main.parseTrain(args, spec.commandLine(), from.file());
    // a run with one of these writes no checkpoint of its own
    if (begun.resume != null || begun.dryRun) {
      throw new BadFileException(
          "%s: its arguments must be a run's, found %s".formatted(from.file(), args));
    }
    return begun;
  }

  /** Refuses options that can be refused before any file is read. */
  void check() {
    data.check();
    device.check();
    learning.check(network.preset(), network.hiddenLayers());
    validation.check();
    checkLines();
  }

  private void checkLines() {
    if (quiet && verbose) {
      throw new ParameterException(
          spec.commandLine(), "--quiet and --verbose exclude each other, found both");
    }
  }

  /**
   * Trains a network.
   *
   * @param from the resumption that the run goes on from; null: the run begins
   */
  private int train(Resumption from) {
    check();
    Terminal terminal = Terminal.of(spec.commandLine(), json, quiet);
    try (Opened opened = Opened.of(device, data, terminal)) {
      Dataset dataset = opened.dataset();
      ImageSet all = training(dataset);
      Split split = split(all);
      MlpShape shape = network.shape(all.pixelsPerImage(), dataset.classes());
      int B = given(batchSize, network.preset().batchSize());
      String on = TrainingRun.device(opened.ops(), shape, split.train(), B, learning.clip());
      RunState state;
      if (from == null) {
        state =
            new RunState(
                spec.root().commandLine().getParseResult().expandedArgs(), // with @files expanded
                on,
                device.gpuIndex(),
                device.threadCount(),
                Resumption.checksum(all),
                Progress.begin(validation.monitor(), LossScale.initial(opened.ops().precision())),
                Map.of());
      } else {
        state = from.state();
        from.checkExamples(all);
        from.checkShape(shape);
        from.checkPlace(batches(split), maxSteps);
        from.checkLossScale(opened.ops().precision());
        MemoryNeed.ofTraining(opened.ops(), shape, Math.min(B, all.size()), learning.clip() > 0)
            .check(opened.ops(), "%s: training %s".formatted(from.file(), shape), "");
        WholeFile.clear(out);
      }
      Preparation kept = from == null ? prepare : from.checkpoint().form().preparation();
      var form =
          new ImageForm(
              all.rows(),
              all.cols(),
              Scaling.of(network.scaling(), split.train()),
              kept != null ? kept : Preparation.of(all),
              data.transpose());
      List<float[]> initial =
          init == null || from != null ? null : ModelFile.readWeights(init, shape);
      Path folder = dryRun ? null : folder(); // made when nothing is left to refuse
      TrainingRun.Settings settings = settings(shape.layers() - 1, folder);
      var run =
          new TrainingRun(
              terminal,
              opened.ops(),
              dataset,
              split.train(),
              split.validation(),
              shape,
              form,
              initial,
              settings,
              folder,
              dryRun ? null : tensorboard,
              state,
              from,
              main.startUp(),
              main.stopping());
      // A run that is resumed has had the lock since before its checkpoint was read.
      try (FolderLock lock = folder == null || from != null ? null : FolderLock.take(folder)) {
        if (lock != null) {
          warnOfNoLock(lock, folder, terminal);
          refuseFinished(folder);
        }
        terminal.line("%s (%s)", on, device.reason());
        if (verbose) {
          opened.ops().tellNotes(line -> terminal.line("%s", line));
        }
        if (from != null) {
          from.differences(on, stretched, settings.trainer(), batches(split))
              .forEach(difference -> terminal.always(Printable.oneLine(difference)));
        }
        Metrics metrics = run.run();
        if (json) {
          spec.commandLine().getOut().println(Tables.json(metrics.json()));
        }
        return 0;
      }
    }
  }

  private static void warnOfNoLock(FolderLock lock, Path folder, Terminal terminal) {
    if (!lock.locked()) {
      terminal.always(
          Printable.oneLine(folder.toString())
              + ": its file system knows no locks, so nothing keeps another process out of it");
    }
  }

  private void refuseFinished(Path folder) {
    if (!overwrite && RunFolder.holdsTheEnd(folder)) {
      throw new ParameterException(
          spec.commandLine(),
          folder
              + ": this folder holds a finished run; --overwrite replaces it, --resume goes on with"
              + " it, or name another --out");
    }
  }

  private int epochs() {
    return given(epochs, network.preset().epochs());
  }

  private int batches(Split split) {
    return (split.train().size() - 1) / given(batchSize, network.preset().batchSize()) + 1;
  }

  private TrainingRun.Settings settings(int hiddenLayers, Path folder) {
    Preset preset = network.preset();
    return new TrainingRun.Settings(
        preset.name(),
        new Trainer.Settings(
            dryRun ? 1 : epochs(),
            given(batchSize, preset.batchSize()),
            !noShuffle,
            seed,
            dryRun ? 1 : maxSteps,
            logInterval,
            learning.learningRate(preset),
            learning.schedule(preset),
            learning.warmup(preset),
            validation.monitor(),
            validation.patience(),
            validation.saveBest(),
            checkpointEvery),
        learning.optimizerSettings(preset),
        learning.regularisation(preset, hiddenLayers, seed),
        learning.clip(),
        given(testBatchSize, preset.testBatchSize()),
        init == null ? null : init.toString(),
        subset != null,
        testAtEnd,
        verbose,
        folder == null ? null : Resumption.command(spec.commandLine().getParseResult(), folder));
  }

  private Split split(ImageSet all) {
    if (validation.amount() == null) {
      return new Split(all, null);
    }
    try {
      return Split.of(all, Split.count(validation.amount(), all.size()), seed);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          spec.commandLine(), "Invalid value for option '--validation': " + e.getMessage());
    }
  }

  private static int given(Integer option, int preset) {
    return option != null ? option : preset;
  }

  private ImageSet training(Dataset dataset) {
    ImageSet all = dataset.train();
    if (subset == null) {
      return all;
    }
    if (subset > all.size()) {
      throw new ParameterException(
          spec.commandLine(),
          "Invalid value for option '--subset': must be at most the %d training examples, found %d"
              .formatted(all.size(), subset));
    }
    return all.first(subset);
  }

  /** Makes the run's folder: {@code --out}, or a new one that is named by the time. */
  private Path folder() {
    try {
      if (out != null) {
        Files.createDirectories(out);
        if (!Files.isWritable(out)) { // better refused now than after the first epoch
          throw new AccessDeniedException(out.toString(), null, "no permission to write");
        }
        return out;
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
      throw WholeFile.notAFolder(out != null ? folderOption + " " + out : "runs", e);
    }
  }
}
