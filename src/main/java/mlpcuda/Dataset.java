package mlpcuda;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import mlpcuda.data.LabelledData;
import mlpcuda.data.PublishedDataset;
import mlpcuda.run.DataSource;
import mlpcuda.run.LoadingListener;

/** A training set and a test set, whose images have one size. */
public final class Dataset {
  private final DataSource source;
  private final LabelledData data;

  private Dataset(DataSource source, LabelledData data) {
    this.source = source;
    this.data = data;
  }

  /**
   * MNIST's handwritten digits: 60,000 training and 10,000 test images of 28×28, of 10 classes.
   *
   * @throws IllegalStateException if MNIST is not on the class path; the message names the artefact
   *     that has it
   */
  public static Dataset mnist() {
    return load(new DataSource.Embedded());
  }

  /**
   * Reads examples: a table (CSV, TSV), NumPy's arrays, LIBSVM's lines, or a folder of these, of
   * pictures in a folder for each class, or of the four IDX files of MNIST, QMNIST or EMNIST. What
   * the files do not say, such as the column of the labels, {@link Reading} does.
   *
   * @throws mlpcuda.error.BadFileException if a file is missing or malformed
   */
  public static Dataset read(Path path) {
    return read(path, Reading.DEFAULT);
  }

  /** Reads examples as {@link #read(Path)} does, with options. */
  public static Dataset read(Path path, Reading options) {
    return load(new DataSource.Files(path, OptionalInt.empty(), options.options()));
  }

  /**
   * Fetches a published data set, or reads it from the cache folder if it was fetched before.
   *
   * @param name {@code mnist}, {@code fashion-mnist} or {@code kmnist}
   * @throws IllegalArgumentException if there is none of that name
   * @throws mlpcuda.error.BadFileException if it cannot be fetched
   */
  public static Dataset fetch(String name) {
    return load(new DataSource.Published(PublishedDataset.named(name)));
  }

  /**
   * Examples in memory. The number of classes is one more than the training set's largest label.
   *
   * @throws IllegalArgumentException if the images differ in size, or a test label is not among the
   *     classes
   */
  public static Dataset of(Examples train, Examples test) {
    if (!train.set().layout().equals(test.set().layout())) {
      throw new IllegalArgumentException(
          "training and test examples must have one layout, found %s and %s"
              .formatted(train.set().layout(), test.set().layout()));
    }
    int classes = train.set().largestLabel() + 1;
    int largest = test.set().largestLabel();
    if (largest >= classes) {
      throw new IllegalArgumentException(
          "the test labels must be below the training set's %d classes, found %d"
              .formatted(classes, largest));
    }
    return new Dataset(
        new DataSource.InMemory(),
        LabelledData.numbered("examples in memory", classes, train.set(), test.set()));
  }

  /**
   * A copy with a validation set, which judges the epochs of a training.
   *
   * @throws IllegalArgumentException if the examples have another layout than the training set's,
   *     or a label is not among the classes
   */
  public Dataset withValidation(Examples validation) {
    if (!validation.set().layout().equals(data.layout())) {
      throw new IllegalArgumentException(
          "validation examples must be of %s as the training set's, found %s"
              .formatted(data.layout(), validation.set().layout()));
    }
    int largest = validation.set().largestLabel();
    if (largest >= classes()) {
      throw new IllegalArgumentException(
          "the validation labels must be below the training set's %d classes, found %d"
              .formatted(classes(), largest));
    }
    return new Dataset(
        source,
        new LabelledData(
            data.name(),
            data.labels(),
            data.train(),
            data.testSet(),
            Optional.of(validation.set())));
  }

  /**
   * A copy with more classes, of some of which there are no examples; the classes are numbered.
   *
   * @param classes C, from {@link #classes} on to 256
   * @throws IllegalArgumentException if there are fewer than the labels need
   */
  public Dataset withClasses(int classes) {
    if (classes < classes() || classes > 256) {
      throw new IllegalArgumentException(
          "the number of classes must be from %d, as the labels need, to 256, found %d"
              .formatted(classes(), classes));
    }
    return new Dataset(
        source,
        new LabelledData(
            data.name(),
            LabelledData.numbers(classes),
            data.train(),
            data.testSet(),
            data.validationSet()));
  }

  private static Dataset load(DataSource source) {
    return new Dataset(source, source.load(LoadingListener.NONE));
  }

  /** The number of classes. */
  public int classes() {
    return data.classes();
  }

  /** The examples to learn from. */
  public Examples train() {
    return new Examples(data.train());
  }

  /**
   * The examples that judge what was learnt.
   *
   * @throws IllegalStateException if the data set has no test set of its own; a training then holds
   *     examples back
   */
  public Examples test() {
    return new Examples(data.test());
  }

  /** The name of the data set and its sizes. */
  @Override
  public String toString() {
    String test = data.testSet().map(set -> " and %d test".formatted(set.size())).orElse("");
    return "%s: %d training%s examples of %s, %d classes"
        .formatted(data.name(), data.train().size(), test, data.layout(), data.classes());
  }

  DataSource source() {
    return source;
  }

  LabelledData data() {
    return data;
  }
}
