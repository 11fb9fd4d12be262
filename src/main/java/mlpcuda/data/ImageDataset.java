package mlpcuda.data;

/**
 * A training and a test set whose images have one size and whose labels are below {@code classes}.
 *
 * @param name the data set's name in messages and reports, such as {@code MNIST}
 * @param classes the number of classes, C
 * @param train the training set
 * @param test the test set
 */
public record ImageDataset(String name, int classes, ImageSet train, ImageSet test) {
  /** Returns a data set whose images have rows and columns exchanged. */
  public ImageDataset transposed() {
    return new ImageDataset(name, classes, train.transposed(), test.transposed());
  }
}
