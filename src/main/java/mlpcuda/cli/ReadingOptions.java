package mlpcuda.cli;

import java.util.Optional;
import java.util.Set;
import mlpcuda.data.Layout;
import mlpcuda.input.ReadOptions;
import mlpcuda.input.ReadOptions.ArrayNames;
import mlpcuda.input.ReadOptions.Format;
import mlpcuda.input.ReadOptions.ImageOptions;
import mlpcuda.input.ReadOptions.TableOptions;
import picocli.CommandLine.Option;

/** The options that say how the files of {@code --data} are read, where they do not say it. */
final class ReadingOptions {
  /** The ways to treat an empty cell, as the command line has them. */
  enum MissingCells {
    mean,
    zero
  }

  /** The colours that pictures keep, as the command line has them. */
  enum Colours {
    grey,
    rgb
  }

  @Option(
      names = "--format",
      paramLabel = "NAME",
      converter = ListConverters.FormatName.class,
      description =
          "Format of --data: csv, numpy, pictures, idx or libsvm. Default: what the contents and the"
              + " names say.")
  private Format format;

  @Option(
      names = "--label",
      paramLabel = "COLUMN",
      description =
          "Column of the labels, by its name or its number from 1 on. Default: label, class, target,"
              + " species or y.")
  private String label;

  @Option(
      names = "--ignore",
      paramLabel = "COLUMNS",
      converter = ListConverters.ColumnNames.class,
      description = "Columns that are left out, by name or number, joined by commas.")
  private ListConverters.Columns ignored = new ListConverters.Columns(Set.of());

  @Option(
      names = "--sample-weight",
      paramLabel = "COLUMN",
      description = "Column of numbers by which the loss of each training example is multiplied.")
  private String weight;

  @Option(
      names = "--decimal",
      paramLabel = "CHAR",
      converter = ListConverters.Decimal.class,
      description = "Decimal separator of tables: a point (default) or a comma.")
  private char decimal = '.';

  @Option(
      names = "--missing",
      paramLabel = "HOW",
      description =
          "What an empty cell in a column of numbers becomes: mean, of the training set's column, or"
              + " zero. Default: it is refused.")
  private MissingCells missing;

  @Option(
      names = "--image",
      paramLabel = "RxC",
      converter = ListConverters.ImageSize.class,
      description =
          "Height and width of images: pictures are brought to it, and a row of so many pixels is an"
              + " image. Default: those of the first picture, or a square.")
  private Layout.Images image;

  @Option(
      names = "--colour",
      paramLabel = "HOW",
      description = "What pictures of a folder keep: grey (default), or rgb, three inputs a pixel.")
  private Colours colour = Colours.grey;

  @Option(
      names = "--skip-bad",
      description = "Leave out pictures of a folder that cannot be read, and list them.")
  private boolean skipBad;

  @Option(
      names = "--arrays",
      paramLabel = "X,Y",
      converter = ListConverters.ArrayPair.class,
      description =
          "Names of the arrays of features and labels of a NumPy archive. Default: x_train,y_train"
              + " and other usual ones.")
  private ArrayNames arrays = ReadOptions.DEFAULT.arrays();

  /** Whether no option is given. */
  boolean areDefault() {
    return options().equals(ReadOptions.DEFAULT);
  }

  /** The options as a value. */
  ReadOptions options() {
    boolean colours = colour == Colours.rgb;
    Optional<Layout.Images> size =
        Optional.ofNullable(image)
            .map(grey -> new Layout.Images(grey.rows(), grey.cols(), colours ? 3 : 1));
    return new ReadOptions(
        Optional.ofNullable(format),
        new TableOptions(
            Optional.ofNullable(label),
            ignored.names(),
            Optional.ofNullable(weight),
            decimal,
            missing()),
        new ImageOptions(size, colours, skipBad),
        arrays);
  }

  private TableOptions.Missing missing() {
    if (missing == null) {
      return TableOptions.Missing.REFUSED;
    }
    return missing == MissingCells.mean ? TableOptions.Missing.MEAN : TableOptions.Missing.ZERO;
  }
}
