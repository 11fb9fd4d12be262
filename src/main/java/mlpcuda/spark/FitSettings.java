package mlpcuda.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import mlpcuda.Adam;
import mlpcuda.Dataset;
import mlpcuda.Network;
import mlpcuda.Optimizer;
import mlpcuda.Sgd;
import mlpcuda.Training;
import org.apache.spark.SparkContext;

/**
 * What the parameters of a classifier mean to the library: its training, on what, and where.
 *
 * @param of the classifier, which the tasks get
 */
record FitSettings(MlpClassifier of) implements Serializable {
  /** The number of epochs without a lower loss after which {@code tol} ends a training. */
  private static final int PATIENCE = 10;

  /** The scalings of images. */
  private static final List<String> IMAGES = List.of("unit", "centred", "z-score");

  /**
   * Checks that the parameters fit each other.
   *
   * @throws IllegalArgumentException if they do not
   */
  void check() {
    if (!of.isDefined(of.layers())) {
      throw new IllegalArgumentException(
          "layers must be set: the widths of the inputs, of each hidden layer and of the output");
    }
    int[] widths = of.getLayers();
    if (widths[widths.length - 1] > 256) {
      throw new IllegalArgumentException(
          "the last of layers, the number of classes, must be at most 256, found "
              + widths[widths.length - 1]);
    }
    int[] shape = of.imageSize();
    if (shape.length > 0 && (shape.length != 2 || (long) shape[0] * shape[1] != widths[0])) {
      throw new IllegalArgumentException(
          "imageShape must be a height and a width, whose product is the first of layers, %d, found %s"
              .formatted(widths[0], Arrays.toString(shape)));
    }
    if (of.isDefined(of.augment()) && shape.length == 0) {
      throw new IllegalArgumentException(
          "augment needs imageShape, because only images can be distorted");
    }
    if (shape.length > 0 && of.isSet(of.initialWeights())) {
      throw new IllegalArgumentException(
          "initialWeights are those of a network that takes features as they are, and images are"
              + " scaled: imageShape and initialWeights cannot be combined");
    }
    if (of.isDefined(of.scaling()) && shape.length > 0 != IMAGES.contains(of.getScaling())) {
      throw new IllegalArgumentException(
          "scaling must be one of %s with imageShape, and none of them without it, found %s"
              .formatted(String.join(", ", IMAGES), of.getScaling()));
    }
    if (of.isDefined(of.thresholds())) {
      checkThresholds(of.getThresholds(), widths[widths.length - 1]);
    }
    if (of.isSet(of.initialWeights())
        && of.isSet(of.scaling())
        && !of.getScaling().equals("none")) {
      throw new IllegalArgumentException(
          "initialWeights are those of a network that takes features as they are: scaling must be none");
    }
    boolean judges = of.getPatience() > 0 || of.getKeepBest();
    if (judges && !of.isGiven(of.validationIndicatorCol())) {
      throw new IllegalArgumentException(
          "patience and keepBest need validationIndicatorCol, the column that tells validation rows");
    }
    if (of.getNumWorkers() > 1
        && (of.getMembers() > 1 || of.isGiven(of.validationIndicatorCol()))) {
      throw new IllegalArgumentException(
          "with several workers there are no members and no validation rows: numWorkers, members and"
              + " validationIndicatorCol cannot be combined");
    }
  }

  /**
   * Checks the numbers that probabilities are divided by.
   *
   * @throws IllegalArgumentException if there is not one for each class
   */
  static void checkThresholds(double[] thresholds, int classes) {
    if (thresholds.length != classes) {
      throw new IllegalArgumentException(
          "thresholds must have one number for each of the %d classes, found %d"
              .formatted(classes, thresholds.length));
    }
  }

  /** The rows that {@link Rows#deal} gave a task. */
  Dataset dataset(Iterator<byte[]> blocks) {
    int[] widths = of.getLayers();
    return Block.dataset(blocks, widths[0], of.imageSize(), widths[widths.length - 1]);
  }

  /** The device of a task: tasks that run side by side on a CPU have their cores alone. */
  DeviceChoice device(SparkContext context, boolean sideBySide) {
    int count = of.getThreads();
    if (count == 0) {
      count =
          sideBySide
              ? context.getConf().getInt("spark.task.cpus", 1)
              : context.getConf().getInt("spark.executor.cores", 0);
    }
    return new DeviceChoice(of.getDevice(), of.getPrecision(), count);
  }

  /**
   * The training of a member, as the library knows it.
   *
   * @param losses takes the mean loss of each epoch
   */
  Training training(int member, List<Double> losses) {
    int[] widths = of.getLayers();
    Network network =
        switch (of.getActivation()) {
          case "sigmoid" -> Network.sigmoid(widths);
          case "tanh" -> Network.tanh(widths);
          case "lecun-tanh" -> Network.lecunTanh(widths);
          default -> Network.relu(widths);
        };
    boolean given = of.isSet(of.initialWeights());
    if (given) {
      network = network.withWeights(WeightVector.read(of.getInitialWeights().toArray(), widths));
    }
    String usual = given ? "none" : of.imageSize().length > 0 ? "unit" : "standard";
    Training training =
        Training.of(network)
            .epochs(of.getMaxIter())
            .batchSize(of.getBlockSize())
            .optimizer(learner())
            .schedule(of.getSchedule())
            .dropout(of.getDropout())
            .labelSmoothing(of.getLabelSmoothing())
            .scaling(of.isDefined(of.scaling()) ? of.getScaling() : usual)
            .seed(of.getSeed() + member);
    if (of.isDefined(of.augment())) {
      training = training.augment(of.getAugment());
    }
    if (of.getPatience() > 0) {
      training = training.earlyStopping(of.getPatience());
    }
    if (of.getKeepBest()) {
      training = training.keepBest();
    }
    return listening(training, losses);
  }

  /**
   * A training that goes on from its checkpoint, after epochs of those losses. If they ended it,
   * and only its result was lost, it does no further epoch: the checkpoint does not tell.
   */
  Training goingOn(Training resumed, List<Double> losses) {
    boolean ended = hasConverged(losses, of.getTol());
    return listening(ended ? resumed.epochs(losses.size()) : resumed, losses);
  }

  /** A training that notes the loss of each epoch, and ends when it falls no more. */
  private Training listening(Training training, List<Double> losses) {
    double tolerance = of.getTol();
    return training
        .onEpoch(epoch -> losses.add(epoch.loss()))
        .stopWhen(epoch -> hasConverged(losses, tolerance));
  }

  /**
   * Whether the lowest loss of the last epochs is lower than that of the epochs before by no more
   * than that share. A single epoch decides nothing, because its loss may rise by chance.
   */
  static boolean hasConverged(List<Double> losses, double tolerance) {
    int before = losses.size() - PATIENCE;
    return tolerance > 0
        && before > 0
        && lowest(losses.subList(before, losses.size()))
            >= lowest(losses.subList(0, before)) * (1 - tolerance);
  }

  private static double lowest(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
  }

  private Optimizer learner() {
    boolean gd = of.isGradientDescent();
    double decay = of.getWeightDecay();
    if (gd || of.getOptimizer().equals("sgd")) {
      return Sgd.rate(of.rate()).momentum(gd ? 0 : of.getMomentum()).weightDecay(decay);
    }
    Adam adam = Adam.rate(of.rate()).weightDecay(decay);
    return of.getOptimizer().equals("adamw") ? adam.decoupled() : adam;
  }
}
