package mlpcuda.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import mlpcuda.compute.Activation;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.StepNeeds;
import mlpcuda.data.ClassWeights;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Scaling;
import mlpcuda.error.SettingException;
import mlpcuda.net.Augmentation;
import mlpcuda.net.Batches;
import mlpcuda.net.MlpShape;
import mlpcuda.net.Regularisation;
import mlpcuda.net.Step;
import mlpcuda.preparation.Preparation;
import mlpcuda.train.Course;
import mlpcuda.train.LearningRate;
import mlpcuda.train.Selection;
import mlpcuda.train.Trainer;
import mlpcuda.train.TrainingSetup;
import mlpcuda.train.Update;

/**
 * The settings of a training run: all that decides its result but the data and the device. A
 * checkpoint keeps them as data: see {@link SettingsJson}.
 *
 * @param preset the name of the preset that the settings began as, for the record
 * @param network the network that is trained
 * @param rate the learning rate
 * @param learning the optimizer and what keeps it from overfitting
 * @param course the run's length and batches
 * @param validation the examples that are held back, and what they decide
 * @param recording what is evaluated, logged and written on the way
 * @param seed the seed of the initial weights, the order of examples, dropout and the validation
 *     set
 */
public record RunSettings(
    String preset,
    Architecture network,
    LearningRate rate,
    Learning learning,
    Course course,
    Validation validation,
    Recording recording,
    long seed) {

  /**
   * The network that is trained, but for the widths that the data decide.
   *
   * @param hidden the widths of the hidden layers
   * @param activation the activation of the hidden layers
   * @param output the activation of the output layer
   * @param scaling the name of the scaling of the inputs: see {@link Scaling#of}
   * @param preparation how pictures shall be prepared for the network; empty if the training images
   *     decide
   * @param init the file of the initial weights, for the record; empty if the seed gives them
   */
  public record Architecture(
      List<Integer> hidden,
      Activation activation,
      Activation output,
      String scaling,
      Optional<Preparation> preparation,
      Optional<String> init) {
    /** Checks the scaling, and copies the list. */
    public Architecture {
      hidden = List.copyOf(hidden);
      if (!Scaling.NAMES.contains(scaling)) {
        throw new SettingException(
            "scaling",
            "must be one of %s, found %s".formatted(String.join(", ", Scaling.NAMES), scaling));
      }
    }

    /** A copy with hidden layers of other widths. */
    public Architecture withHidden(List<Integer> widths) {
      return new Architecture(widths, activation, output, scaling, preparation, init);
    }

    /** A copy with another scaling of the inputs. */
    public Architecture withScaling(String name) {
      return new Architecture(hidden, activation, output, name, preparation, init);
    }

    /** The shape of the network for that many inputs and classes. */
    public MlpShape shape(int inputs, int classes) {
      var sizes = new ArrayList<Integer>();
      sizes.add(inputs);
      sizes.addAll(hidden);
      sizes.add(classes);
      return new MlpShape(sizes, activation, output);
    }
  }

  /**
   * The settings of how the network learns, but for the learning rate.
   *
   * @param optimizer the optimizer
   * @param clip the limit of the norm of all gradients; empty for none
   * @param dropout the dropout rate of each hidden layer, or one rate for all
   * @param smoothing the share of the target that label smoothing spreads over all classes
   * @param classWeights the weights of the classes; empty if all examples count the same
   * @param augmentation the distortion of the images; empty for none
   * @param ema the decay of the weights' exponential moving average, with which the network
   *     answers; empty if the weights themselves do
   */
  public record Learning(
      OptimizerSettings optimizer,
      OptionalDouble clip,
      List<Float> dropout,
      float smoothing,
      Optional<ClassWeights> classWeights,
      Optional<Augmentation> augmentation,
      OptionalDouble ema) {
    /** Checks the rates, and copies the list. */
    public Learning {
      if (ema.isPresent() && !(ema.getAsDouble() > 0 && ema.getAsDouble() < 1)) {
        throw new SettingException(
            "ema", "must be a number above 0, below 1, found " + ema.getAsDouble());
      }
      dropout = List.copyOf(dropout);
      new Regularisation(dropout, smoothing, 0); // this checks their ranges
    }

    /** A copy with another optimizer. */
    public Learning with(OptimizerSettings other) {
      return new Learning(other, clip, dropout, smoothing, classWeights, augmentation, ema);
    }

    /** A copy with another limit of the gradients' norm. */
    public Learning withClip(double norm) {
      return new Learning(
          optimizer, OptionalDouble.of(norm), dropout, smoothing, classWeights, augmentation, ema);
    }

    /** A copy with other rates of dropout. */
    public Learning withDropout(List<Float> rates) {
      return new Learning(optimizer, clip, rates, smoothing, classWeights, augmentation, ema);
    }

    /** A copy with another share of label smoothing. */
    public Learning withSmoothing(double share) {
      return new Learning(optimizer, clip, dropout, (float) share, classWeights, augmentation, ema);
    }

    /** A copy with weights of the classes. */
    public Learning with(ClassWeights weights) {
      return new Learning(
          optimizer, clip, dropout, smoothing, Optional.of(weights), augmentation, ema);
    }

    /** A copy with another distortion of the images, or none. */
    public Learning with(Optional<Augmentation> other) {
      return new Learning(optimizer, clip, dropout, smoothing, classWeights, other, ema);
    }

    /** A copy with an average of the weights of that decay. */
    public Learning withEma(double decay) {
      return new Learning(
          optimizer,
          clip,
          dropout,
          smoothing,
          classWeights,
          augmentation,
          OptionalDouble.of(decay));
    }

    /** The regularisation of a network with that many hidden layers. */
    Regularisation regularisation(int hiddenLayers, long seed) {
      List<Float> rates =
          dropout.size() == 1 ? Collections.nCopies(hiddenLayers, dropout.get(0)) : dropout;
      return new Regularisation(rates, smoothing, seed);
    }
  }

  /**
   * The examples that are held back from training.
   *
   * @param amount their number, from 1, or their fraction, below 1; empty for none
   * @param selection what they decide
   */
  public record Validation(OptionalDouble amount, Selection selection) {
    /** No examples are held back. */
    public static final Validation NONE = new Validation(OptionalDouble.empty(), Selection.NONE);
  }

  /**
   * What a run evaluates, logs and writes on the way.
   *
   * @param logInterval the loss of every so many batches is logged
   * @param checkpointEvery the number of steps between two checkpoints inside of an epoch; 0 if
   *     only the end of an epoch brings one
   * @param testBatchSize the number of examples evaluated at once
   * @param testAtEnd whether the test set is evaluated at the end alone, and not after each epoch
   * @param evaluatesTraining whether the training examples are evaluated at the end, too
   * @param importance whether the importance of a table's columns is measured at the end
   */
  public record Recording(
      int logInterval,
      int checkpointEvery,
      int testBatchSize,
      boolean testAtEnd,
      boolean evaluatesTraining,
      boolean importance) {
    /** The loss of every hundredth batch, and the test set after each epoch. */
    public static Recording of(int testBatchSize) {
      return new Recording(100, 0, testBatchSize, false, false, false);
    }

    /** A copy that measures the importance of a table's columns. */
    public Recording withImportance() {
      return new Recording(
          logInterval, checkpointEvery, testBatchSize, testAtEnd, evaluatesTraining, true);
    }
  }

  /**
   * Checks that the settings fit each other.
   *
   * @throws SettingException if they do not
   */
  void check() {
    int rates = learning.dropout.size();
    if (rates != 1 && rates != network.hidden.size()) {
      throw new SettingException(
          "dropout",
          "must be one rate or one for each hidden layer, here %d, found %d"
              .formatted(network.hidden.size(), rates));
    }
  }

  /**
   * Checks that the examples can be distorted, if the settings ask for it.
   *
   * @throws SettingException if they cannot
   */
  void checkAugmentation(ExampleSet set) {
    if (learning.augmentation.isPresent() && !Batches.canDistort(set)) {
      throw new SettingException(
          "augment",
          "must be none, because only images of bytes are distorted, found " + set.layout());
    }
  }

  /** The settings of the training loop. */
  public Trainer.Settings trainer() {
    return new Trainer.Settings(
        course, rate, validation.selection, recording.logInterval, recording.checkpointEvery, seed);
  }

  /**
   * The training of a network with these settings, in batches of the largest size.
   *
   * @param set the examples to learn from
   * @throws SettingException if the images shall be distorted, and the examples are no images
   */
  public TrainingSetup training(MlpShape shape, ExampleSet set, Scaling scaling) {
    checkAugmentation(set);
    return new TrainingSetup(
        shape,
        set,
        scaling,
        course.largestBatch(set.size()),
        new Update(learning.optimizer, clip(), regularisation(), ema()),
        rate.base(),
        seed,
        learning.augmentation);
  }

  /** What decides how a device runs the steps of a training on those examples. */
  StepNeeds needs(MlpShape shape, ExampleSet set) {
    int B = course.largestBatch(set.size());
    return Step.needs(shape, B, clip() > 0, set.weights().isPresent()).averaging(ema() > 0);
  }

  /** The regularisation of the network's hidden layers. */
  Regularisation regularisation() {
    return learning.regularisation(network.hidden.size(), seed);
  }

  /** The limit of the norm of all gradients; 0 for none. */
  double clip() {
    return learning.clip.orElse(0);
  }

  /** The decay of the weights' exponential moving average; 0 for none. */
  double ema() {
    return learning.ema.orElse(0);
  }

  /** A copy with another network. */
  public RunSettings with(Architecture other) {
    return new RunSettings(preset, other, rate, learning, course, validation, recording, seed);
  }

  /** A copy with another learning rate. */
  public RunSettings with(LearningRate other) {
    return new RunSettings(preset, network, other, learning, course, validation, recording, seed);
  }

  /** A copy with another way of learning. */
  public RunSettings with(Learning other) {
    return new RunSettings(preset, network, rate, other, course, validation, recording, seed);
  }

  /** A copy with another length or other batches. */
  public RunSettings with(Course other) {
    return new RunSettings(preset, network, rate, learning, other, validation, recording, seed);
  }

  /** A copy with another validation set. */
  public RunSettings with(Validation other) {
    return new RunSettings(preset, network, rate, learning, course, other, recording, seed);
  }

  /** A copy that records otherwise. */
  public RunSettings with(Recording other) {
    return new RunSettings(preset, network, rate, learning, course, validation, other, seed);
  }

  /** A copy with another seed. */
  public RunSettings withSeed(long other) {
    return new RunSettings(preset, network, rate, learning, course, validation, recording, other);
  }

  /**
   * The preset's name. picocli asks for this text before it reads any option, and a record's own
   * method takes 40 ms the first time.
   */
  @Override
  public String toString() {
    return preset;
  }
}
