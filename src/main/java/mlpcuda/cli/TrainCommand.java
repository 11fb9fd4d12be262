package mlpcuda.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.zip.CRC32C;
import mlpcuda.compute.FusedStep;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Precision;
import mlpcuda.data.BadFileException;
import mlpcuda.data.Dataset;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.data.Split;
import mlpcuda.data.WholeFile;
import mlpcuda.model.Checkpoint;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.report.Metrics;
import mlpcuda.train.Progress;
import mlpcuda.train.Trainer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code train}: from images to a trained, evaluated and saved network. */
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
      description = "Go on with the run of that folder, with its own options.")
  private Path resume;

  @Option(names = "--dry-run", description = "One step and the evaluation; nothing is written.")
  private boolean dryRun;

  @Option(
      names = "--verbose",
      description = "Say also what the start took and what a step asks of the device.")
  private boolean verbose;

  @Option(
      names = "--json",
      description = "Print the metrics as JSON on standard output, all else on standard error.")
  private boolean json;

  private String folderOption = "--out"; // that named the folder

  @Override
  public Integer call() {
    if (resume == null) {
      return train(null, null);
    }
    refuseOptionsBesideResume();
    Path file = resume.resolve(RunFolder.CHECKPOINT);
    Checkpoint checkpoint = Checkpoint.read(file);
    RunState state = RunState.parse(checkpoint.state(), checkpoint.best(), file);
    TrainCommand begun = main.parseTrain(state.args(), spec.commandLine(), file);
    if (begun.resume != null || begun.dryRun) { // neither writes a checkpoint of its own
      throw new BadFileException(
          "%s: its arguments must be a run's, found %s".formatted(file, state.args()));
    }
    begun.out = resume;
    begun.folderOption = "--resume";
    begun.verbose |= verbose;
    begun.json |= json;
    begun.device.choose(state.gpu(), state.threads());
    try {
      return begun.train(state, checkpoint);
    } catch (ParameterException e) { // not this command line's: it is the file or the data
      throw new BadFileException(
          "%s: its arguments must be a run's and fit the data: %s".formatted(file, e.getMessage()));
    }
  }

  /** Refuses what can be refused before any file is read. */
  void check() {
    data.check();
    device.check();
    learning.check(network.preset(), network.hiddenLayers());
    validation.check();
  }

  /** Other options would make it another run. */
  private void refuseOptionsBesideResume() {
    Set<String> allowed = Set.of("--resume", "--verbose", "--json");
    for (ArgSpec given : spec.commandLine().getParseResult().matchedArgs()) {
      if (given instanceof OptionSpec option && !allowed.contains(option.longestName())) {
        throw new ParameterException(
            spec.commandLine(),
            "--resume goes on with the run's own options, found " + option.longestName());
      }
    }
  }

  private static int widest(MlpShape shape) {
    return Collections.max(shape.sizes().subList(1, shape.sizes().size()));
  }

  /** Trains: from the beginning, or, where {@code from} is given, from there. */
  private int train(RunState state, Checkpoint from) {
    check();
    PrintWriter standardOut = spec.commandLine().getOut();
    var terminal =
        new Terminal(json ? spec.commandLine().getErr() : standardOut, Terminal.isInteractive());
    try (Opened opened = Opened.of(device, data, terminal)) {
      Dataset dataset = opened.dataset();
      ImageSet all = training(dataset);
      Split split = split(all);
      MlpShape shape = network.shape(all.pixelsPerImage(), dataset.classes());
      if (state == null) {
        state =
            new RunState(
                spec.root().commandLine().getParseResult().expandedArgs(), // of @files
                opened.ops().description(),
                device.gpuIndex(),
                device.threadCount(),
                checksum(all),
                Progress.begin(validation.monitor(), LossScale.initial(opened.ops().precision())),
                Map.of());
      } else {
        checkFits(state, from, all, split, shape);
        checkFits(state, opened.ops().precision());
        WholeFile.clear(out);
      }
      var run =
          new TrainingRun(
              terminal,
              opened.ops(),
              dataset,
              split.train(),
              split.validation(),
              shape,
              Scaling.of(network.scaling(), split.train()),
              init == null || from != null ? null : ModelFile.readWeights(init, shape),
              settings(shape.layers() - 1),
              dryRun ? null : folder(),
              dryRun ? null : tensorboard,
              state,
              from,
              main.startUp(),
              main.stopping());
      String on = opened.ops().description();
      terminal.line(on + " (" + device.reason() + ")");
      if (!on.equals(state.device())) { // another GPU, or no cuBLAS any more
        terminal.line(
            "The run began on another device, so its numbers may differ: " + state.device());
      }
      if (device.asksForFusedSteps() && learning.clip() > 0) {
        terminal.line("Steps are layered: a gradient's norm needs all gradients before any update");
      } else if (device.asksForFusedSteps() && widest(shape) > FusedStep.WIDEST) {
        terminal.line(
            "Steps are layered: a fused step's layers may have %d outputs, found %d"
                .formatted(FusedStep.WIDEST, widest(shape)));
      }
      Metrics metrics = run.run();
      if (json) {
        standardOut.println(Tables.json(metrics.json()));
      }
      return 0;
    }
  }

  /** Refuses to go on with other examples than the run's, or from a place that it has not. */
  private void checkFits(
      RunState state, Checkpoint from, ImageSet all, Split split, MlpShape shape) {
    Path file = out.resolve(RunFolder.CHECKPOINT);
    if (checksum(all) != state.examples()
        || all.rows() != from.rows()
        || all.cols() != from.cols()) {
      throw new BadFileException(
          "%s: the training examples must be those that the run began with, found others"
              .formatted(file));
    }
    if (!shape.equals(from.shape())) {
      throw new BadFileException(
          "%s: its network must be that of its arguments and data, %s, found %s"
              .formatted(file, shape, from.shape()));
    }
    Progress at = state.progress();
    int batches = (split.train().size() - 1) / given(batchSize, network.preset().batchSize()) + 1;
    boolean atItsPlace = at.steps() == (at.epoch() - 1L) * batches + at.batch();
    boolean ended = at.batch() == 0 && at.steps() == maxSteps;
    if (at.batch() >= batches || !atItsPlace && !ended) {
      throw new BadFileException(
          "%s: its place must be one of the run's, of %d batches an epoch, found epoch %d, batch"
                  .formatted(file, batches, at.epoch())
              + " %d, step %d".formatted(at.batch(), at.steps()));
    }
  }

  /** Refuses to go on without the loss scale that the precision needs, or with one it has not. */
  private void checkFits(RunState state, Precision precision) {
    boolean has = state.progress().lossScale().length > 0;
    if (has != precision.needsLossScale()) {
      throw new BadFileException(
          "%s: its loss scale must be %s, found %s"
              .formatted(
                  out.resolve(RunFolder.CHECKPOINT),
                  has
                      ? "of --precision fp16 alone"
                      : "there, as --precision " + precision.label() + " needs one",
                  has ? "one with " + precision.label() : "none"));
    }
  }

  private TrainingRun.Settings settings(int hiddenLayers) {
    Preset preset = network.preset();
    return new TrainingRun.Settings(
        preset.name(),
        new Trainer.Settings(
            dryRun ? 1 : given(epochs, preset.epochs()),
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
        verbose);
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

  /**
   * Of images and labels, those held back too, for they may tell when to end: a run cannot go on
   * with others.
   */
  private static long checksum(ImageSet set) {
    var crc = new CRC32C();
    crc.update(set.pixels());
    crc.update(set.labels());
    return crc.getValue();
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

  /** The run's folder, made: {@code --out}, or one that is new and named by the time. */
  private Path folder() {
    try {
      if (out != null) {
        Files.createDirectories(out);
        if (!Files.isWritable(out)) { // better said now than after the first epoch
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
          // Another run began in the same second: the next name.
        }
      }
    } catch (IOException e) {
      throw WholeFile.notAFolder(out != null ? folderOption + " " + out : "runs", e);
    }
  }
}
