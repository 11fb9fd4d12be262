package mlpcuda.input;

import java.util.Optional;
import java.util.Set;
import mlpcuda.data.Layout;

/**
 * How examples are read, as far as the files do not tell it themselves.
 *
 * @param format the format; empty: the contents and the names of the files tell it
 * @param table how tables are read
 * @param images how pictures, and numbers that are pixels, are read
 * @param arrays the names of an archive's arrays
 */
public record ReadOptions(
    Optional<Format> format, TableOptions table, ImageOptions images, ArrayNames arrays) {
  /** The options that nobody changed. */
  public static final ReadOptions DEFAULT =
      new ReadOptions(
          Optional.empty(),
          new TableOptions(
              Optional.empty(), Set.of(), Optional.empty(), '.', TableOptions.Missing.REFUSED),
          new ImageOptions(Optional.empty(), false, false),
          new ArrayNames(Optional.empty(), Optional.empty()));

  /** The formats of examples. */
  public enum Format {
    /** Comma-separated, semicolon-separated or tab-separated values, plain or gzipped. */
    CSV,
    /** NumPy's arrays, .npy and .npz. */
    NUMPY,
    /** A folder with a folder of pictures for each class. */
    PICTURES,
    /** MNIST's own format. */
    IDX,
    /** Lines of {@code label index:value …}. */
    LIBSVM
  }

  /**
   * How tables are read.
   *
   * @param label the name of the labels' column, or its number from 1 on; empty: one of the usual
   *     names
   * @param ignored the names, or numbers from 1 on, of the columns that are left out
   * @param weight the name, or number from 1 on, of the column of the examples' weights
   * @param decimal the decimal separator, {@code .} or {@code ,}
   * @param missing what becomes of an empty cell in a column of numbers
   */
  public record TableOptions(
      Optional<String> label,
      Set<String> ignored,
      Optional<String> weight,
      char decimal,
      Missing missing) {
    /** A copy with another column of labels. */
    public TableOptions withLabel(String column) {
      return new TableOptions(Optional.of(column), ignored, weight, decimal, missing);
    }

    /** A copy that leaves out other columns. */
    public TableOptions withIgnored(Set<String> columns) {
      return new TableOptions(label, columns, weight, decimal, missing);
    }

    /** A copy with another column of weights. */
    public TableOptions withWeight(String column) {
      return new TableOptions(label, ignored, Optional.of(column), decimal, missing);
    }

    /** A copy with another decimal separator. */
    public TableOptions withDecimal(char other) {
      return new TableOptions(label, ignored, weight, other, missing);
    }

    /** A copy that treats empty cells otherwise. */
    public TableOptions with(Missing other) {
      return new TableOptions(label, ignored, weight, decimal, other);
    }

    /** What becomes of an empty cell in a column of numbers. */
    public enum Missing {
      /** An empty cell is refused. */
      REFUSED,
      /** An empty cell becomes the mean of the training set's other cells of its column. */
      MEAN,
      /** An empty cell becomes 0. */
      ZERO
    }
  }

  /**
   * How pictures, and numbers that are pixels, are read.
   *
   * @param size the size that pictures are brought to, or that a row of pixels has; empty: that of
   *     the first picture, or the one that the number of pixels suggests
   * @param colour whether red, green and blue are kept
   * @param skipBad whether pictures that cannot be read are left out
   */
  public record ImageOptions(Optional<Layout.Images> size, boolean colour, boolean skipBad) {}

  /**
   * The names of an archive's arrays.
   *
   * @param features the name of the array of features, such as {@code x_train}
   * @param labels the name of the array of labels, such as {@code y_train}
   */
  public record ArrayNames(Optional<String> features, Optional<String> labels) {}
}
