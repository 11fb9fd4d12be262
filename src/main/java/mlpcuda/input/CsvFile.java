package mlpcuda.input;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.input.ReadOptions.TableOptions.Missing;

/**
 * Reads tables of separated values, plain or gzip: each row is an example.
 *
 * <p>A column of numbers becomes one input. A column of words becomes one input for each word, at
 * most 256 of them; an empty cell is a word there. In a column of numbers an empty cell, NA, N/A,
 * NaN, null or ? is a missing number. Columns whose names are those of pixels, or as many columns
 * as a picture has that an option names, become pictures.
 */
public final class CsvFile {
  private CsvFile() {}

  /**
   * Reads a table.
   *
   * @param file the file; {@code -} stands for standard input
   * @param known the layout of a training set or a model, which the table must have
   * @param labelled whether the table must have labels; if not, the column of labels may be absent,
   *     and one with an empty cell counts as absent
   * @param progress is told how many bytes of how many were read, the latter 0 if it is not known;
   *     begins anew if the table must be read a second time
   * @throws BadFileException if the file is not such a table; the message has the line and column
   * @throws java.io.UncheckedIOException if there is no space for the features
   */
  public static Part read(
      Path file,
      ReadOptions options,
      Optional<Layout> known,
      boolean labelled,
      ReadingProgress progress) {
    try (CsvText text = CsvText.of(file, progress)) {
      return read(text, options, known, labelled);
    }
  }

  private static Part read(
      CsvText text, ReadOptions options, Optional<Layout> known, boolean labelled) {
    var table = options.table();
    var head = CsvHead.read(text, table.decimal(), CsvPlan.names(table, known));
    var plan = CsvPlan.of(text, head, options, known, labelled);
    try {
      if (plan.layout().isPresent()) {
        return CsvExamples.read(text, head, plan, plan.layout().get(), table, labelled);
      }
      boolean numbers =
          table.missing() != Missing.MEAN
              && plan.features().stream().allMatch(i -> head.seemsNumbers(i, table.decimal()));
      if (numbers) {
        try {
          Layout.Columns columns = numbers(head, plan, table.missing());
          return CsvExamples.read(text, head, plan, columns, table, labelled);
        } catch (CsvRowException e) {
          // A column that seemed to hold numbers may hold words: all rows have to be looked at.
        }
      }
      Layout.Columns columns = CsvSurvey.of(text, head, plan, table);
      return CsvExamples.read(text, head, plan, columns, table, labelled);
    } catch (CsvRowException e) {
      throw text.bad(e);
    }
  }

  /** Columns that all hold numbers. */
  private static Layout.Columns numbers(CsvHead head, CsvPlan plan, Missing missing) {
    float value = missing == Missing.ZERO ? 0 : Float.NaN;
    return new Layout.Columns(
        plan.features().stream()
            .map(i -> new Column(head.names().get(i), List.of(), value))
            .toList());
  }
}
