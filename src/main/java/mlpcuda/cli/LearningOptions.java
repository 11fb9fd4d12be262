package mlpcuda.cli;

import java.util.Collections;
import java.util.Optional;
import java.util.OptionalDouble;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.data.ClassWeights;
import mlpcuda.run.RunSettings;
import mlpcuda.train.Course;
import mlpcuda.train.LearningRate;
import mlpcuda.train.Schedule;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say how a network learns: optimizer, regularisation, learning rate. */
final class LearningOptions {
  /** The optimizers, as the option names them. */
  enum OptimizerName {
    adam,
    adamw,
    sgd
  }

  /** PyTorch's default weight decay of AdamW; without weight decay AdamW would be Adam. */
  private static final double ADAMW_DECAY = 0.01;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      converter = Converters.PositiveReal.class,
      description = "Learning rate. Default: the preset's.")
  private Double learningRate;

  @Option(
      names = "--optimizer",
      paramLabel = "adam|adamw|sgd",
      description = "What moves the weights. Default: the preset's.")
  private OptimizerName optimizer;

  @Option(
      names = "--momentum",
      paramLabel = "M",
      converter = Converters.Fraction.class,
      description = "Momentum of sgd, in [0, 1). Default: 0.")
  private Double momentum;

  @Option(names = "--nesterov", description = "Nesterov's momentum for sgd.")
  private boolean nesterov;

  @Option(
      names = "--weight-decay",
      paramLabel = "W",
      converter = Converters.NotNegativeReal.class,
      description = "Weight decay: in the gradient, or, with adamw, apart. Default: the preset's.")
  private Double weightDecay;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      converter = ListConverters.DropoutRates.class,
      description =
          "Fraction of each hidden layer's outputs that is zeroed while training; one rate, or one"
              + " for each hidden layer, such as 0.2,0.5. Default: the preset's.")
  private ListConverters.Rates dropout;

  @Option(
      names = "--label-smoothing",
      paramLabel = "E",
      converter = Converters.Fraction.class,
      description = "Share of the target that is spread over all classes. Default: the preset's.")
  private Double smoothing;

  @Option(
      names = "--class-weights",
      paramLabel = "WEIGHTS",
      converter = ListConverters.Weights.class,
      description =
          "Factors of the loss of each class's training examples: balanced, by the classes' sizes, or"
              + " such as 0:1,1:5. Default: all are 1.")
  private ClassWeights classWeights;

  @Option(
      names = "--clip-grad-norm",
      paramLabel = "MAX",
      converter = Converters.PositiveReal.class,
      description = "Scale the gradient of all parameters down to a norm of MAX. Default: no.")
  private Double clip;

  @Option(
      names = "--ema",
      paramLabel = "DECAY",
      converter = Converters.Fraction.class,
      description =
          "Evaluate and save the exponential moving average of the weights, of decay DECAY, such as"
              + " 0.999; 0: the weights themselves. Default: the preset's.")
  private Double ema;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      converter = Converters.ScheduleText.class,
      description =
          "Learning rate over the run: constant, step:EPOCHS:GAMMA, exponential:GAMMA, cosine,"
              + " one-cycle, plateau:FACTOR:PATIENCE. Default: the preset's.")
  private Schedule schedule;

  @Option(
      names = "--warmup",
      paramLabel = "STEPS",
      converter = Converters.NotNegative.class,
      description = "Steps over which the learning rate rises from 0. Default: the preset's.")
  private Integer warmup;

  /** Refuses options that can be refused before any file is read. */
  void check(RunSettings preset, int hiddenLayers) {
    OptimizerName name = optimizer(preset);
    if (name != OptimizerName.sgd && (momentum != null || nesterov)) {
      throw refused("--momentum and --nesterov are of --optimizer sgd, found " + name);
    }
    if (nesterov && momentum() == 0) {
      throw refused("--nesterov needs --momentum above 0, found none");
    }
    if (dropout != null && hiddenLayers == 0 && Collections.max(dropout.list()) > 0) {
      throw refused("--dropout needs a hidden layer, found none");
    }
    if (dropout != null && dropout.list().size() > 1 && dropout.list().size() != hiddenLayers) {
      throw refused(
          "--dropout must be one rate or one for each hidden layer, here %d, found %d"
              .formatted(hiddenLayers, dropout.list().size()));
    }
  }

  /** Refuses what would have no effect in the command that searches for a learning rate. */
  void checkForSearch() {
    if (learningRate != null || schedule != null || warmup != null) {
      throw refused("--lr, --schedule and --warmup are what lr-find helps to choose, found one");
    }
    if (ema != null) { // the curve's losses are those of the weights that the steps move
      throw refused("--ema changes no loss that lr-find measures, found " + ema);
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private OptimizerName optimizer(RunSettings preset) {
    return optimizer != null ? optimizer : name(preset.learning().optimizer());
  }

  private static OptimizerName name(OptimizerSettings settings) {
    if (settings instanceof AdamSettings adam) {
      return adam.decoupled() ? OptimizerName.adamw : OptimizerName.adam;
    }
    return OptimizerName.sgd;
  }

  private double momentum() {
    return momentum == null ? 0 : momentum;
  }

  private double weightDecay(RunSettings preset) {
    if (weightDecay != null) {
      return weightDecay;
    }
    OptimizerSettings presets = preset.learning().optimizer();
    boolean chosen = optimizer == OptimizerName.adamw && name(presets) != optimizer;
    return chosen ? ADAMW_DECAY : presets.weightDecay();
  }

  /** The optimizer, which the preset gives where no option does. */
  private OptimizerSettings optimizerSettings(RunSettings preset) {
    double decay = weightDecay(preset);
    OptimizerName name = optimizer(preset);
    if (name == OptimizerName.sgd) {
      return new SgdSettings(momentum(), nesterov, decay);
    }
    AdamSettings usual = AdamSettings.DEFAULT;
    return new AdamSettings(
        usual.beta1(), usual.beta2(), usual.eps(), decay, name == OptimizerName.adamw);
  }

  /** How the network learns; the preset fills in what no option says. */
  RunSettings.Learning learning(RunSettings preset) {
    RunSettings.Learning presets = preset.learning();
    return new RunSettings.Learning(
        optimizerSettings(preset),
        clip == null ? OptionalDouble.empty() : OptionalDouble.of(clip),
        dropout != null ? dropout.list() : presets.dropout(),
        smoothing != null ? smoothing.floatValue() : presets.smoothing(),
        Optional.ofNullable(classWeights),
        presets.augmentation(),
        ema(presets));
  }

  private OptionalDouble ema(RunSettings.Learning presets) {
    if (ema == null) {
      return presets.ema();
    }
    return ema == 0 ? OptionalDouble.empty() : OptionalDouble.of(ema);
  }

  /** The learning rate; the preset fills in what no option says. */
  LearningRate rate(RunSettings preset) {
    LearningRate presets = preset.rate();
    return new LearningRate(
        learningRate != null ? learningRate : presets.base(),
        schedule != null ? schedule : presets.schedule(),
        warmup != null ? warmup : presets.warmup());
  }

  /**
   * The settings of a training that a command measures, at a constant rate.
   *
   * @param batchSize the size of a batch; null if the preset gives it
   */
  RunSettings settings(NetworkOptions network, Integer batchSize, long seed) {
    RunSettings preset = network.preset();
    Course course = preset.course();
    int size = batchSize != null ? batchSize : course.batchSize();
    return preset
        .with(network.architecture())
        .with(learning(preset))
        .with(rate(preset))
        .with(course.withBatchSize(size))
        .withSeed(seed);
  }
}
