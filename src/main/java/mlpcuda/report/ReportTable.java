package mlpcuda.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import mlpcuda.data.Column;
import mlpcuda.data.ColumnMoments;
import mlpcuda.data.ExampleSet;
import mlpcuda.data.Layout;
import mlpcuda.files.OneLine;

/** The training rows of a report on a table: the first of them, and the range of each column. */
final class ReportTable {
  /** The most columns that are shown. */
  private static final int MOST_COLUMNS = 50;

  /** The number of rows that are shown. */
  private static final int ROWS = 10;

  /** The most words of a column that are shown. */
  private static final int WORDS = 5;

  /** The most letters of a name or a word that are shown. */
  private static final int LETTERS = 40;

  private ReportTable() {}

  /**
   * Reads all rows once, which takes its time for a large set.
   *
   * @param train the training set
   * @param layout the columns of the training set
   */
  static Map<String, Object> json(ExampleSet train, Layout.Columns layout) {
    ColumnMoments moments = ColumnMoments.of(train.features());
    List<Column> all = layout.columns();
    List<Column> shown = all.subList(0, Math.min(MOST_COLUMNS, all.size()));
    var columns = new ArrayList<Map<String, Object>>();
    int from = 0;
    for (Column column : shown) {
      columns.add(column(column, moments, from));
      from += column.inputs();
    }
    var rows = new ArrayList<List<Object>>();
    float[] inputs = new float[train.inputs()];
    for (int example = 0; example < Math.min(ROWS, train.size()); example++) {
      train.features().read(example, inputs, 0);
      rows.add(row(shown, inputs));
    }
    var json = new LinkedHashMap<String, Object>();
    json.put("count", all.size());
    json.put("size", train.size());
    json.put("columns", columns);
    json.put("rows", rows);
    json.put("labels", IntStream.range(0, rows.size()).mapToObj(train::label).toList());
    return json;
  }

  private static Map<String, Object> column(Column column, ColumnMoments moments, int from) {
    var json = new LinkedHashMap<String, Object>();
    json.put("name", start(column.name()));
    if (column.words().isEmpty()) {
      json.put("least", moments.least(from));
      json.put("most", moments.most(from));
      json.put("mean", moments.mean(from));
    } else {
      json.put("words", column.words().stream().limit(WORDS).map(ReportTable::start).toList());
      json.put("count", column.words().size());
    }
    return json;
  }

  private static String start(String text) {
    return OneLine.start(text, LETTERS);
  }

  /** The values of a row: a number or a word each, or nothing where none of the words stands. */
  private static List<Object> row(List<Column> columns, float[] inputs) {
    var row = new ArrayList<Object>();
    int from = 0;
    for (Column column : columns) {
      row.add(column.words().isEmpty() ? (Object) inputs[from] : word(column, inputs, from));
      from += column.inputs();
    }
    return row;
  }

  private static String word(Column column, float[] inputs, int from) {
    for (int w = 0; w < column.words().size(); w++) {
      if (inputs[from + w] != 0) {
        return start(column.words().get(w));
      }
    }
    return "";
  }
}
