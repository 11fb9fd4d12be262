package mlpcuda;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.Layout;
import mlpcuda.input.ReadOptions;
import mlpcuda.input.ReadOptions.ArrayNames;
import mlpcuda.input.ReadOptions.ImageOptions;
import mlpcuda.input.ReadOptions.TableOptions;

/** How {@link Dataset#read} reads files, as far as they do not say it. It is an immutable value. */
public final class Reading {
  /** Nothing is said: the files' contents and names tell all. */
  public static final Reading DEFAULT = new Reading(ReadOptions.DEFAULT);

  private final ReadOptions options;

  private Reading(ReadOptions options) {
    this.options = options;
  }

  /** Takes the labels from a column of a table, given by its name or its number from 1 on. */
  public Reading label(String column) {
    return with(options.table().withLabel(column));
  }

  /** Leaves out columns of a table, given by name or by number from 1 on. */
  public Reading ignore(String... columns) {
    return with(options.table().withIgnored(new LinkedHashSet<>(List.of(columns))));
  }

  /** The loss of each training example is multiplied by the number in that column of a table. */
  public Reading sampleWeight(String column) {
    return with(options.table().withWeight(column));
  }

  /** The numbers of a table have a decimal comma. */
  public Reading decimalComma() {
    return with(options.table().withDecimal(','));
  }

  /** An empty cell of a table becomes the mean of the training set's column. */
  public Reading missingAsMean() {
    return with(options.table().with(TableOptions.Missing.MEAN));
  }

  /** An empty cell of a table becomes 0. */
  public Reading missingAsZero() {
    return with(options.table().with(TableOptions.Missing.ZERO));
  }

  /** Pictures are brought to that size, and a row of so many pixels is an image. */
  public Reading image(int rows, int cols) {
    boolean colour = options.images().colour();
    var size = new Layout.Images(rows, cols, colour ? 3 : 1);
    return with(new ImageOptions(Optional.of(size), colour, options.images().skipBad()));
  }

  /** Pictures keep their colours, three inputs a pixel. */
  public Reading colour() {
    Optional<Layout.Images> size =
        options.images().size().map(grey -> new Layout.Images(grey.rows(), grey.cols(), 3));
    return with(new ImageOptions(size, true, options.images().skipBad()));
  }

  /** Pictures that cannot be read are left out. */
  public Reading skipBad() {
    return with(new ImageOptions(options.images().size(), options.images().colour(), true));
  }

  /** Features and labels are those arrays of a NumPy archive. */
  public Reading arrays(String features, String labels) {
    return new Reading(
        new ReadOptions(
            options.format(),
            options.table(),
            options.images(),
            new ArrayNames(Optional.of(features), Optional.of(labels))));
  }

  private Reading with(TableOptions table) {
    return new Reading(
        new ReadOptions(options.format(), table, options.images(), options.arrays()));
  }

  private Reading with(ImageOptions images) {
    return new Reading(
        new ReadOptions(options.format(), options.table(), images, options.arrays()));
  }

  ReadOptions options() {
    return options;
  }
}
