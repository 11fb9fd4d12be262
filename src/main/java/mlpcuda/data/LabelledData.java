package mlpcuda.data;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A training and a test set of one layout, whose labels are below the number of classes.
 *
 * @param name the data set's name in messages and reports, such as {@code MNIST}
 * @param labels the names of the classes
 * @param train the training set
 * @param test the test set
 */
public record LabelledData(String name, List<String> labels, ExampleSet train, ExampleSet test) {
  /** Copies the names. */
  public LabelledData {
    labels = List.copyOf(labels);
  }

  /**
   * A data set whose classes have no names but their numbers.
   *
   * @param classes the number of classes, C
   */
  public static LabelledData numbered(String name, int classes, ExampleSet train, ExampleSet test) {
    return new LabelledData(name, numbers(classes), train, test);
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

  /** Returns a data set whose images have rows and columns exchanged. */
  public LabelledData transposed() {
    return new LabelledData(name, labels, train.transposed(), test.transposed());
  }
}
