package mlpcuda.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import mlpcuda.benchmark.Throughput;
import mlpcuda.cli.Measurements.Subject;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Scaling;
import mlpcuda.net.Augmentation;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.run.Presets;
import mlpcuda.run.RunSettings;
import mlpcuda.train.TrainingSetup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of {@code benchmark} that choose networks and sizes of batches. */
final class SubjectOptions {
  /** The most examples of a batch that is measured or compared, unless the set has more. */
  static final int LARGEST_BATCH = 65536;

  private static final List<Integer> BATCH_SIZES =
      List.of(32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, LARGEST_BATCH);

  /** The hidden layers of the networks of millions of weights that are measured by default. */
  private static final List<List<Integer>> LARGE =
      List.of(List.of(1000, 500), List.of(2500, 2000, 1500, 1000, 500));

  private static final List<Integer> LARGE_BATCH_SIZES = List.of(256, 1024, 4096, 16384);

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  // no command line sets these options, so each preset's own values hold
  private final LearningOptions learning = new LearningOptions();

  @Option(
      names = {"--presets", "--preset"},
      paramLabel = "NAMES",
      converter = ListConverters.PresetNames.class,
      description =
          "Measure these presets alone, such as 128x64,tuned. Default: all, and networks with hidden"
              + " layers of 1000,500 and 2500,2000,1500,1000,500.")
  private ListConverters.PresetList presets;

  @Option(
      names = "--hidden",
      paramLabel = "WIDTHS",
      converter = ListConverters.Widths.class,
      description =
          "Measure one network, with hidden layers of these widths, such as 1000,500, which learns"
              + " as the preset does.")
  private ListConverters.Hidden hidden;

  @Option(
      names = "--batch-sizes",
      paramLabel = "SIZES",
      converter = ListConverters.BatchSizes.class,
      description =
          "Batch sizes of every network, such as 64,1024, up to 65536: where the set has fewer"
              + " examples, they are repeated. Default: 32,64,128 ... 65536 of the first network,"
              + " of each other preset its own, and of the large networks 256,1024,4096,16384.")
  private ListConverters.Sizes batchSizes;

  @Mixin private AugmentOption augment = new AugmentOption();

  /** The networks to measure, each with its sizes of batches. */
  List<Subject> subjects(LabelledData dataset) {
    ExampleSet set = dataset.train();
    check(set.size());
    var subjects = new ArrayList<Subject>();
    for (RunSettings preset : presets()) {
      List<Integer> own = List.of(preset.course().largestBatch(set.size()));
      List<Integer> sizes = subjects.isEmpty() ? BATCH_SIZES : own;
      subjects.add(
          hidden == null
              ? subject(preset.preset(), preset, dataset, sizes)
              : subject(preset, hidden.list(), dataset, sizes));
    }
    if (presets == null && hidden == null) {
      LARGE.forEach(
          widths -> subjects.add(subject(Presets.DEFAULT, widths, dataset, LARGE_BATCH_SIZES)));
    }
    return subjects;
  }

  private List<RunSettings> presets() {
    if (presets != null) {
      return presets.list();
    }
    return hidden == null ? Presets.ALL : List.of(Presets.DEFAULT);
  }

  private void check(int examples) {
    if (hidden != null && presets != null && presets.list().size() > 1) {
      throw refused("--hidden", "goes with one preset, found " + presets.list().size());
    }
    int most = Math.max(LARGEST_BATCH, examples);
    for (int B : batchSizes == null ? List.<Integer>of() : batchSizes.list()) {
      if (B > most) {
        throw refused("--batch-sizes", "must be at most %d, found %d".formatted(most, B));
      }
    }
  }

  private ParameterException refused(String option, String why) {
    return new ParameterException(
        spec.commandLine(), "Invalid value for option '%s': %s".formatted(option, why));
  }

  /** The network with hidden layers of those widths, named after them. */
  private Subject subject(
      RunSettings preset, List<Integer> widths, LabelledData dataset, List<Integer> sizes) {
    String name = widths.stream().map(String::valueOf).collect(Collectors.joining("x"));
    RunSettings settings = preset.with(preset.network().withHidden(widths));
    return subject(name.isEmpty() ? "none" : name, settings, dataset, sizes);
  }

  private Subject subject(
      String name, RunSettings settings, LabelledData dataset, List<Integer> sizes) {
    return new Subject(
        augment.distortion().isPresent() ? name + " distorted" : name,
        settings,
        new Throughput(training(settings, dataset)),
        batchSizes == null ? sizes : batchSizes.list());
  }

  /** The training of a run with no other options, but for its schedule. */
  private TrainingSetup training(RunSettings preset, LabelledData dataset) {
    ExampleSet set = dataset.train();
    RunSettings.Learning presets = learning.learning(preset);
    RunSettings settings = preset.with(distorted(presets, set)).with(learning.rate(preset));
    MlpShape shape = settings.network().shape(set.inputs(), dataset.classes());
    return settings.training(shape, set, Scaling.of(settings.network().scaling(), set));
  }

  /** The way of learning with the distortions that are asked for, or else the preset's. */
  private RunSettings.Learning distorted(RunSettings.Learning presets, ExampleSet set) {
    if (augment.isGiven()) {
      return presets.with(augment.distortion().map(Augmentation::constant));
    }
    // A table can be measured with every preset, and only images are distorted.
    return Batches.canDistort(set) ? presets : presets.with(Optional.empty());
  }
}
