package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.error.SettingException;
import mlpcuda.files.WholeFile;
import mlpcuda.model.Committee;
import mlpcuda.report.ContactSheet;
import mlpcuda.report.Metrics;
import mlpcuda.report.ResultJson;
import mlpcuda.report.Tables;
import mlpcuda.run.Warnings;
import mlpcuda.train.Calibration;
import mlpcuda.train.Importance;
import mlpcuda.train.NetworkEvaluator;
import mlpcuda.train.Predictions;
import mlpcuda.train.Score;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code evaluate}: evaluates a saved network on a test set. */
@Command(
    name = "evaluate",
    description = "Evaluates a saved network on a test set.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class EvaluateCommand implements Callable<Integer> {
  /** The seed of the permutations, which is the default of a training run's seed. */
  private static final long SEED = 1;

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      required = true,
      description = "A model.safetensors that training wrote.")
  private Path model;

  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private CopiesOptions copies = new CopiesOptions();

  @Option(
      names = "--test-batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples evaluated at once. Default: 1000.")
  private int testBatchSize = 1000;

  @Option(
      names = "--importance",
      description =
          "Measure the importance of each column of a table: how much worse the test set is answered"
              + " when the column's values are permuted over its rows.")
  private boolean importance;

  @Option(
      names = "--mistakes",
      paramLabel = "FILE",
      description =
          "Save a sheet of the test images with a wrong answer, in their order, as a PNG; at most 100,"
              + " fewer if they are large.")
  private Path mistakes;

  @Option(
      names = "--json",
      description = "Print the evaluation as JSON on standard output, all else on standard error.")
  private boolean json;

  @Option(names = "--quiet", description = "Print the last line and warnings alone.")
  private boolean quiet;

  @Override
  public Integer call() {
    data.check();
    device.check();
    copies.check();
    PrintWriter out = spec.commandLine().getOut();
    Terminal terminal = Terminal.of(spec.commandLine(), json, quiet);
    Committee file = Committee.read(model);
    checkImportance(file);
    copies.of(file.form(), model); // refused before the data are read
    if (mistakes != null && !(file.form().layout() instanceof Layout.Images)) {
      throw new ParameterException(
          spec.commandLine(),
          "--mistakes is for networks of images, and that of %s takes numbers".formatted(model));
    }
    data.takeAs(file.form(), terminal);
    try (Opened opened =
        Opened.of(
            device::open,
            () -> data.loadFor(file.form(), file.shape().classes(), terminal),
            device.startUp())) {
      ExampleSet test = fitting(file, opened.dataset());
      terminal.line("%s", opened.device().line(opened.ops().description()));
      terminal.line(Tables.layers(file.shape()));
      if (file.size() > 1) {
        terminal.line("The probabilities of %d such networks are averaged.", file.size());
      }
      Measured measured = measure(opened.ops(), file, test, terminal);
      Score answers = measured.answers;
      terminal.line(Tables.answers(answers, file.form().labels()));
      measured.importance.ifPresent(of -> terminal.line(Tables.importance(of)));
      List<String> warnings =
          Warnings.ofAnswers(answers, file.shape(), file.form().labels(), false, null).stream()
              .toList();
      warnings.forEach(terminal::always);
      terminal.always(Tables.result("Test", answers));
      if (json) {
        Map<String, Object> document = Metrics.json(answers, file.form().labels());
        document.put("calibration", ResultJson.of(measured.calibration));
        measured.importance.ifPresent(of -> document.put("importance", ResultJson.of(of)));
        if (!warnings.isEmpty()) {
          document.put("warnings", warnings);
        }
        out.println(Tables.json(document));
      }
      return 0;
    }
  }

  /** What was found out about the answers to the test set. */
  private record Measured(
      Score answers, Calibration calibration, Optional<Importance> importance) {}

  private Measured measure(Ops ops, Committee file, ExampleSet test, Terminal terminal) {
    try (var evaluator =
        new NetworkEvaluator(
            ops,
            file.passes(),
            file.form().scaling(),
            copies.of(file.form(), model),
            test.size(),
            testBatchSize,
            "%s: the evaluation of a network %s".formatted(model, file.shape()),
            "; lower --test-batch-size")) {
      var answers = new Predictions(test.size());
      Score score = evaluator.run(test, Optional.of(answers));
      var calibration = Calibration.of(answers, test.labels());
      if (mistakes != null) {
        draw(test, answers, terminal);
      }
      if (!importance) {
        return new Measured(score, calibration, Optional.empty());
      }
      try (var bar = new ImportanceBar(terminal)) {
        return new Measured(
            score, calibration, Optional.of(Importance.of(test, score, evaluator::run, SEED, bar)));
      }
    }
  }

  private void draw(ExampleSet test, Predictions answers, Terminal terminal) {
    int[] wrong =
        IntStream.range(0, test.size())
            .filter(i -> answers.classes()[i] != test.label(i))
            .toArray();
    if (wrong.length == 0) {
      terminal.line("No answer is wrong: %s is not written", mistakes);
      return;
    }
    byte[] sheet =
        ContactSheet.encode(test.chosen(wrong).features(), (Layout.Images) test.layout());
    WholeFile.write(mistakes, stream -> stream.write(sheet));
    terminal.line("Saved %s", mistakes);
  }

  private void checkImportance(Committee file) {
    if (!importance) {
      return;
    }
    if (file.size() > 1) {
      throw new ParameterException(
          spec.commandLine(),
          "--importance is of one network, and %s has a committee of %d"
              .formatted(model, file.size()));
    }
    try {
      Importance.check(file.form().layout());
    } catch (SettingException e) {
      throw new ParameterException(spec.commandLine(), Failures.message(e));
    }
  }

  private ExampleSet fitting(Committee file, LabelledData dataset) {
    ExampleSet test = dataset.test();
    if (!test.layout().equals(file.form().layout())) {
      throw new BadFileException(
          "%s: the %s of %s must be %s as the network's inputs, found %s"
              .formatted(
                  model,
                  file.form().layout() instanceof Layout.Images ? "images" : "rows",
                  dataset.name(),
                  file.form().layout(),
                  test.layout()));
    }
    int largest = test.largestLabel();
    if (largest >= file.shape().classes()) {
      throw new BadFileException(
          "%s: the test labels of %s must be below the network's %d classes, found %d"
              .formatted(model, dataset.name(), file.shape().classes(), largest));
    }
    return test;
  }
}
