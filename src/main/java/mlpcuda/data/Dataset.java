package mlpcuda.data;

/**
 * A training and a test set whose images have one size and whose labels are below {@code classes}.
 *
 * @param name the name that the program calls it, such as {@code MNIST}
 * @param classes the number of classes, C
 * @param train the examples to learn from
 * @param test the examples to be judged by
 */
public record Dataset(String name, int classes, ImageSet train, ImageSet test) {
  /** The data set with rows and columns of every image exchanged. */
  public Dataset transposed() {
    return new Dataset(name, classes, train.transposed(), test.transposed());
  }
}
