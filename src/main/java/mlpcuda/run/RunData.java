package mlpcuda.run;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import mlpcuda.data.ClassWeights;
import mlpcuda.data.ColumnScaling;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.PixelScaling;
import mlpcuda.data.Scaling;
import mlpcuda.data.Split;
import mlpcuda.data.View;
import mlpcuda.error.SettingException;
import mlpcuda.net.MlpShape;
import mlpcuda.preparation.ExampleForm;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.NumberForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.train.Importance;
import mlpcuda.train.TrainingSetup;

/**
 * The examples of a run as it uses them, and what follows from them and the settings.
 *
 * @param dataset the data set as it was read
 * @param all the training examples of the run, those held back among them, as they were read
 * @param train the examples to learn from
 * @param validation the examples that epochs are judged by; empty if there are none
 * @param test the examples that the trained network is judged by
 * @param shape the shape of the network
 * @param form the examples that the network takes
 */
public record RunData(
    LabelledData dataset,
    ExampleSet all,
    ExampleSet train,
    Optional<ExampleSet> validation,
    ExampleSet test,
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
    choice.inkWidth().check(dataset.layout(), dataset.train().isBytes());
    long seed = choice.splitSeed().orElse(settings.seed());
    ExampleSet all = dataset.train();
    ExampleSet test = all; // replaced: a data set has a test set, or examples are held back for it
    if (dataset.testSet().isPresent()) {
      test = dataset.testSet().get();
    } else {
      int count = count("test-split", choice.testAmount(), all.size(), "test");
      Split split = Split.stratified(all, dataset.classes(), count, seed);
      all = split.train();
      test = split.held();
    }
    if (choice.subset().isPresent()) {
      all = first(all, choice.subset().getAsInt());
    }
    ExampleSet train = all;
    Optional<ExampleSet> validation = dataset.validationSet();
    if (settings.validation().amount().isPresent()) {
      double amount = settings.validation().amount().getAsDouble();
      int count = count("validation", amount, all.size(), "validation");
      Split split = Split.of(all, count, seed);
      train = split.train();
      validation = Optional.of(split.held());
    }
    if (validation.isEmpty() && settings.validation().selection().decides()) {
      throw new SettingException(
          "validation",
          "must hold examples back, because early stopping and the choice of the best epoch judge"
              + " by them, found none");
    }
    if (settings.learning().classWeights().isPresent()) {
      train = weighted(train, settings.learning().classWeights().get(), dataset.labels());
    }
    settings.checkAugmentation(train);
    if (settings.recording().importance()) {
      Importance.check(test.layout());
    }
    RunSettings.Architecture network = settings.network();
    MlpShape shape = shape(network, all.inputs(), dataset.classes());
    ExampleForm form = form(network, dataset, all, train, choice);
    View view = form.view();
    return new RunData(
        dataset, all, view.of(train), validation.map(view::of), view.of(test), shape, form);
  }

  private static ExampleSet weighted(ExampleSet train, ClassWeights weights, List<String> labels) {
    try {
      return weights.apply(train, labels);
    } catch (IllegalArgumentException e) {
      throw new SettingException("class-weights", e.getMessage());
    }
  }

  private static ExampleSet first(ExampleSet all, int subset) {
    if (subset > all.size()) {
      throw new SettingException(
          "subset",
          "must be at most the %d training examples, found %d".formatted(all.size(), subset));
    }
    return all.first(subset);
  }

  private static int count(String setting, double amount, int size, String what) {
    try {
      return Split.count(amount, size, what);
    } catch (IllegalArgumentException e) {
      throw new SettingException(setting, e.getMessage());
    }
  }

  /** The training that a device is prepared for, in batches of the largest size. */
  TrainingSetup training(RunSettings settings) {
    return settings.training(shape, train, form.scaling());
  }

  /**
   * A sentence about examples that are held back for the test; empty where the data set has some.
   */
  Optional<String> ofTest() {
    if (dataset.testSet().isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "The data set has no test set: %,d of its %,d examples, of each class its share, are"
                + " held back for the test; the seed chooses them.",
            test.size(),
            dataset.train().size()));
  }

  private static ExampleForm form(
      RunSettings.Architecture network,
      LabelledData dataset,
      ExampleSet all,
      ExampleSet train,
      DataChoice choice) {
    List<String> numbers = LabelledData.numbers(dataset.classes());
    List<String> labels = dataset.labels().equals(numbers) ? List.of() : dataset.labels();
    Scaling scaling = scaling(network.scaling(), train);
    if (all.layout() instanceof Layout.Images size && scaling instanceof PixelScaling pixels) {
      Preparation preparation = network.preparation().orElseGet(() -> Preparation.of(all));
      return new ImageForm(
          size, pixels, preparation, choice.transposed(), labels, choice.inkWidth());
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
}
