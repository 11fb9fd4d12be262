package mlpcuda.spark;

import java.util.Optional;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.sql.connect.plugin.MLBackendPlugin;

/**
 * Gives the clients of a Spark Connect server mlp-cuda's networks in place of Spark's, and no
 * client program has to change. The server's, or a session's, setting {@code
 * spark.connect.ml.backend.classes} names this class, and mlp-cuda's jar is on the server's class
 * path.
 */
public final class ConnectPlugin implements MLBackendPlugin {
  /** Spark creates the plug-in by this constructor. */
  public ConnectPlugin() {}

  @Override
  public Optional<String> transform(String name) {
    if (name.equals(MultilayerPerceptronClassifier.class.getName())) {
      return Optional.of(PluggedMlpClassifier.class.getName());
    }
    if (name.equals(MultilayerPerceptronClassificationModel.class.getName())) {
      return Optional.of(PluggedMlpClassificationModel.class.getName());
    }
    return Optional.empty();
  }
}
