package mlpcuda.spark;

import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.SparkSession;

/**
 * Stands for Spark's own model in a session with {@link ConnectPlugin}. It is saved as Spark's
 * class with the network's file beside it, so that clients and Spark without the plug-in can load
 * it too.
 */
public class PluggedMlpClassificationModel extends MlpClassificationModel {
  private static final long serialVersionUID = 1;

  /** A model of Spark's class, which is asked for its parameters. */
  private static final MultilayerPerceptronClassificationModel SPARKS =
      new MultilayerPerceptronClassificationModel("", Vectors.zeros(0));

  /** A model without a network: Spark Connect makes one to learn the name of the class. */
  public PluggedMlpClassificationModel() {}

  PluggedMlpClassificationModel(String uid, ModelBytes file) {
    super(uid, file);
  }

  private PluggedMlpClassificationModel(String uid, ModelBytes file, Vector weights) {
    super(uid, file, weights);
  }

  private static PluggedMlpClassificationModel of(MlpClassificationModel model, ParamMap extra) {
    var plugged = new PluggedMlpClassificationModel(model.uid(), model.file(), model.weights());
    model.copyValues(plugged, extra);
    for (Param<?> param : plugged.params()) {
      plugged.hide(param);
    }
    return plugged;
  }

  /**
   * Turns the value of a parameter of ours into its default. Spark Connect sends clients all that
   * is set, and they set it on Spark's class, which lacks the parameter.
   */
  private <T> void hide(Param<T> param) {
    if (isSet(param) && !SPARKS.hasParam(param.name())) {
      setDefault(param, getOrDefault(param));
      clear(param);
    }
  }

  @Override
  public PluggedMlpClassificationModel copy(ParamMap extra) {
    PluggedMlpClassificationModel copy = of(this, extra);
    copy.setParent(parent());
    return copy;
  }

  @Override
  void saveParameters(String path, SparkSession session) {
    var model = new MultilayerPerceptronClassificationModel(uid(), weights());
    copyValues(model, new ParamMap()).write().session(session).saveImpl(path);
  }

  /** Reads what this class, {@link MlpClassificationModel} or Spark's own class wrote. */
  public static MLReader<MultilayerPerceptronClassificationModel> read() {
    return new Reader();
  }

  /** Loads a model that this class, {@link MlpClassificationModel} or Spark's own class saved. */
  public static PluggedMlpClassificationModel load(String path) {
    return (PluggedMlpClassificationModel) read().load(path);
  }

  private static final class Reader extends MLReader<MultilayerPerceptronClassificationModel> {
    @Override
    public MultilayerPerceptronClassificationModel load(String path) {
      return of(
          (MlpClassificationModel) MlpClassificationModel.read().session(sparkSession()).load(path),
          new ParamMap());
    }
  }
}
