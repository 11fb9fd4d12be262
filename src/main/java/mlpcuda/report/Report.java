package mlpcuda.report;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.net.MlpShape;
import mlpcuda.train.DistortedImages;
import mlpcuda.train.Predictions;

/**
 * Writes {@code report.html}: a run's network and data, what it measured, and pictures of both, or
 * the rows of a table.
 */
public final class Report {
  private static final String FILE = "report.html";

  private final Metrics metrics;
  private final MlpShape shape;
  private final ExampleSet train;
  private final ExampleSet test;
  private final Page page;
  private Map<String, Object> distorted; // null: images are not distorted
  private Map<String, Object> table; // null until a report on a table is written

  /**
   * Creates the report of a run.
   *
   * @param name the name of the run
   * @param train the training set
   * @param test the test set, whose images have the size of the training images
   */
  public Report(String name, Metrics metrics, MlpShape shape, ExampleSet train, ExampleSet test) {
    this.metrics = metrics;
    this.shape = shape;
    this.train = train;
    this.test = test;
    this.page = new Page("mlp-cuda: " + name);
  }

  /** Makes the reports from now on show these distorted images. */
  public void show(DistortedImages images) {
    distorted = ReportImages.distorted(images);
  }

  /**
   * Writes the current report into {@code folder}, over a former report.
   *
   * @param status a sentence that says how far the run has come
   * @param weights the weights of the first layer (O, I), finite; empty if they must not be shown
   * @param answers the answers to the test images; empty before the test
   * @throws java.io.UncheckedIOException if writing fails
   */
  public void write(
      Path folder, String status, Optional<float[]> weights, Optional<Predictions> answers) {
    var data = new LinkedHashMap<String, Object>();
    String now = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss"));
    data.put("status", status + " Written " + now + ".");
    Map<String, Object> measured = metrics.json();
    measured.replaceAll(
        (name, value) -> value instanceof List<?> rows ? Page.thinned(rows) : value);
    data.put("metrics", measured);
    data.put("layers", layers(shape));
    if (train.layout() instanceof Layout.Images size && train.isBytes()) {
      var images = new ReportImages(shape, train, test, size);
      data.put("training", images.training());
      if (distorted != null) {
        data.put("distorted", distorted);
      }
      // The weights of a unit make a picture where each pixel has one of them.
      if (size.channels() == 1 && shape.inputs(0) <= ReportImages.MOST_BYTES) {
        weights.ifPresent(shown -> data.put("weights", images.weights(shown)));
      }
      answers.ifPresent(given -> data.put("test", images.test(given)));
    }
    if (train.layout() instanceof Layout.Columns columns) {
      if (table == null) {
        table = ReportTable.json(train, columns);
      }
      data.put("table", table);
    }
    page.write(folder.resolve(FILE), data);
  }

  /** Converts the layers of a network to JSON objects. */
  public static List<Map<String, Object>> layers(MlpShape shape) {
    return IntStream.range(0, shape.layers()).mapToObj(l -> layer(shape, l)).toList();
  }

  private static Map<String, Object> layer(MlpShape shape, int l) {
    var layer = new LinkedHashMap<String, Object>();
    layer.put("name", "layers." + l);
    layer.put("inputs", shape.inputs(l));
    layer.put("outputs", shape.outputs(l));
    layer.put("activation", shape.activation(l).label());
    layer.put("parameters", shape.parameters(l));
    return layer;
  }
}
