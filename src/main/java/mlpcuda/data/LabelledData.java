package mlpcuda.data;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Sets of examples of one layout, whose labels are below the number of classes.
 *
 * @param name the data set's name in messages and reports, such as {@code MNIST}
 * @param labels the names of the classes
 * @param train the training set
 * @param testSet the test set; empty where the data set has none of its own
 * @param validationSet the validation set; empty where the data set has none of its own
 */
public record LabelledData(
    String name,
    List<String> labels,
    ExampleSet train,
    Optional<ExampleSet> testSet,
    Optional<ExampleSet> validationSet) {
  /** Copies the names. */
  public LabelledData {
    labels = List.copyOf(labels);
  }

  /**
   * A training and a test set whose classes have no names but their numbers.
   *
   * @param classes the number of classes, C
   */
  public static LabelledData numbered(String name, int classes, ExampleSet train, ExampleSet test) {
    return new LabelledData(name, numbers(classes), train, Optional.of(test), Optional.empty());
  }

  /** The names of classes that have none but their numbers: 0, 1, … */
  public static List<String> numbers(int classes) {
    return IntStream.range(0, classes).mapToObj(Integer::toString).toList();
  }

  /** The number of classes, C. */
  public int classes() {
    return labels.size();
  }

  /** What the inputs of an example are. */
  public Layout layout() {
    return train.layout();
  }

  /**
   * The test set.
   *
   * @throws IllegalStateException if the data set has none of its own
   */
  public ExampleSet test() {
    return testSet.orElseThrow(
        () -> new IllegalStateException("the data set %s has no test set".formatted(name)));
  }

  /** Returns a data set whose images have rows and columns exchanged. */
  public LabelledData transposed() {
    return new LabelledData(
        name,
        labels,
        train.transposed(),
        testSet.map(ExampleSet::transposed),
        validationSet.map(ExampleSet::transposed));
  }
}
