package mlpcuda.run;

import java.util.Optional;
import mlpcuda.data.ImageDataset;
import mlpcuda.data.ImageSet;
import mlpcuda.data.Scaling;
import mlpcuda.data.Split;
import mlpcuda.error.SettingException;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;

/**
 * The examples of a run as it uses them, and what follows from them and the settings.
 *
 * @param dataset the data set as it was read
 * @param all the training examples of the run, those held back among them
 * @param train the examples to learn from
 * @param validation the examples held back; empty if there are none
 * @param shape the shape of the network
 * @param form the images that the network takes
 */
public record RunData(
    ImageDataset dataset,
    ImageSet all,
    ImageSet train,
    Optional<ImageSet> validation,
    MlpShape shape,
    ImageForm form) {

  /**
   * Splits a data set as the settings say.
   *
   * @param dataset the data set, whose images are as the network is to see them
   * @param choice the number of training examples to take, and whether images are transposed
   * @throws SettingException if the data set has too few examples for a setting, or the network
   *     would have too many parameters
   */
  public static RunData of(RunSettings settings, ImageDataset dataset, DataChoice choice) {
    settings.check();
    ImageSet all = dataset.train();
    if (choice.subset().isPresent()) {
      int subset = choice.subset().getAsInt();
      if (subset > all.size()) {
        throw new SettingException(
            "subset",
            "must be at most the %d training examples, found %d".formatted(all.size(), subset));
      }
      all = all.first(subset);
    }
    ImageSet train = all;
    Optional<ImageSet> validation = Optional.empty();
    if (settings.validation().amount().isPresent()) {
      Split split = split(all, settings.validation().amount().getAsDouble(), settings.seed());
      train = split.train();
      validation = Optional.of(split.validation());
    }
    ImageSet whole = all;
    RunSettings.Architecture network = settings.network();
    MlpShape shape = shape(network, all.pixelsPerImage(), dataset.classes());
    var form =
        new ImageForm(
            all.rows(),
            all.cols(),
            Scaling.of(network.scaling(), train),
            network.preparation().orElseGet(() -> Preparation.of(whole)),
            choice.transposed());
    return new RunData(dataset, all, train, validation, shape, form);
  }

  private static MlpShape shape(RunSettings.Architecture network, int inputs, int classes) {
    try {
      return network.shape(inputs, classes);
    } catch (IllegalArgumentException e) {
      throw new SettingException("hidden", e.getMessage());
    }
  }

  private static Split split(ImageSet all, double amount, long seed) {
    try {
      return Split.of(all, Split.count(amount, all.size()), seed);
    } catch (IllegalArgumentException e) {
      throw new SettingException("validation", e.getMessage());
    }
  }
}
