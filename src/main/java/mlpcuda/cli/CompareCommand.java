package mlpcuda.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import mlpcuda.compute.Ops;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.conformance.AmbiguousReluCounter;
import mlpcuda.conformance.Cases;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Scaling;
import mlpcuda.files.OneLine;
import mlpcuda.net.MlpShape;
import mlpcuda.report.Tables;
import mlpcuda.run.RunSettings;
import mlpcuda.train.Learner;
import mlpcuda.train.TrainingSetup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code compare}: a device against the reference. */
@Command(
    name = "compare",
    description =
        "Compares a device with the reference, plain loops in double precision: operation by"
            + " operation, then training step by step, then their times.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    footer = {
      "",
      "Exit code 1 if the device is further from the reference than it may be, or no step could"
          + " tell."
    })
final class CompareCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private NetworkOptions network = new NetworkOptions();
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  // no command line sets these options, so the preset's own values hold
  private final LearningOptions learning = new LearningOptions();

  @Option(
      names = "--presets",
      paramLabel = "NAME",
      converter = Converters.PresetName.class,
      description = "Another name of --preset, as benchmark has it; one preset alone.")
  private void choosePreset(RunSettings preset) {
    network.choose(preset);
  }

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description =
          "Examples of a training step, up to 65536. Where the reference would take long for them,"
              + " the device's batch repeats fewer. Default: the preset's.")
  private Integer batchSize;

  @Option(
      names = "--steps",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description =
          "Training steps to take on both. Default: 100, fewer where the reference would take"
              + " minutes.")
  private Integer steps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Converters.Whole.class,
      description = "Seed of the initial weights, the order of examples and dropout. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--operations",
      paramLabel = "NAME",
      split = ",",
      description = "Compare these operations alone, such as adamStep,linearForward. Default: all.")
  private List<String> operations;

  @Option(
      names = "--json",
      description = "Print the comparison as JSON on standard output, all else on standard error.")
  private boolean json;

  @Override
  public Integer call() {
    data.check();
    device.check();
    checkOperations();
    PrintWriter out = spec.commandLine().getOut();
    var terminal = new Terminal(json ? spec.commandLine().getErr() : out, false);
    try (Opened opened = Opened.of(device, data, terminal)) {
      Ops ops = opened.ops();
      ComparedTraining training = training(opened.dataset());
      String description = ops.description(training.device().needs());
      terminal.line("%s", opened.device().line(description));
      Comparison found = compare(ops, training, terminal);
      terminal.line(description + found.verdict());
      if (json) {
        out.println(Tables.json(describe(ops, training, found)));
      }
      return found.agrees() ? 0 : ExitCode.INTERNAL.code;
    }
  }

  private void checkOperations() {
    List<String> known = Cases.all().stream().map(Case::operation).distinct().toList();
    for (String name : operations == null ? List.<String>of() : operations) {
      if (!known.contains(name)) {
        throw new ParameterException(
            spec.commandLine(),
            "Invalid value for option '--operations': must be one of %s, found %s%s"
                .formatted(
                    String.join(", ", known), OneLine.orNothing(name), Suggestion.of(name, known)));
      }
    }
  }

  private ComparedTraining training(LabelledData dataset) {
    ExampleSet train = dataset.train();
    MlpShape shape = network.shape(train.inputs(), dataset.classes());
    RunSettings settings = learning.settings(network, batchSize, seed);
    TrainingSetup whole =
        settings.training(shape, train, Scaling.of(settings.network().scaling(), train));
    int B = batchSize != null ? batchSize : whole.B();
    int largest = Math.max(SubjectOptions.LARGEST_BATCH, train.size());
    if (B > largest) {
      throw new ParameterException(
          spec.commandLine(),
          "Invalid value for option '--batch-size': must be at most %d, found %d"
              .formatted(largest, B));
    }
    return ComparedTraining.of(whole, B);
  }

  /** Compares the device with the reference, and prints each result as it is found. */
  private Comparison compare(Ops ops, ComparedTraining training, Terminal terminal) {
    List<Case> ofStep = stepCases(ops, training.reference());
    List<OperationCheck> checks =
        OperationCheck.run(
            ops, chosen(Stream.concat(Cases.all(ops.precision()).stream(), ofStep.stream())));
    terminal.line(OperationCheck.HEADER);
    checks.forEach(check -> terminal.line(check.toString()));
    terminal.line(
        "Training %s, batches of %d, seed %d, on both"
            .formatted(training.device().shape(), training.device().B(), seed));
    if (training.repeats()) {
      terminal.line(
          "The device's batches repeat %d examples; the reference, the operations above and the"
              + " times below have these alone",
          training.reference().B());
    }
    List<StepCheck> taken = takeSteps(ops, training);
    StepCheck.table(taken, ops.precision()).forEach(terminal::line);
    List<SpeedUp> times = times(ops, training.reference(), chosen(ofStep.stream()));
    terminal.line(SpeedUp.HEADER);
    times.forEach(time -> terminal.line(time.toString()));
    terminal.line(
        "The reference is never tuned: this shows whether the device's times are plausible.");
    return new Comparison(checks, taken, times);
  }

  private List<StepCheck> takeSteps(Ops ops, ComparedTraining training) {
    int n = steps != null ? steps : training.affordableSteps();
    try (var here = new Learner(ops, training.device());
        var reference = new AmbiguousReluCounter(ops.precision());
        var there = new Learner(reference, training.reference())) {
      return StepCheck.run(here, there, reference::ambiguous, n, ops.precision());
    }
  }

  private static List<SpeedUp> times(Ops ops, TrainingSetup training, List<Case> operations) {
    var times = new ArrayList<SpeedUp>();
    try (var here = new Learner(ops, training);
        var reference = new ReferenceOps(ops.precision());
        var there = new Learner(reference, training)) {
      for (Case one : operations) {
        times.add(SpeedUp.of(one, ops, reference));
      }
      times.add(SpeedUp.ofStep(here, there));
    }
    return times;
  }

  private List<Case> stepCases(Ops ops, TrainingSetup training) {
    MlpShape shape = training.shape();
    var learning = network.preset().learning();
    var of =
        new Cases.Network(
            shape.sizes(),
            shape.hidden(),
            shape.output(),
            learning.dropout().get(0),
            shape.parameters());
    return Cases.ofStep(
        ops.precision(), of, training.B(), learning.smoothing(), training.update().optimizer());
  }

  /** The cases of the operations that are asked for, each once. */
  private List<Case> chosen(Stream<Case> cases) {
    var chosen = new LinkedHashMap<String, Case>();
    cases
        .filter(one -> operations == null || operations.contains(one.operation()))
        .forEach(one -> chosen.putIfAbsent(one.name(), one));
    return List.copyOf(chosen.values());
  }

  private Map<String, Object> describe(Ops ops, ComparedTraining training, Comparison found) {
    var document = new LinkedHashMap<String, Object>();
    document.put("device", ops.description(training.device().needs()));
    document.put("precision", ops.precision().label());
    document.put("agrees", found.agrees());
    document.put("wrong", found.wrong());
    document.put("operations", found.operations().stream().map(OperationCheck::json).toList());
    document.put("network", training.device().shape().toString());
    document.put("batch_size", training.device().B());
    document.put("reference_batch_size", training.reference().B());
    document.put("seed", seed);
    var limits = StepCheck.Limits.of(ops.precision());
    document.put("loss_limit", limits.loss());
    document.put("weights_limit", limits.weights());
    document.put("moments_limit", limits.moments());
    document.put("steps_judged", found.judged());
    document.put("steps", found.steps().stream().map(StepCheck::json).toList());
    document.put("times", found.times().stream().map(SpeedUp::json).toList());
    return document;
  }
}
