package mlpcuda.input;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.input.ReadOptions.TableOptions;
import mlpcuda.input.ReadOptions.TableOptions.Missing;

/**
 * Finds out, from all rows of a table, which columns hold numbers and which hold words, the words,
 * and the means of the numbers.
 */
final class CsvSurvey extends CsvPass.Work {
  /** The most different words of a column. */
  static final int MOST_WORDS = 256;

  /** What is known of a column. */
  private static final class Found {
    private Set<String> words = new HashSet<>(); // raw; null: there are too many
    private String text; // raw; the first cell that is no number; null: none
    private long line; // the line of the cell in text
    private double sum;
    private long count;

    void add(byte[] cell, int from, int to, byte decimal, int atLine) {
      float number = CsvNumber.parse(cell, from, to, decimal);
      if (!Float.isNaN(number)) {
        sum += number;
        count++;
      } else if (text == null && !CsvCell.isMissing(cell, from, to)) {
        text = CsvCell.raw(cell, from, to);
        line = atLine;
      }
      if (words != null) {
        words.add(CsvCell.raw(cell, from, to));
        words = words.size() > MOST_WORDS ? null : words;
      }
    }

    void add(Found other, long linesBefore) {
      sum += other.sum;
      count += other.count;
      if (text == null && other.text != null) {
        text = other.text;
        line = linesBefore + other.line;
      }
      if (words != null && other.words != null) {
        words.addAll(other.words);
        words = words.size() > MOST_WORDS ? null : words;
      } else {
        words = null;
      }
    }
  }

  private final CsvHead head;
  private final byte decimal;
  private final int[] features; // the indices of their columns
  private Found[] found;

  private CsvSurvey(CsvHead head, CsvPlan plan, char decimal) {
    this.head = head;
    this.decimal = (byte) decimal;
    this.features = plan.features().stream().mapToInt(Integer::intValue).toArray();
    begin();
  }

  /**
   * Looks at all rows.
   *
   * @throws CsvRowException if a row cannot be split into the columns
   * @throws mlpcuda.error.BadFileException if a column holds neither numbers nor few words
   */
  static Layout.Columns of(CsvText text, CsvHead head, CsvPlan plan, TableOptions options) {
    var all = new CsvSurvey(head, plan, options.decimal());
    CsvPass.run(
        text,
        head,
        CsvText.CHUNK_BYTES,
        () -> new CsvSurvey(head, plan, options.decimal()),
        part -> {
          for (int i = 0; i < all.features.length; i++) {
            all.found[i].add(part.found[i], part.linesBefore());
          }
        });
    List<Column> columns = new ArrayList<>();
    long inputs = 0;
    for (int i = 0; i < all.features.length; i++) {
      Column column = all.column(text, all.features[i], all.found[i], options.missing());
      columns.add(column);
      inputs += column.inputs();
    }
    if (inputs > Layout.Columns.MOST) {
      throw text.bad(
          "the words of the columns become %,d inputs, and there must be %,d at most"
              .formatted(inputs, Layout.Columns.MOST));
    }
    return new Layout.Columns(columns);
  }

  private Column column(CsvText text, int column, Found in, Missing missing) {
    String name = head.names().get(column);
    if (in.text == null) {
      if (in.count == 0 && missing == Missing.MEAN) {
        throw text.bad(
            head.column(column) + " is empty, so that there is no mean: leave the column out");
      }
      return new Column(
          name,
          List.of(),
          switch (missing) {
            case REFUSED -> Float.NaN;
            case MEAN -> (float) (in.sum / in.count);
            case ZERO -> 0;
          });
    }
    if (in.words == null) {
      throw text.bad(
          "%s has more than %d different words and numbers, such as %s in line %,d: leave the"
                  .formatted(head.column(column), MOST_WORDS, shown(in.text), in.line)
              + " column out, or make all its cells numbers");
    }
    List<String> words = new ArrayList<>();
    boolean otherDecimal = true;
    char other = decimal == ',' ? '.' : ',';
    for (String raw : in.words) {
      String word = CsvCell.decode(raw);
      if (word == null) {
        throw text.bad(
            "%s has text that is not UTF-8, %s: save the table as UTF-8"
                .formatted(head.column(column), shown(raw)));
      }
      words.add(word);
      otherDecimal &= CsvCell.isNumberOrMissing(word, other);
    }
    if (otherDecimal) {
      throw text.bad(
          "%s has numbers whose decimal separator is '%c', such as %s in line %,d: say that"
                  .formatted(head.column(column), other, shown(in.text), in.line)
              + " decimal separator");
    }
    words.sort(CsvCell.WORDS);
    return new Column(name, words, Float.NaN);
  }

  private static String shown(String raw) {
    byte[] bytes = raw.getBytes(StandardCharsets.ISO_8859_1);
    return CsvCell.shown(bytes, 0, bytes.length);
  }

  @Override
  void begin() {
    found = new Found[features.length];
    Arrays.setAll(found, i -> new Found());
  }

  @Override
  public boolean take(CsvRow row) {
    CsvValues.checkColumns(head, row);
    for (int i = 0; i < features.length; i++) {
      int from = row.from(features[i]);
      found[i].add(row.text(), from, row.to(features[i], from), decimal, row.line());
    }
    return true;
  }
}
