package mlpcuda.cli;

import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Scaling;
import mlpcuda.files.WholeFile;
import mlpcuda.net.MlpShape;
import mlpcuda.report.Page;
import mlpcuda.report.Tables;
import mlpcuda.run.RunSettings;
import mlpcuda.train.Learner;
import mlpcuda.train.LearningRateFinder;
import mlpcuda.train.LearningRateFinder.Point;
import mlpcuda.train.TrainingSetup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lr-find}: the learning-rate range test. */
@Command(
    name = "lr-find",
    description =
        "Trains a network at a rate that grows step by step, and suggests a learning rate.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class LrFindCommand implements Callable<Integer> {
  /** The number of rows of the printed curve. */
  private static final int ROWS = 20;

  @Spec private CommandSpec spec;
  @Mixin private NetworkOptions network = new NetworkOptions();
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private LearningOptions learning = new LearningOptions();
  @Mixin private AugmentOptions augment = new AugmentOptions();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples of a training step. Default: the preset's.")
  private Integer batchSize;

  @Option(
      names = "--low",
      paramLabel = "RATE",
      converter = Converters.PositiveReal.class,
      description = "The first step's rate. Default: 1e-6.")
  private double low = 1e-6;

  @Option(
      names = "--high",
      paramLabel = "RATE",
      converter = Converters.PositiveReal.class,
      description = "The last step's rate, unless the loss explodes before. Default: 1.")
  private double high = 1;

  @Option(
      names = "--steps",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Steps from the first rate to the last. Default: 400.")
  private int steps = 400;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Converters.Whole.class,
      description = "Seed of the initial weights and of the order of examples. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Write the curve to FILE, as CSV: rate, loss, smoothed loss.")
  private Path out;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write the curve to FILE, as a page to look at.")
  private Path report;

  @Option(names = "--json", description = "Print curve and suggestion as JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    data.check();
    device.check();
    learning.check(network.preset(), network.hiddenLayers());
    augment.check(network.preset());
    learning.checkForSearch();
    LearningRateFinder.Settings rates = rates();
    PrintWriter standardOut = spec.commandLine().getOut();
    var terminal = new Terminal(json ? spec.commandLine().getErr() : standardOut, false);
    try (Opened opened = Opened.of(device, data, terminal)) {
      ExampleSet train = opened.dataset().train();
      MlpShape shape = network.shape(train.inputs(), opened.dataset().classes());
      RunSettings chosen = learning.settings(network, batchSize, seed);
      RunSettings settings = chosen.with(augment.of(chosen.learning()));
      TrainingSetup training =
          settings.training(shape, train, Scaling.of(settings.network().scaling(), train));
      String description = opened.ops().description(training.needs());
      terminal.line("%s", opened.device().line(description));
      LearningRateFinder.Result result = find(opened.ops(), training, rates);
      print(result, terminal);
      if (out != null) {
        write(result);
      }
      if (report != null) {
        new Page("mlp-cuda: learning-rate range test")
            .write(
                report,
                Map.of(
                    "status",
                    "%s, %s".formatted(opened.dataset().name(), description),
                    "range",
                    describe(result, Page.thinned(result.curve()))));
      }
      if (json) {
        standardOut.println(Tables.json(describe(result, result.curve())));
      }
      return 0;
    }
  }

  private LearningRateFinder.Settings rates() {
    try {
      return new LearningRateFinder.Settings(low, high, steps);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  private static LearningRateFinder.Result find(
      Ops ops, TrainingSetup training, LearningRateFinder.Settings rates) {
    try (var learner = new Learner(ops, training)) {
      return LearningRateFinder.run(
          rates,
          rate -> {
            learner.rate(rate);
            learner.run();
            return learner.loss();
          });
    }
  }

  private static void print(LearningRateFinder.Result result, Terminal terminal) {
    terminal.line("%10s %10s %10s", "rate", "loss", "smoothed");
    int count = result.curve().size();
    for (int row = 0; row < Math.min(ROWS, count); row++) {
      Point point = result.curve().get((int) ((row + 1L) * count / Math.min(ROWS, count)) - 1);
      terminal.line("%10.2e %10.4f %10.4f", point.rate(), point.loss(), point.smoothed());
    }
    OptionalDouble suggestion = result.suggestion();
    terminal.line(
        suggestion.isPresent()
            ? "Suggestion: --lr %.1e".formatted(suggestion.getAsDouble())
            : "No suggestion: the loss does not fall; try other --low and --high");
  }

  private void write(LearningRateFinder.Result result) {
    WholeFile.write(
        out,
        stream -> {
          var csv = new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8));
          csv.print("rate,loss,smoothed\n");
          for (Point point : result.curve()) {
            csv.printf(Locale.ROOT, "%s,%s,%s\n", point.rate(), point.loss(), point.smoothed());
          }
          csv.flush();
        });
  }

  private static Map<String, Object> describe(LearningRateFinder.Result result, List<Point> curve) {
    var document = new LinkedHashMap<String, Object>();
    OptionalDouble suggestion = result.suggestion();
    document.put("suggestion", suggestion.isPresent() ? suggestion.getAsDouble() : null);
    document.put("curve", curve.stream().map(LrFindCommand::describe).toList());
    return document;
  }

  private static Map<String, Object> describe(Point point) {
    var json = new LinkedHashMap<String, Object>();
    json.put("rate", point.rate());
    json.put("loss", point.loss());
    json.put("smoothed", point.smoothed());
    return json;
  }
}
