package mlpcuda.input;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.input.ReadOptions.TableOptions;
import mlpcuda.input.ReadOptions.TableOptions.Missing;

/**
 * What the cells of a row become.
 *
 * @param head the names of the columns, for messages
 * @param features the columns of features, in the order of the inputs
 * @param rowBytes the bytes of a row of features
 * @param pixels whether features are bytes, not floats
 * @param decimal the decimal separator
 * @param label the index of the column of labels; -1: there is none
 * @param labelled whether labels must not be empty
 * @param weight the index of the column of weights; -1: there is none
 */
record CsvShape(
    CsvHead head,
    Feature[] features,
    int rowBytes,
    boolean pixels,
    byte decimal,
    int label,
    boolean labelled,
    int weight) {
  /**
   * What the cells of a column become.
   *
   * @param column the index of the column
   * @param offset where the value lies in a row of features, in bytes
   * @param words the inputs of the words, by their {@link CsvCell#raw} bytes; null: the column
   *     holds numbers
   * @param missing the value that stands for a missing number; NaN: a missing one is refused
   */
  record Feature(int column, int offset, Map<String, Integer> words, float missing) {}

  /** The shape that gives examples of a layout. */
  static CsvShape of(
      CsvHead head, CsvPlan plan, Layout layout, TableOptions table, boolean labelled) {
    List<Integer> indices = plan.features();
    var features = new Feature[indices.size()];
    boolean pixels = layout instanceof Layout.Images;
    float missing = table.missing() == Missing.ZERO ? 0 : Float.NaN;
    int at = 0;
    for (int i = 0; i < features.length; i++) {
      if (layout instanceof Layout.Columns columns) {
        Column column = columns.columns().get(i);
        features[i] = new Feature(indices.get(i), at, words(column), column.missing());
        at += Float.BYTES * column.inputs();
      } else {
        features[i] = new Feature(indices.get(i), at, null, missing);
        at++;
      }
    }
    return new CsvShape(
        head, features, at, pixels, (byte) table.decimal(), plan.label(), labelled, plan.weight());
  }

  private static Map<String, Integer> words(Column column) {
    if (column.words().isEmpty()) {
      return null;
    }
    Map<String, Integer> words = new HashMap<>();
    for (String word : column.words()) {
      byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
      words.put(CsvCell.raw(bytes, 0, bytes.length), words.size());
    }
    return words;
  }
}
