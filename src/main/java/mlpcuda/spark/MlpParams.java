package mlpcuda.spark;

import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.param.StringArrayParam;

/**
 * The parameters that {@link MlpClassifier} and its model have beside those of Spark's own
 * multilayer perceptron. Spark finds a parameter by the method that returns it. The getter of a
 * parameter that has neither a value nor a default throws NoSuchElementException, as Spark's do.
 */
public interface MlpParams extends Params {
  /** The parameters themselves, which belong to one estimator or model. */
  final class Own implements java.io.Serializable {
    private static final long serialVersionUID = 1;

    private final Param<String> activation;
    private final DoubleParam dropout;
    private final Param<String> optimizer;
    private final DoubleParam momentum;
    private final DoubleParam weightDecay;
    private final Param<String> schedule;
    private final DoubleParam labelSmoothing;
    private final Param<String> scaling;
    private final IntParam patience;
    private final Param<String> weightCol;
    private final Param<String> validationIndicatorCol;
    private final StringArrayParam featuresCols;
    private final IntArrayParam imageShape;
    private final Param<String> augment;
    private final IntParam members;
    private final IntParam numWorkers;
    private final IntParam localSteps;
    private final DoubleParam outerRate;
    private final DoubleParam outerMomentum;
    private final Param<String> device;
    private final Param<String> precision;
    private final IntParam threads;
    private final BooleanParam keepBest;

    Own(Params parent) {
      activation =
          new Param<>(
              parent,
              "activation",
              "Activation of the hidden layers: relu, sigmoid, tanh or lecun-tanh.",
              ParamValidators.inArray(new String[] {"relu", "sigmoid", "tanh", "lecun-tanh"}));
      dropout =
          new DoubleParam(
              parent,
              "dropout",
              "Fraction of each hidden layer's outputs that training sets to 0, in [0, 1).",
              ParamValidators.inRange(0, 1, true, false));
      optimizer =
          new Param<>(
              parent,
              "optimizer",
              "Optimizer: adam, adamw or sgd.",
              ParamValidators.inArray(new String[] {"adam", "adamw", "sgd"}));
      momentum =
          new DoubleParam(
              parent,
              "momentum",
              "Momentum of the optimizer sgd, in [0, 1).",
              ParamValidators.inRange(0, 1, true, false));
      weightDecay =
          new DoubleParam(
              parent, "weightDecay", "Weight decay, at least 0.", ParamValidators.gtEq(0));
      schedule =
          new Param<>(
              parent,
              "schedule",
              "Course of the learning rate: constant, step:EPOCHS:GAMMA, exponential:GAMMA, cosine"
                  + " or one-cycle.");
      labelSmoothing =
          new DoubleParam(
              parent,
              "labelSmoothing",
              "Share of the target that is spread over all classes, in [0, 1).",
              ParamValidators.inRange(0, 1, true, false));
      scaling =
          new Param<>(
              parent,
              "scaling",
              "Scaling of the features, by numbers of the training rows: standard, minmax or none;"
                  + " of images unit, centred or z-score. Without it unit for images, none with"
                  + " initialWeights, otherwise standard.",
              ParamValidators.inArray(
                  new String[] {"standard", "minmax", "none", "unit", "centred", "z-score"}));
      patience =
          new IntParam(
              parent,
              "patience",
              "Number of epochs without a lower validation loss after which training ends; 0: it"
                  + " goes on to maxIter.",
              ParamValidators.gtEq(0));
      keepBest =
          new BooleanParam(
              parent,
              "keepBest",
              "Whether the model has the weights of the best validation epoch.");
      weightCol = new Param<>(parent, "weightCol", "Column of the rows' weights in the loss.");
      validationIndicatorCol =
          new Param<>(
              parent,
              "validationIndicatorCol",
              "Boolean column: true for rows that judge the epochs and are not learnt from.");
      featuresCols =
          new StringArrayParam(
              parent,
              "featuresCols",
              "Columns of the features in place of featuresCol: numbers, vectors, arrays or binary,"
                  + " whose values follow one another.");
      imageShape =
          new IntArrayParam(
              parent,
              "imageShape",
              "Height and width in pixels, if the features are images of bytes (0 to 255).");
      augment =
          new Param<>(
              parent,
              "augment",
              "Distortions of training images, such as elastic:37:5.5,rotate:12; needs imageShape.");
      members =
          new IntParam(
              parent,
              "members",
              "Number of networks that are trained, whose probabilities are averaged.",
              ParamValidators.gtEq(1));
      numWorkers =
          new IntParam(
              parent,
              "numWorkers",
              "Number of tasks that train one network together, each on its part of the rows.",
              ParamValidators.gtEq(1));
      localSteps =
          new IntParam(
              parent,
              "localSteps",
              "Steps of a worker between two averagings of the workers' networks; 0: an epoch's.",
              ParamValidators.gtEq(0));
      outerRate =
          new DoubleParam(
              parent,
              "outerRate",
              "Rate of the step that the mean of the workers' changes takes.",
              ParamValidators.gt(0));
      outerMomentum =
          new DoubleParam(
              parent,
              "outerMomentum",
              "Nesterov momentum of the workers' mean changes, in [0, 1).",
              ParamValidators.inRange(0, 1, true, false));
      device =
          new Param<>(
              parent,
              "device",
              "Device of a task: gpu (that of Spark's resource gpu, else the first), cpu, or auto: a"
                  + " GPU if Spark assigns one or one is found, else the CPU.",
              ParamValidators.inArray(new String[] {"auto", "gpu", "cpu"}));
      precision =
          new Param<>(
              parent,
              "precision",
              "Precision of products on a GPU: fp32, tf32, bf16 or fp16.",
              ParamValidators.inArray(new String[] {"fp32", "tf32", "bf16", "fp16"}));
      threads =
          new IntParam(
              parent,
              "threads",
              "Threads of a task on the CPU; 0: spark.executor.cores if it is set, with several workers"
                  + " or members spark.task.cpus, otherwise and in prediction all processors.",
              ParamValidators.gtEq(0));
    }
  }

  /** The object that holds the parameters. */
  Own own();

  /** The activation of the hidden layers. */
  default Param<String> activation() {
    return own().activation;
  }

  /** The dropout rate of the hidden layers. */
  default DoubleParam dropout() {
    return own().dropout;
  }

  /** The optimizer. */
  default Param<String> optimizer() {
    return own().optimizer;
  }

  /** The momentum of {@code sgd}. */
  default DoubleParam momentum() {
    return own().momentum;
  }

  /** The weight decay. */
  default DoubleParam weightDecay() {
    return own().weightDecay;
  }

  /** The course of the learning rate. */
  default Param<String> schedule() {
    return own().schedule;
  }

  /** The label smoothing. */
  default DoubleParam labelSmoothing() {
    return own().labelSmoothing;
  }

  /** The scaling of the features. */
  default Param<String> scaling() {
    return own().scaling;
  }

  /** The patience of early stopping in epochs. */
  default IntParam patience() {
    return own().patience;
  }

  /** Whether the best epoch's weights are kept. */
  default BooleanParam keepBest() {
    return own().keepBest;
  }

  /** The column of the rows' weights. */
  default Param<String> weightCol() {
    return own().weightCol;
  }

  /** The column that tells validation rows. */
  default Param<String> validationIndicatorCol() {
    return own().validationIndicatorCol;
  }

  /** The columns of the features, if there are several. */
  default StringArrayParam featuresCols() {
    return own().featuresCols;
  }

  /** The height and width of images. */
  default IntArrayParam imageShape() {
    return own().imageShape;
  }

  /** The distortions of training images. */
  default Param<String> augment() {
    return own().augment;
  }

  /** The number of members of a committee. */
  default IntParam members() {
    return own().members;
  }

  /** The number of workers. */
  default IntParam numWorkers() {
    return own().numWorkers;
  }

  /** The steps between two averagings. */
  default IntParam localSteps() {
    return own().localSteps;
  }

  /** The rate of the outer step. */
  default DoubleParam outerRate() {
    return own().outerRate;
  }

  /** The momentum of the outer step. */
  default DoubleParam outerMomentum() {
    return own().outerMomentum;
  }

  /** The kind of device. */
  default Param<String> device() {
    return own().device;
  }

  /** The precision of a GPU's products. */
  default Param<String> precision() {
    return own().precision;
  }

  /** The threads of a task on the CPU. */
  default IntParam threads() {
    return own().threads;
  }

  /** Gets the activation of the hidden layers. */
  default String getActivation() {
    return getOrDefault(activation());
  }

  /** Gets the dropout rate of the hidden layers. */
  default double getDropout() {
    return (Double) getOrDefault(dropout());
  }

  /** Gets the optimizer. */
  default String getOptimizer() {
    return getOrDefault(optimizer());
  }

  /** Gets the momentum of {@code sgd}. */
  default double getMomentum() {
    return (Double) getOrDefault(momentum());
  }

  /** Gets the weight decay. */
  default double getWeightDecay() {
    return (Double) getOrDefault(weightDecay());
  }

  /** Gets the course of the learning rate. */
  default String getSchedule() {
    return getOrDefault(schedule());
  }

  /** Gets the label smoothing. */
  default double getLabelSmoothing() {
    return (Double) getOrDefault(labelSmoothing());
  }

  /** Gets the scaling of the features. */
  default String getScaling() {
    return getOrDefault(scaling());
  }

  /** Gets the patience of early stopping in epochs. */
  default int getPatience() {
    return (Integer) getOrDefault(patience());
  }

  /** Gets whether the best epoch's weights are kept. */
  default boolean getKeepBest() {
    return (Boolean) getOrDefault(keepBest());
  }

  /** Gets the column of the rows' weights. */
  default String getWeightCol() {
    return getOrDefault(weightCol());
  }

  /** Gets the column that tells validation rows. */
  default String getValidationIndicatorCol() {
    return getOrDefault(validationIndicatorCol());
  }

  /** Gets the columns of the features, if there are several. */
  default String[] getFeaturesCols() {
    return getOrDefault(featuresCols());
  }

  /** Gets the height and width of images. */
  default int[] getImageShape() {
    return getOrDefault(imageShape());
  }

  /** Gets the distortions of training images. */
  default String getAugment() {
    return getOrDefault(augment());
  }

  /** Gets the number of members of a committee. */
  default int getMembers() {
    return (Integer) getOrDefault(members());
  }

  /** Gets the number of workers. */
  default int getNumWorkers() {
    return (Integer) getOrDefault(numWorkers());
  }

  /** Gets the steps between two averagings. */
  default int getLocalSteps() {
    return (Integer) getOrDefault(localSteps());
  }

  /** Gets the rate of the outer step. */
  default double getOuterRate() {
    return (Double) getOrDefault(outerRate());
  }

  /** Gets the momentum of the outer step. */
  default double getOuterMomentum() {
    return (Double) getOrDefault(outerMomentum());
  }

  /** Gets the kind of device. */
  default String getDevice() {
    return getOrDefault(device());
  }

  /** Gets the precision of a GPU's products. */
  default String getPrecision() {
    return getOrDefault(precision());
  }

  /** Gets the threads of a task on the CPU. */
  default int getThreads() {
    return (Integer) getOrDefault(threads());
  }

  /** The height and width of images, (2); empty if the features are numbers. */
  default int[] imageSize() {
    return isDefined(imageShape()) ? getImageShape() : new int[0];
  }

  /** Whether a column is named: one whose name is empty counts as not set, as in Spark. */
  default boolean isGiven(Param<String> column) {
    return isDefined(column) && !getOrDefault(column).isEmpty();
  }

  /** The columns that the features are read from, in their order. */
  default String[] featureColumns(String featuresCol) {
    return isDefined(featuresCols()) ? getFeaturesCols() : new String[] {featuresCol};
  }
}
