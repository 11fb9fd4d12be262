package mlpcuda.spark;

import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.linalg.Vector;
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

  /** A model without a network: Spark Connect makes one to learn the name of the class. */
  public PluggedMlpClassificationModel() {}

  PluggedMlpClassificationModel(String uid, ModelBytes file) {
    super(uid, file);
  }

  private PluggedMlpClassificationModel(String uid, ModelBytes file, Vector weights) {
    super(uid, file, weights);
  }

  private static PluggedMlpClassificationModel of(MlpClassificationModel model) {
    var plugged = new PluggedMlpClassificationModel(model.uid(), model.file(), model.weights());
    return model.copyValues(plugged, new ParamMap());
  }

  @Override
  public PluggedMlpClassificationModel copy(ParamMap extra) {
    PluggedMlpClassificationModel copy = of(this);
    copy.setParent(parent());
    return copyValues(copy, extra);
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
          (MlpClassificationModel)
              MlpClassificationModel.read().session(sparkSession()).load(path));
    }
  }
}
