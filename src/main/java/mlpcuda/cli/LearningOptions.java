package mlpcuda.cli;

import java.util.Collections;
import java.util.List;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.SgdSettings;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.train.Schedule;
import mlpcuda.train.Training;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of how a network learns: optimizer, regularisation, learning rate. */
final class LearningOptions {
  /** The optimizers, as the option names them. */
  enum OptimizerName {
    adam,
    adamw,
    sgd
  }

  /** PyTorch's weight decay for AdamW, which would be Adam without any. */
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
      converter = Converters.DropoutRates.class,
      description =
          "Fraction of each hidden layer's outputs that is zeroed while training; one rate, or one"
              + " for each hidden layer, such as 0.2,0.5. Default: the preset's.")
  private Converters.Rates dropout;

  @Option(
      names = "--label-smoothing",
      paramLabel = "E",
      converter = Converters.Fraction.class,
      description = "Share of the target that is spread over all classes. Default: the preset's.")
  private Double smoothing;

  @Option(
      names = "--clip-grad-norm",
      paramLabel = "MAX",
      converter = Converters.PositiveReal.class,
      description = "Scale the gradient of all parameters down to a norm of MAX. Default: no.")
  private Double clip;

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
  void check(Preset preset, int hiddenLayers) {
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

  /** Refuses options of the learning rate, for the command that searches for one. */
  void refuseRate() {
    if (learningRate != null || schedule != null || warmup != null) {
      throw refused("--lr, --schedule and --warmup are what lr-find helps to choose, found one");
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private OptimizerName optimizer(Preset preset) {
    return optimizer != null ? optimizer : preset.recipe().optimizer();
  }

  private double momentum() {
    return momentum == null ? 0 : momentum;
  }

  private double weightDecay(Preset preset) {
    if (weightDecay != null) {
      return weightDecay;
    }
    boolean chosen = optimizer == OptimizerName.adamw && preset.recipe().optimizer() != optimizer;
    return chosen ? ADAMW_DECAY : preset.recipe().weightDecay();
  }

  /** The settings of the optimizer. */
  OptimizerSettings optimizerSettings(Preset preset) {
    double decay = weightDecay(preset);
    AdamSettings adam = AdamSettings.DEFAULT;
    return switch (optimizer(preset)) {
      case adam -> new AdamSettings(adam.beta1(), adam.beta2(), adam.eps(), decay, false);
      case adamw -> new AdamSettings(adam.beta1(), adam.beta2(), adam.eps(), decay, true);
      case sgd -> new SgdSettings(momentum(), nesterov, decay);
    };
  }

  /** The measures that keep the network from learning its examples by heart. */
  Regularisation regularisation(Preset preset, int hiddenLayers, long seed) {
    float smooth = smoothing != null ? smoothing.floatValue() : preset.recipe().smoothing();
    List<Float> rates = dropout != null ? dropout.list() : List.of(preset.recipe().dropout());
    if (rates.size() == 1) {
      rates = Collections.nCopies(hiddenLayers, rates.get(0));
    }
    return new Regularisation(rates, smooth, seed);
  }

  /**
   * The training that the options ask for, at a constant rate; the preset fills in the others.
   *
   * @param scaling the name of the scaling
   * @param batchSize the size of a batch; null: the preset's; at most the set's in either case
   */
  Training training(
      Preset preset, MlpShape shape, ImageSet set, String scaling, Integer batchSize, long seed) {
    return new Training(
        shape,
        set,
        Scaling.of(scaling, set),
        Math.min(batchSize != null ? batchSize : preset.batchSize(), set.size()),
        regularisation(preset, shape.layers() - 1, seed),
        optimizerSettings(preset),
        clip(),
        learningRate(preset),
        seed);
  }

  /** The limit of the gradients' norm; 0 for none. */
  double clip() {
    return clip == null ? 0 : clip;
  }

  double learningRate(Preset preset) {
    return learningRate != null ? learningRate : preset.recipe().learningRate();
  }

  Schedule schedule(Preset preset) {
    return schedule != null ? schedule : Schedule.parse(preset.recipe().schedule());
  }

  int warmup(Preset preset) {
    return warmup != null ? warmup : preset.recipe().warmup();
  }
}
