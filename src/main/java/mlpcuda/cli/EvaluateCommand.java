package mlpcuda.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import mlpcuda.compute.Ops;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.report.Metrics;
import mlpcuda.report.Tables;
import mlpcuda.run.Warnings;
import mlpcuda.train.Evaluator;
import mlpcuda.train.MemoryNeed;
import mlpcuda.train.Score;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code evaluate}: evaluates a saved network on a test set. */
@Command(
    name = "evaluate",
    description = "Evaluates a saved network on a test set.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false)
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      required = true,
      description = "A model.safetensors that training wrote.")
  private Path model;

  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();

  @Option(
      names = "--test-batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Examples evaluated at once. Default: 1000.")
  private int testBatchSize = 1000;

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
    PrintWriter out = spec.commandLine().getOut();
    Terminal terminal = Terminal.of(spec.commandLine(), json, quiet);
    ModelFile file = ModelFile.read(model);
    data.takeAs(file.form(), terminal);
    try (Opened opened =
        Opened.of(
            device::open,
            () -> data.loadFor(file.form(), file.shape().classes(), terminal),
            device.startUp())) {
      ExampleSet test = fitting(file, opened.dataset());
      terminal.line("%s", opened.device().line(opened.ops().description()));
      terminal.line(Tables.layers(file.shape()));
      Score answers = answers(opened.ops(), file, test);
      terminal.line(Tables.answers(answers, file.form().labels()));
      List<String> warnings =
          Warnings.ofAnswers(answers, file.shape(), file.form().labels(), false, null).stream()
              .toList();
      warnings.forEach(terminal::always);
      terminal.always(Tables.result("Test", answers));
      if (json) {
        Map<String, Object> document = Metrics.json(answers, file.form().labels());
        if (!warnings.isEmpty()) {
          document.put("warnings", warnings);
        }
        out.println(Tables.json(document));
      }
      return 0;
    }
  }

  private Score answers(Ops ops, ModelFile file, ExampleSet test) {
    MlpShape shape = file.shape();
    MemoryNeed.ofEvaluation(shape, test.size(), testBatchSize)
        .check(
            ops,
            "%s: the evaluation of a network %s".formatted(model, shape),
            "; lower --test-batch-size");
    try (var parameters = Parameters.forInference(ops, shape)) {
      parameters.write(file.weights());
      return Evaluator.evaluate(parameters, test, file.form().scaling(), testBatchSize);
    }
  }

  private ExampleSet fitting(ModelFile file, LabelledData dataset) {
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
