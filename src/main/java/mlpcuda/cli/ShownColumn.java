package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.features.Features;
import mlpcuda.files.OneLine;
import mlpcuda.report.Tables;

/**
 * A column of a table that {@code inspect} shows.
 *
 * @param input the number of the column's first input, from 0
 * @param range the range of a column of numbers; empty: the column has words
 */
record ShownColumn(Column column, int input, Optional<ValueRange> range) {
  /** The most columns of a table, and words of a column, that are shown. */
  private static final int SHOWN = 20;

  private static final int NAME = 24; // characters of a name in a table
  private static final String ROW = "%-" + NAME + "s %12s %12s %12s";

  /** The heads of the columns of {@link #line}. */
  static final String HEADER = ROW.formatted("column", "least", "mean", "most");

  /** The first columns of a table. */
  static List<ShownColumn> first(Layout.Columns table, Features features) {
    List<Column> some = table.columns().subList(0, Math.min(SHOWN, table.columns().size()));
    ValueRange[] ranges = ValueRange.of(features, some.stream().mapToInt(Column::inputs).sum());
    var shown = new ArrayList<ShownColumn>();
    int input = 0;
    for (Column column : some) {
      boolean numbers = column.words().isEmpty();
      shown.add(
          new ShownColumn(column, input, numbers ? Optional.of(ranges[input]) : Optional.empty()));
      input += column.inputs();
    }
    return shown;
  }

  /** The name, and the range or the words. */
  String line() {
    String name = cut(column.name());
    if (range.isEmpty()) {
      return ("%-" + NAME + "s %s").formatted(name, words());
    }
    return ROW.formatted(
        name,
        ValueRange.text(range.get().least()),
        ValueRange.text(range.get().mean()),
        ValueRange.text(range.get().most()));
  }

  private String words() {
    List<String> all = column.words();
    String some = all.stream().limit(SHOWN).map(ShownColumn::cut).collect(Collectors.joining(", "));
    return "%s: %s%s"
        .formatted(Tables.count(all.size(), "word"), some, all.size() > SHOWN ? ", …" : "");
  }

  /**
   * The value of the column, a number or a word, in an example.
   *
   * @param inputs (I), the example's
   */
  Object value(float[] inputs) {
    List<String> words = column.words();
    if (words.isEmpty()) {
      return inputs[input];
    }
    for (int i = 0; i < words.size(); i++) {
      if (inputs[input + i] == 1) {
        return words.get(i);
      }
    }
    return ""; // a word that the training set's column does not have
  }

  /** The column for JSON. */
  Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("name", column.name());
    if (range.isPresent()) {
      json.putAll(range.get().json());
    } else {
      json.put("words", column.words());
    }
    return json;
  }

  /** Cuts a name to what a table has room for. */
  static String cut(String name) {
    return OneLine.start(name, NAME - 1);
  }
}
