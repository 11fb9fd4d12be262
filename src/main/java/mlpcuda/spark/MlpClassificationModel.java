package mlpcuda.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.Network;
import mlpcuda.Prediction;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationSummary;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationSummaryImpl;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationTrainingSummaryImpl;
import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsReader$;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.ml.util.ReadWriteUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Some;

/**
 * A trained network, which predicts the classes of a data frame's rows on the executors' GPUs or
 * CPUs. It has the methods of Spark's own model: {@link #weights} are those of a network that takes
 * features as they are, in Spark's order, layer by layer: the matrix column by column, then the
 * biases.
 */
public class MlpClassificationModel extends MultilayerPerceptronClassificationModel
    implements MlpParams {
  private static final long serialVersionUID = 1;

  /** The file of the network in the folder of a saved model. */
  static final String FILE = "model.safetensors";

  private final Own own = new Own(this);
  private final ModelBytes
      file; // null: the model that Spark's service loader makes to see its class

  /** A model without a network: Spark Connect makes one to learn the name of the class. */
  public MlpClassificationModel() {
    super("", Vectors.zeros(0));
    this.file = null;
  }

  MlpClassificationModel(String uid, ModelBytes file) {
    this(uid, file, file.network());
  }

  private MlpClassificationModel(String uid, ModelBytes file, Network network) {
    super(uid, vector(network));
    this.file = file;
    set(layers(), network.sizes().stream().mapToInt(Integer::intValue).toArray());
    MlpClassifier.setDefaults(this);
    setDefault(activation(), network.activation());
    network.imageShape().ifPresent(shape -> setDefault(imageShape(), shape));
  }

  MlpClassificationModel(String uid, ModelBytes file, Vector weights) {
    super(uid, weights);
    this.file = file;
  }

  /** A model of a network that was trained elsewhere: by the program, the library or an import. */
  public static MlpClassificationModel of(Network network) {
    return new MlpClassificationModel(
        Identifiable.randomUID("mlp-cuda"), ModelBytes.of(network), network);
  }

  /** The weights of a network in Spark's order; of a committee those of its members in turn. */
  private static Vector vector(Network network) {
    List<Network> members = network.members();
    int each = (int) members.get(0).parameters();
    double[] all = new double[Math.multiplyExact(each, members.size())];
    for (int m = 0; m < members.size(); m++) {
      WeightVector.write(members.get(m).unscaledWeights(), all, m * each);
    }
    return Vectors.dense(all);
  }

  @Override
  public Own own() {
    return own;
  }

  /** The network, as the library has it. */
  public Network network() {
    return file.network();
  }

  /** The file of the network. */
  ModelBytes file() {
    return file;
  }

  /** Sets the kind of device that predicts: auto, gpu or cpu. */
  public MlpClassificationModel setDevice(String kind) {
    set(device(), kind);
    return this;
  }

  /** Sets the precision of a GPU's products. */
  public MlpClassificationModel setPrecision(String value) {
    set(precision(), value);
    return this;
  }

  /** Sets the threads of a task on the CPU. */
  public MlpClassificationModel setThreads(int value) {
    set(threads(), value);
    return this;
  }

  private DeviceChoice choice() {
    return new DeviceChoice(getDevice(), getPrecision(), getThreads());
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
  public Dataset<Row> transform(Dataset<?> dataset) {
    StructType schema = transformSchema(dataset.schema());
    double[] divisors = isDefined(thresholds()) ? getThresholds() : new double[0];
    if (divisors.length > 0) {
      FitSettings.checkThresholds(divisors, numClasses());
    }
    var outputs =
        new Scoring.Outputs(
            !getRawPredictionCol().isEmpty(),
            !getProbabilityCol().isEmpty(),
            !getPredictionCol().isEmpty(),
            divisors);
    Dataset<Row> rows = dataset.toDF();
    if (outputs.count() == 0) {
      return rows;
    }
    StructType scored = rows.schema();
    for (String name : List.of(getRawPredictionCol(), getProbabilityCol(), getPredictionCol())) {
      if (!name.isEmpty()) {
        scored = scored.add(schema.apply(name));
      }
    }
    var scoring =
        new Scoring(
            file.broadcast(dataset.sparkSession().sparkContext()),
            choice(),
            numFeatures(),
            FeatureColumns.of(rows.schema(), featureColumns(getFeaturesCol())),
            outputs);
    return as(scored, rows.mapPartitions(scoring, Encoders.row(scored)));
  }

  /**
   * Gives columns the metadata and the types of a schema. Rows on their way through a function of
   * Java lose both the metadata, which hold categories and watermarks, and the collations of text.
   */
  private static Dataset<Row> as(StructType schema, Dataset<Row> rows) {
    StructField[] fields = schema.fields();
    StructField[] before = rows.schema().fields();
    String[] numbered =
        IntStream.range(0, fields.length).mapToObj(i -> "c" + i).toArray(String[]::new);
    Column[] columns = new Column[fields.length];
    for (int i = 0; i < fields.length; i++) {
      Column column = functions.col(numbered[i]);
      DataType found = before[i].dataType();
      DataType wanted = fields[i].dataType();
      if (!found.equals(wanted) && Cast.canCast(found, wanted)) { // not to a type that is Python's
        column = column.cast(wanted);
      }
      columns[i] = column.as(fields[i].name(), fields[i].metadata());
    }
    return rows.toDF(numbered).select(columns); // names may come twice
  }

  @Override
  public Vector predictRaw(Vector features) {
    float[] row = new float[numFeatures()];
    if (features.size() != row.length) {
      throw new IllegalArgumentException(
          "a vector must have as many features as the network has inputs, %d, found %d"
              .formatted(row.length, features.size()));
    }
    double[] values = features.toArray();
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) values[i];
    }
    try (ExecutorModels.Lease lease = ExecutorModels.lease(file, choice())) {
      Prediction answer = Scoring.answers(lease.model(), List.of(row)).get(0);
      return Scoring.logarithms(answer.probabilities());
    }
  }

  @Override
  public double predict(Vector features) {
    return raw2prediction(predictRaw(features));
  }

  @Override
  public Vector raw2probabilityInPlace(Vector raw) {
    double[] values = ((DenseVector) raw).values();
    double most = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      most = Math.max(most, value);
    }
    double sum = 0;
    for (int c = 0; c < values.length; c++) {
      values[c] = Math.exp(values[c] - most);
      sum += values[c];
    }
    for (int c = 0; c < values.length; c++) {
      values[c] /= sum;
    }
    return raw;
  }

  @Override
  public MlpClassificationModel copy(ParamMap extra) {
    var copy = new MlpClassificationModel(uid(), file, weights());
    copy.setParent(parent());
    return copyValues(copy, extra);
  }

  /** The name of the column of weights, or an empty one. */
  private String weightsColumn() {
    return isGiven(weightCol()) ? getWeightCol() : "";
  }

  /**
   * Compares answers to the rows of a data frame with their labels. Rows count by their weights, if
   * the data frame has the column.
   */
  @Override
  public MultilayerPerceptronClassificationSummary evaluate(Dataset<?> dataset) {
    // The model that Spark finds is a copy with a column of predictions if this one has none.
    var answering = findSummaryModel();
    return new MultilayerPerceptronClassificationSummaryImpl(
        answering._1().transform(dataset), answering._3(), getLabelCol(), weightsColumn());
  }

  /** Sets what is known of the training. The losses are one of each epoch. */
  @Override
  public void createSummary(Dataset<?> dataset, double[] losses) {
    var answering = findSummaryModel();
    setSummary(
        new Some<>(
            new Summary(
                answering._1().transform(dataset),
                answering._3(),
                getLabelCol(),
                weightsColumn(),
                losses)));
  }

  /**
   * What is known of a training. Spark's own summary takes the first loss for that of the initial
   * weights and counts an iteration less. The class is public, because Spark Connect calls the
   * methods of a summary by reflection.
   */
  public static final class Summary extends MultilayerPerceptronClassificationTrainingSummaryImpl {
    private static final long serialVersionUID = 1;

    private Summary(
        Dataset<Row> predictions,
        String predictionCol,
        String labelCol,
        String weightCol,
        double[] losses) {
      super(predictions, predictionCol, labelCol, weightCol, losses);
    }

    /** The number of epochs. */
    @Override
    public int totalIterations() {
      return objectiveHistory().length;
    }
  }

  @Override
  public long estimatedSize() {
    return super.estimatedSize() + (file == null ? 0 : file.bytes().length);
  }

  @Override
  public String toString() {
    return file == null
        ? "MlpClassificationModel without a network"
        : "MlpClassificationModel: uid=%s, layers=%s, activation=%s"
            .formatted(uid(), java.util.Arrays.toString(getLayers()), getActivation());
  }

  @Override
  public MLWriter write() {
    return new Writer(this);
  }

  /** Saves all but the network's file into a folder. */
  void saveParameters(String path, SparkSession session) {
    DefaultParamsWriter.saveMetadata(this, path, session);
  }

  /** Reads what {@link #write} wrote; Spark's pipelines call this. */
  public static MLReader<MultilayerPerceptronClassificationModel> read() {
    return new Reader();
  }

  /**
   * Loads a saved model, be it of this class or of Spark's own, or a model file of mlp-cuda that
   * {@code path} names itself.
   *
   * @param path a folder that {@code write} made, or a file {@code *.safetensors}, on any file
   *     system that Spark reads
   * @throws java.util.NoSuchElementException if a folder of this class has no model file
   */
  public static MlpClassificationModel load(String path) {
    return (MlpClassificationModel) read().load(path);
  }

  /**
   * Whether a model is saved on a local disk, past Hadoop: Spark Connect does so with the models
   * that it evicts from its memory. Spark 4.0 never does, and lacks the class that tells.
   */
  private static boolean isLocal() {
    try {
      return (Boolean) ReadWriteUtils.localSavingModeState().get();
    } catch (LinkageError e) {
      return false;
    }
  }

  /** Writes the parameters as all of Spark's models do, and the network as a model file. */
  private static final class Writer extends MLWriter {
    private final MlpClassificationModel model;

    Writer(MlpClassificationModel model) {
      this.model = model;
    }

    @Override
    public void saveImpl(String path) {
      model.saveParameters(path, sparkSession());
      try {
        if (isLocal()) {
          Files.write(java.nio.file.Path.of(path, FILE), model.file.bytes());
          return;
        }
        Path to = new Path(path, FILE);
        FileSystem system = to.getFileSystem(sparkSession().sessionState().newHadoopConf());
        try (OutputStream out = system.create(to, false)) {
          out.write(model.file.bytes());
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static final class Reader extends MLReader<MultilayerPerceptronClassificationModel> {
    @Override
    public MultilayerPerceptronClassificationModel load(String path) {
      if (path.endsWith(".safetensors") && isFile(new Path(path))) {
        return of(ModelBytes.of(bytes(new Path(path))).network());
      }
      DefaultParamsReader.Metadata metadata =
          DefaultParamsReader$.MODULE$.loadMetadata(path, sparkSession(), "");
      if (metadata.className().equals(MultilayerPerceptronClassificationModel.class.getName())) {
        return ofSpark(path);
      }
      var model = new MlpClassificationModel(metadata.uid(), file(path).orElseThrow());
      metadata.getAndSetParams(model, metadata.getAndSetParams$default$2());
      return model;
    }

    /**
     * Loads what Spark's own class reads: its weights, unless a network's file lies beside them.
     */
    private MlpClassificationModel ofSpark(String path) {
      MultilayerPerceptronClassificationModel read =
          MultilayerPerceptronClassificationModel.read().session(sparkSession()).load(path);
      int[] widths = read.getLayers();
      ModelBytes file =
          file(path)
              .orElseGet(
                  () ->
                      ModelBytes.of(
                          Network.sigmoid(widths)
                              .withWeights(WeightVector.read(read.weights().toArray(), widths))));
      var model = new MlpClassificationModel(read.uid(), file);
      return read.copyValues(model, new ParamMap());
    }

    /** The network's file in the folder of a saved model, if there is one. */
    private Optional<ModelBytes> file(String folder) {
      try {
        if (isLocal()) {
          java.nio.file.Path file = java.nio.file.Path.of(folder, FILE);
          return Files.exists(file)
              ? Optional.of(ModelBytes.of(Files.readAllBytes(file)))
              : Optional.empty();
        }
        Path file = new Path(folder, FILE);
        return system(file).exists(file)
            ? Optional.of(ModelBytes.of(bytes(file)))
            : Optional.empty();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private boolean isFile(Path path) {
      try {
        return system(path).getFileStatus(path).isFile();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private FileSystem system(Path file) throws IOException {
      return file.getFileSystem(sparkSession().sessionState().newHadoopConf());
    }

    private byte[] bytes(Path file) {
      try (InputStream in = system(file).open(file)) {
        return in.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
