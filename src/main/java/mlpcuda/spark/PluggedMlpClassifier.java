package mlpcuda.spark;

import java.util.Locale;
import org.apache.spark.ml.EstimatorUtils$;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import scala.collection.mutable.ArrayBuffer;

/**
 * Stands for Spark's own classifier in a session with {@link ConnectPlugin}: it has Spark's
 * defaults and sigmoid layers, and it is saved as Spark's class, because the client creates the
 * class that a saved pipeline names.
 *
 * <p>Spark looks at {@code stepSize} for the solver {@code gd} alone, and its default of 0.03 would
 * be too much for Adam, which takes the place of {@code l-bfgs} at a rate of 0.001.
 */
public class PluggedMlpClassifier extends MlpClassifier {
  private static final long serialVersionUID = 1;

  private static final double ADAMS_RATE = 1e-3;

  /** A classifier with a name of its own. */
  public PluggedMlpClassifier() {
    this(Identifiable.randomUID("mlpc"));
  }

  /** A classifier of the name that the client chose. */
  public PluggedMlpClassifier(String uid) {
    super(uid);
    setDefault(activation(), "sigmoid");
    setDefault(maxIter(), 100);
    setDefault(tol(), 1e-6);
    setDefault(stepSize(), 0.03);
  }

  @Override
  double rate() {
    return isGradientDescent() ? getStepSize() : ADAMS_RATE;
  }

  @Override
  PluggedMlpClassificationModel model(String uid, ModelBytes file) {
    return new PluggedMlpClassificationModel(uid, file);
  }

  @Override
  public MlpClassificationModel train(Dataset<?> dataset) {
    if (!isGradientDescent()) {
      warn(
          String.format(
              Locale.ROOT,
              "the solver l-bfgs is not there: mlp-cuda trains with Adam instead, at a rate of %s"
                  + " with a step after each %d rows, for at most %d passes over the rows",
              ADAMS_RATE,
              getBlockSize(),
              getMaxIter()));
    }
    return super.train(dataset);
  }

  /** Tells the log, and the client: Spark Connect sends it what this thread's buffer holds. */
  private void warn(String message) {
    logWarning(() -> message);
    try {
      ArrayBuffer<String> buffer = EstimatorUtils$.MODULE$.warningMessagesBuffer().get();
      if (buffer != null) {
        buffer.append(message);
      }
    } catch (LinkageError e) { // Spark 4.0 has no such buffer
      logDebug(() -> "this version of Spark sends clients no warnings: " + e);
    }
  }

  @Override
  public PluggedMlpClassifier copy(ParamMap extra) {
    return this.<PluggedMlpClassifier>defaultCopy(extra);
  }

  @Override
  public MLWriter write() {
    return copyValues(new MultilayerPerceptronClassifier(uid()), new ParamMap()).write();
  }

  /** Loads a classifier that this class or Spark's own saved. */
  public static PluggedMlpClassifier load(String path) {
    MultilayerPerceptronClassifier saved = MultilayerPerceptronClassifier.load(path);
    return saved.copyValues(new PluggedMlpClassifier(saved.uid()), new ParamMap());
  }
}
