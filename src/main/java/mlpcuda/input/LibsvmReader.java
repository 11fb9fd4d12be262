package mlpcuda.input;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import mlpcuda.data.Column;
import mlpcuda.data.GzipInput;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import mlpcuda.features.Features.Type;
import mlpcuda.features.FeaturesBuilder;
import mlpcuda.files.InputFile;
import mlpcuda.files.Reason;

/**
 * Reads examples in LIBSVM's format, plain or gzip: lines of {@code label index:value …}. Values
 * that a line leaves out are 0. The rows become dense, with a column for each index, and so the
 * number of columns and of all values is limited.
 *
 * <p>Indices count from 1 on, as LIBSVM's do; where the index 0 occurs anywhere in the training
 * set, they count from 0 on, as scikit-learn writes them. The columns are named by their indices.
 */
public final class LibsvmReader {
  private static final int MOST_COLUMNS = ArrayFeatures.MOST_COLUMNS;

  /** The most values of all rows, which take 32 GiB. */
  private static final long MOST_VALUES = 1L << 33;

  private static final int ROWS_PER_MESSAGE = 1000;

  /** Opens the text, which is read twice: the first time to find the number of columns. */
  private interface Text {
    InputStream open() throws IOException;
  }

  private final String name;
  private final Text text;
  private final ReadingProgress progress;
  private int rows;
  private int least = Integer.MAX_VALUE; // the smallest index that occurs
  private int largest = -1; // the largest index that occurs

  private LibsvmReader(String name, Text text, ReadingProgress progress) {
    this.name = name;
    this.text = text;
    this.progress = progress;
  }

  /**
   * Reads a file, or standard input for {@code -}.
   *
   * @param known the columns of the training set that this set belongs to, as this reader found
   *     them; empty: the largest index tells the number of columns
   * @param progress is told the rows, twice
   * @throws BadFileException if a line is malformed, or has an index beyond the known columns
   */
  public static Part read(Path file, Optional<Layout.Columns> known, ReadingProgress progress) {
    String name = InputFile.name(file);
    if (InputFile.isFolder(file)) {
      throw new BadFileException(name + ": this is a folder, not a file in LIBSVM's format");
    }
    try {
      Text text = () -> GzipInput.open(file);
      if (InputFile.isStream(file)) {
        byte[] all;
        try (InputStream in = GzipInput.open(file)) {
          all = in.readAllBytes();
        }
        text = () -> new ByteArrayInputStream(all);
      }
      return new LibsvmReader(name, text, progress).read(known);
    } catch (IOException e) {
      throw Reason.unreadable(name, e);
    }
  }

  private Part read(Optional<Layout.Columns> known) throws IOException {
    int base;
    Layout.Columns columns;
    if (known.isPresent()) {
      columns = known.get();
      base = columns.columns().get(0).name().equals("0") ? 0 : 1;
      measure(base + columns.columns().size() - 1);
      if (least < base) {
        throw bad("the index 0 occurs, and the training set's indices begin with 1");
      }
    } else {
      measure(MOST_COLUMNS);
      if (largest < 0) {
        throw bad("no example has a value");
      }
      base = least == 0 ? 0 : 1;
      columns =
          new Layout.Columns(
              IntStream.rangeClosed(base, largest).mapToObj(i -> Column.numbers("" + i)).toList());
    }
    int width = columns.inputs();
    if ((long) rows * width > MOST_VALUES) {
      throw bad(
          "%,d rows of %,d columns are %,d values, and %,d can be held"
              .formatted(rows, width, (long) rows * width, MOST_VALUES));
    }
    return rows(columns, base);
  }

  /** Reads the text for the first time, and counts rows and indices; values are parsed later. */
  private void measure(int mostIndex) throws IOException {
    try (InputStream in = text.open()) {
      var lines = new LibsvmLines(name, in, mostIndex, false);
      while (lines.next()) {
        rows = Math.addExact(rows, 1);
        if (lines.count() > 0) {
          least = Math.min(least, lines.indices()[0]);
          largest = Math.max(largest, lines.indices()[lines.count() - 1]);
        }
        if (rows % ROWS_PER_MESSAGE == 0) {
          progress.at(rows, 0);
        }
      }
    }
    if (rows == 0) {
      throw bad("the file has no examples");
    }
  }

  private Part rows(Layout.Columns columns, int base) throws IOException {
    int width = columns.inputs();
    var labels = new LabelCollector(name);
    float[] row = new float[width];
    try (InputStream in = text.open();
        var builder = new FeaturesBuilder(Type.FLOAT32, width)) {
      var lines = new LibsvmLines(name, in, base + width - 1, true);
      while (builder.size() < rows && lines.next()) {
        Arrays.fill(row, 0);
        for (int i = 0; i < lines.count(); i++) {
          row[lines.indices()[i] - base] = lines.values()[i];
        }
        builder.add(row, 1);
        labels.add(lines.label());
        if (builder.size() % ROWS_PER_MESSAGE == 0) {
          progress.at(builder.size(), rows);
        }
      }
      Features features = builder.build();
      return new Part(name, columns, features, Optional.of(labels.build()));
    }
  }

  private BadFileException bad(String finding) {
    return new BadFileException(name + ": " + finding);
  }
}
