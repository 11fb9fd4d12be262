package mlpcuda.spark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import mlpcuda.Network;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.shared.HasWeightCol;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * Trains a multilayer perceptron on the rows of a data frame, on the executors' GPUs or CPUs. It
 * has the parameters of Spark's own classifier, whose subclass it is, and those of {@link
 * MlpParams}.
 *
 * <p>{@code maxIter} is the number of epochs (10), {@code blockSize} that of rows in a step (128),
 * {@code stepSize} the learning rate (0.001), {@code seed} decides initial weights, order and
 * dropout. {@code tol} (0) ends the training when none of ten epochs had a loss that was lower than
 * the lowest before them by more than that share of it. {@code solver} is not looked at, except for
 * {@code gd} if it is set: then the optimizer is {@code sgd}.
 *
 * <p>With {@code numWorkers} above 1 the rows are dealt to that many tasks, which train one network
 * by local SGD: each takes {@code localSteps} steps from the common weights, and the mean of their
 * changes moves these. An epoch has the whole batches of the smallest part, so that a step of all
 * workers together is of {@code numWorkers} blocks. For a seed and a number of workers the model is
 * the same to the byte, on devices of one kind.
 */
public class MlpClassifier extends MultilayerPerceptronClassifier
    implements MlpParams, HasWeightCol {
  private static final long serialVersionUID = 1;

  private final Own own = new Own(this);

  /** A classifier with a name of its own. */
  public MlpClassifier() {
    this(Identifiable.randomUID("mlp-cuda"));
  }

  /** A classifier of that name, by which Spark tells the stages of a pipeline apart. */
  public MlpClassifier(String uid) {
    super(uid);
    setDefaults(this);
    setDefault(maxIter(), 10);
    setDefault(stepSize(), 1e-3);
    setDefault(blockSize(), 128);
    setDefault(tol(), 0.0);
  }

  static void setDefaults(MlpParams of) {
    of.setDefault(of.activation(), "relu");
    of.setDefault(of.dropout(), 0.0);
    of.setDefault(of.optimizer(), "adam");
    of.setDefault(of.momentum(), 0.9);
    of.setDefault(of.weightDecay(), 0.0);
    of.setDefault(of.schedule(), "constant");
    of.setDefault(of.labelSmoothing(), 0.0);
    of.setDefault(of.patience(), 0);
    of.setDefault(of.keepBest(), false);
    of.setDefault(of.members(), 1);
    of.setDefault(of.numWorkers(), 1);
    of.setDefault(of.localSteps(), 25);
    of.setDefault(of.outerRate(), 1.0);
    of.setDefault(of.outerMomentum(), 0.5);
    of.setDefault(of.device(), "auto");
    of.setDefault(of.precision(), "fp32");
    of.setDefault(of.threads(), 0);
  }

  @Override
  public Own own() {
    return own;
  }

  @Override
  public Param<String> weightCol() {
    return MlpParams.super.weightCol();
  }

  @Override
  public String getWeightCol() {
    return MlpParams.super.getWeightCol();
  }

  /** Does nothing: Scala's trait would keep a parameter here, which this class has already. */
  @Override
  public void org$apache$spark$ml$param$shared$HasWeightCol$_setter_$weightCol_$eq(
      Param<String> param) {}

  /** Sets the widths of the inputs, of each hidden layer and of the output. */
  @Override
  public MlpClassifier setLayers(int[] widths) {
    super.setLayers(widths);
    return this;
  }

  /** Sets the number of epochs. */
  @Override
  public MlpClassifier setMaxIter(int epochs) {
    super.setMaxIter(epochs);
    return this;
  }

  /** Sets the learning rate. */
  @Override
  public MlpClassifier setStepSize(double rate) {
    super.setStepSize(rate);
    return this;
  }

  /** Sets the number of rows of a step. */
  @Override
  public MlpClassifier setBlockSize(int rows) {
    super.setBlockSize(rows);
    return this;
  }

  /**
   * Sets Spark's name of an optimizer: {@code gd} is gradient descent without momentum, and {@code
   * l-bfgs} leaves the choice to {@link #setOptimizer}.
   */
  @Override
  public MlpClassifier setSolver(String solver) {
    super.setSolver(solver);
    return this;
  }

  /** Sets the seed. */
  @Override
  public MlpClassifier setSeed(long seed) {
    super.setSeed(seed);
    return this;
  }

  /** Sets the share by which ten epochs must lower the loss for the training to go on; 0: none. */
  @Override
  public MlpClassifier setTol(double tolerance) {
    super.setTol(tolerance);
    return this;
  }

  /** Sets the initial weights, in Spark's order; the features are then not scaled. */
  @Override
  public MlpClassifier setInitialWeights(Vector weights) {
    super.setInitialWeights(weights);
    return this;
  }

  /** Sets the column of the features. */
  @Override
  public MlpClassifier setFeaturesCol(String value) {
    super.setFeaturesCol(value);
    return this;
  }

  /** Sets the column of the labels. */
  @Override
  public MlpClassifier setLabelCol(String value) {
    super.setLabelCol(value);
    return this;
  }

  /** Sets the column that the model puts its prediction into. */
  @Override
  public MlpClassifier setPredictionCol(String value) {
    super.setPredictionCol(value);
    return this;
  }

  /** Sets the column that the model puts the classes' probabilities into. */
  @Override
  public MlpClassifier setProbabilityCol(String value) {
    super.setProbabilityCol(value);
    return this;
  }

  /** Sets the column that the model puts the logarithms of the probabilities into. */
  @Override
  public MlpClassifier setRawPredictionCol(String value) {
    super.setRawPredictionCol(value);
    return this;
  }

  /** Sets the numbers that the model divides the classes' probabilities by before it compares. */
  @Override
  public MlpClassifier setThresholds(double[] value) {
    super.setThresholds(value);
    return this;
  }

  /** Sets the activation of the hidden layers. */
  public MlpClassifier setActivation(String value) {
    set(activation(), value);
    return this;
  }

  /** Sets the dropout rate of the hidden layers. */
  public MlpClassifier setDropout(double value) {
    set(dropout(), value);
    return this;
  }

  /** Sets the optimizer. */
  public MlpClassifier setOptimizer(String value) {
    set(optimizer(), value);
    return this;
  }

  /** Sets the momentum of {@code sgd}. */
  public MlpClassifier setMomentum(double value) {
    set(momentum(), value);
    return this;
  }

  /** Sets the weight decay. */
  public MlpClassifier setWeightDecay(double value) {
    set(weightDecay(), value);
    return this;
  }

  /** Sets the course of the learning rate. */
  public MlpClassifier setSchedule(String value) {
    set(schedule(), value);
    return this;
  }

  /** Sets the label smoothing. */
  public MlpClassifier setLabelSmoothing(double value) {
    set(labelSmoothing(), value);
    return this;
  }

  /** Sets the scaling of the features. */
  public MlpClassifier setScaling(String value) {
    set(scaling(), value);
    return this;
  }

  /** Sets the patience of early stopping in epochs. */
  public MlpClassifier setPatience(int value) {
    set(patience(), value);
    return this;
  }

  /** Sets whether the best epoch's weights are kept. */
  public MlpClassifier setKeepBest(boolean value) {
    set(keepBest(), value);
    return this;
  }

  /** Sets the column of the rows' weights. */
  public MlpClassifier setWeightCol(String value) {
    set(weightCol(), value);
    return this;
  }

  /** Sets the column that tells validation rows. */
  public MlpClassifier setValidationIndicatorCol(String value) {
    set(validationIndicatorCol(), value);
    return this;
  }

  /** Sets the columns of the features, if there are several. */
  public MlpClassifier setFeaturesCols(String[] value) {
    set(featuresCols(), value);
    return this;
  }

  /** Sets the height and width of images. */
  public MlpClassifier setImageShape(int[] value) {
    set(imageShape(), value);
    return this;
  }

  /** Sets the distortions of training images. */
  public MlpClassifier setAugment(String value) {
    set(augment(), value);
    return this;
  }

  /** Sets the number of members of a committee. */
  public MlpClassifier setMembers(int value) {
    set(members(), value);
    return this;
  }

  /** Sets the number of workers. */
  public MlpClassifier setNumWorkers(int value) {
    set(numWorkers(), value);
    return this;
  }

  /** Sets the steps between two averagings. */
  public MlpClassifier setLocalSteps(int value) {
    set(localSteps(), value);
    return this;
  }

  /** Sets the rate of the outer step. */
  public MlpClassifier setOuterRate(double value) {
    set(outerRate(), value);
    return this;
  }

  /** Sets the momentum of the outer step. */
  public MlpClassifier setOuterMomentum(double value) {
    set(outerMomentum(), value);
    return this;
  }

  /** Sets the kind of device. */
  public MlpClassifier setDevice(String value) {
    set(device(), value);
    return this;
  }

  /** Sets the precision of a GPU's products. */
  public MlpClassifier setPrecision(String value) {
    set(precision(), value);
    return this;
  }

  /** Sets the threads of a task on the CPU. */
  public MlpClassifier setThreads(int value) {
    set(threads(), value);
    return this;
  }

  @Override
  public MlpClassifier copy(ParamMap extra) {
    return this.<MlpClassifier>defaultCopy(extra);
  }

  @Override
  public StructType validateAndTransformSchema(
      StructType schema, boolean fitting, DataType vector) {
    return FeatureSchema.with(
        schema,
        getFeaturesCol(),
        featureColumns(getFeaturesCol()),
        (with, type) -> super.validateAndTransformSchema(with, fitting, type));
  }

  @Override
  public MlpClassificationModel fit(Dataset<?> dataset) {
    return (MlpClassificationModel) super.fit(dataset);
  }

  /**
   * Trains on the rows: {@link #fit} calls this after it checked the schema.
   *
   * @throws IllegalArgumentException if parameters do not fit each other or the rows
   */
  @Override
  public MlpClassificationModel train(Dataset<?> dataset) {
    var settings = new FitSettings(this);
    settings.check();
    try {
      Fitted fitted =
          getNumWorkers() == 1 ? inTasks(settings, dataset) : inRounds(settings, dataset);
      MlpClassificationModel model = copyValues(model(uid(), fitted.file), new ParamMap());
      model.createSummary(dataset, fitted.losses);
      return model;
    } catch (Exception e) {
      throw JobFailure.cause(e);
    }
  }

  /** The model of a trained network. */
  MlpClassificationModel model(String uid, ModelBytes file) {
    return new MlpClassificationModel(uid, file);
  }

  /** The file of a trained network, and the mean loss of each epoch. */
  private record Fitted(ModelBytes file, double[] losses) {}

  /** Each member is trained by one task, which gets all rows. */
  private Fitted inTasks(FitSettings settings, Dataset<?> dataset) {
    settings.training(0, new ArrayList<>()); // refuses what no task could do, before rows are read
    SparkContext context = dataset.sparkSession().sparkContext();
    Checkpoints checkpoints = Checkpoints.of(context, "mlp-cuda-" + UUID.randomUUID());
    int count = getMembers();
    var task = new TaskTraining(settings, settings.device(context, count > 1), checkpoints);
    List<TaskTraining.Trained> trained = new ArrayList<>();
    if (checkpoints != null) {
      checkpoints.begin();
    }
    try {
      for (byte[] bytes :
          Rows.deal(dataset, this, new Rows.Deal(count, true)).mapPartitions(task).collect()) {
        trained.add(JavaBytes.read(bytes, TaskTraining.Trained.class));
      }
    } finally {
      if (checkpoints != null) {
        checkpoints.delete();
      }
    }
    trained.sort(Comparator.comparingInt(TaskTraining.Trained::member));
    int epochs = trained.stream().mapToInt(t -> t.losses().length).min().orElseThrow();
    double[] losses =
        IntStream.range(0, epochs)
            .mapToDouble(e -> trained.stream().mapToDouble(t -> t.losses()[e]).average().orElse(0))
            .toArray();
    return new Fitted(together(trained), losses);
  }

  /** The file of the network, or of the committee of several. */
  private static ModelBytes together(List<TaskTraining.Trained> members) {
    if (members.size() == 1) {
      return members.get(0).file();
    }
    return ModelBytes.of(
        Network.committee(members.stream().map(member -> member.file().network()).toList()));
  }

  /** Several tasks train one network side by side, each on its part of the rows. */
  private Fitted inRounds(FitSettings settings, Dataset<?> dataset) {
    SparkContext context = dataset.sparkSession().sparkContext();
    DeviceChoice device = settings.device(context, true);
    Rounds.Trained trained = new Rounds(settings, device, Rounds.BYTES_ON_DRIVER).train(dataset);
    return new Fitted(ModelBytes.of(trained.network()), trained.losses());
  }

  /** Whether the solver {@code gd} was asked for. */
  boolean isGradientDescent() {
    return isSet(solver()) && getSolver().equals("gd");
  }

  /** The learning rate. */
  double rate() {
    return getStepSize();
  }

  /** Loads a classifier that was saved. */
  public static MlpClassifier load(String path) {
    return (MlpClassifier) read().load(path);
  }
}
