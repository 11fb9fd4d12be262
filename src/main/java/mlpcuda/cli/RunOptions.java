package mlpcuda.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.Preparation;
import mlpcuda.run.DataChoice;
import mlpcuda.run.DeviceChoice;
import mlpcuda.run.RunPlan;
import mlpcuda.run.RunSettings;
import mlpcuda.run.RunSettings.Architecture;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options of a training run, which say what the run is to do. {@code train} inherits them: a
 * mixin that has mixins of its own would not reach the command line that it stands in.
 */
abstract class RunOptions {
  @Mixin private NetworkOptions network = new NetworkOptions();
  @Mixin private DataOptions data = new DataOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private LearningOptions learning = new LearningOptions();
  @Mixin private AugmentOptions augment = new AugmentOptions();
  @Mixin private ValidationOptions validation = new ValidationOptions();
  @Mixin private CourseOptions course = new CourseOptions();
  @Mixin private RecordingOptions recording = new RecordingOptions();
  @Mixin private CommitteeOptions committee = new CommitteeOptions();

  @Option(
      names = "--subset",
      paramLabel = "N",
      converter = Converters.Positive.class,
      description = "Train on the first N examples alone, and evaluate these too.")
  private Integer subset;

  @Option(
      names = "--test-split",
      paramLabel = "N",
      converter = Converters.SplitAmount.class,
      description =
          "Where the data have no test set: the number of examples, or their fraction, that are held"
              + " back for it, of each class its share. Default: 0.15.")
  private double testSplit = DataChoice.USUAL_TEST;

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

  /** Refuses options that can be refused before any file is read. */
  final void check() {
    data.check();
    device.check();
    learning.check(network.preset(), network.hiddenLayers());
    augment.check(network.preset());
    validation.check();
    committee.check();
  }

  final DataOptions data() {
    return data;
  }

  final DeviceOptions device() {
    return device;
  }

  final ValidationOptions validation() {
    return validation;
  }

  final CourseOptions course() {
    return course;
  }

  final RecordingOptions recording() {
    return recording;
  }

  final CommitteeOptions committee() {
    return committee;
  }

  /** The plan that the options make, on the device that was opened for it. */
  final RunPlan plan(DeviceChoice opened) {
    return new RunPlan(
        settings(),
        data.choice(subset == null ? OptionalInt.empty() : OptionalInt.of(subset), testSplit),
        opened,
        recording.tensorboard());
  }

  private RunSettings settings() {
    RunSettings preset = network.preset();
    Architecture chosen = network.architecture();
    return new RunSettings(
        preset.preset(),
        new Architecture(
            chosen.hidden(),
            chosen.activation(),
            chosen.output(),
            chosen.scaling(),
            Optional.ofNullable(prepare),
            Optional.ofNullable(init).map(Path::toString)),
        learning.rate(preset),
        augment.of(learning.learning(preset)),
        course.course(preset),
        validation.validation(),
        recording.recording(preset, subset != null),
        course.seed());
  }

  /** The weights to begin with; empty if the seed gives them. */
  final Optional<List<float[]>> initialWeights(MlpShape shape) {
    return Optional.ofNullable(init).map(file -> ModelFile.readWeights(file, shape));
  }
}
