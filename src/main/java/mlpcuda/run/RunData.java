package mlpcuda.run;

import java.util.List;
import java.util.Optional;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.data.Split;
import mlpcuda.error.SettingException;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;
import mlpcuda.preparation.Preparation;

/**
 * The examples of a run as it uses them, and what follows from them and the settings.
 *
 * @param dataset the data set as it was read
 * @param all the training examples of the run, those held back among them
 * @param train the examples to learn from
 * @param validation the examples held back; empty if there are none
 * @param shape the shape of the network
 * @param form the examples that the network takes
 */
public record RunData(
    LabelledData dataset,
    ExampleSet all,
    ExampleSet train,
    Optional<ExampleSet> validation,
    MlpShape shape,
    ExampleForm form) {

  /**
   * Splits a data set as the settings say.
   *
   * @param dataset the data set, whose images are as the network is to see them
   * @param choice the number of training examples to take, and whether images are transposed
   * @throws SettingException if the data set has too few examples for a setting, or the network
   *     would have too many parameters
   */
  public static RunData of(RunSettings settings, LabelledData dataset, DataChoice choice) {
    settings.check();
    ExampleSet all = dataset.train();
    if (choice.subset().isPresent()) {
      int subset = choice.subset().getAsInt();
      if (subset > all.size()) {
        throw new SettingException(
            "subset",
            "must be at most the %d training examples, found %d".formatted(all.size(), subset));
      }
      all = all.first(subset);
    }
    ExampleSet train = all;
    Optional<ExampleSet> validation = Optional.empty();
    if (settings.validation().amount().isPresent()) {
      Split split = split(all, settings.validation().amount().getAsDouble(), settings.seed());
      train = split.train();
      validation = Optional.of(split.validation());
    }
    RunSettings.Architecture network = settings.network();
    MlpShape shape = shape(network, all.inputs(), dataset.classes());
    ExampleForm form = form(network, dataset, all, train, choice.transposed());
    return new RunData(dataset, all, train, validation, shape, form);
  }

  private static ExampleForm form(
      RunSettings.Architecture network,
      LabelledData dataset,
      ExampleSet all,
      ExampleSet train,
      boolean transposed) {
    List<String> numbers = LabelledData.numbers(dataset.classes());
    List<String> labels = dataset.labels().equals(numbers) ? List.of() : dataset.labels();
    Scaling scaling = scaling(network.scaling(), train);
    if (all.layout() instanceof Layout.Images size && scaling instanceof PixelScaling pixels) {
      Preparation preparation = network.preparation().orElseGet(() -> Preparation.of(all));
      return new ImageForm(size, pixels, preparation, transposed, labels);
    }
    return new NumberForm(all.layout(), (ColumnScaling) scaling, labels);
  }

  private static Scaling scaling(String name, ExampleSet train) {
    try {
      return Scaling.of(name, train);
    } catch (IllegalArgumentException e) {
      throw new SettingException("scaling", e.getMessage().replaceFirst("^scaling ", ""));
    }
  }

  private static MlpShape shape(RunSettings.Architecture network, int inputs, int classes) {
    try {
      return network.shape(inputs, classes);
    } catch (IllegalArgumentException e) {
      throw new SettingException("hidden", e.getMessage());
    }
  }

  private static Split split(ExampleSet all, double amount, long seed) {
    try {
      return Split.of(all, Split.count(amount, all.size()), seed);
    } catch (IllegalArgumentException e) {
      throw new SettingException("validation", e.getMessage());
    }
  }
}
