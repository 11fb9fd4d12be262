package mlpcuda;

import java.io.Serializable;
import java.util.List;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.FeatureStatistics;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.model.Committee;
import mlpcuda.model.ModelFile;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Parameters;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;
import mlpcuda.preparation.Preparation;

/**
 * What a training must know of all examples before its first step, such as the mean and spread of
 * each column. Each {@link Replica} sees a part of the examples: the statistics of the parts are
 * added up, and what follows from the sum is what one training of all examples would find, but for
 * rounding.
 */
public final class InputStatistics implements Serializable {
  private static final long serialVersionUID = 1;

  private final Layout layout;
  private final List<String> labels;
  private final Preparation preparation; // null: the examples are no images of bytes
  private final FeatureStatistics features;
  private final long size;

  private InputStatistics(
      Layout layout,
      List<String> labels,
      Preparation preparation,
      FeatureStatistics features,
      long size) {
    this.layout = layout;
    this.labels = labels;
    this.preparation = preparation;
    this.features = features;
    this.size = size;
  }

  /** The statistics of the training examples of a part that the scaling of the inputs needs. */
  public static InputStatistics of(Training training, Dataset part) {
    LabelledData data = part.data();
    boolean images = data.layout() instanceof Layout.Images && data.train().isBytes();
    return new InputStatistics(
        data.layout(),
        data.labels(),
        images ? Preparation.of(data.train()) : null,
        FeatureStatistics.of(training.settings().network().scaling(), data.train()),
        data.train().size());
  }

  /** The number of training examples. */
  public long size() {
    return size;
  }

  /**
   * The statistics of these examples and of another part's together. How pictures are prepared, if
   * the examples are images, is decided by the first part.
   *
   * @throws IllegalArgumentException if the parts differ in layout or classes
   */
  public InputStatistics plus(InputStatistics other) {
    if (!layout.equals(other.layout) || !labels.equals(other.labels)) {
      throw new IllegalArgumentException(
          "all parts must have one layout and the same classes, found %s of %d classes and %s of %d"
              .formatted(layout, labels.size(), other.layout, other.labels.size()));
    }
    return new InputStatistics(
        layout, labels, preparation, features.plus(other.features), size + other.size);
  }

  /**
   * The network that a training of these examples begins with: it has the scaling of the inputs,
   * and the weights that the training's network has or that the seed gives.
   *
   * @throws IllegalArgumentException if there is no such scaling of the examples
   * @throws mlpcuda.error.SettingException if the training's network does not fit the examples
   */
  public Network network(Training training) {
    Scaling scaling = features.scaling();
    List<String> names = labels.equals(LabelledData.numbers(labels.size())) ? List.of() : labels;
    ExampleForm form =
        preparation != null
            ? new ImageForm(
                (Layout.Images) layout, (PixelScaling) scaling, preparation, false, names)
            : new NumberForm(layout, (ColumnScaling) scaling, names);
    MlpShape shape = training.settings().network().shape(layout.inputs(), labels.size());
    training.network().ifPresent(given -> TrainingJob.checkShape(given, shape));
    List<float[]> weights =
        training
            .network()
            .filter(Network::isTrained)
            .map(given -> given.single().weights())
            .orElseGet(() -> Parameters.initial(shape, training.settings().seed()));
    return Network.of(Committee.of(new ModelFile(shape, form, weights)));
  }
}
