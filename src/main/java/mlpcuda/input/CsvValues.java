package mlpcuda.input;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.files.OneLine;

/** Makes the values of features, labels and weights of a chunk of a table. */
final class CsvValues extends CsvPass.Work {
  /** The code of an empty label in a table that needs no labels. */
  static final int NO_LABEL = -1;

  private static final VarHandle FLOATS =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.nativeOrder());

  private static final int LONGEST_LABEL = 200;

  /**
   * What becomes of the cells of a column.
   *
   * @param offset where the value lies in a row of features, in bytes
   * @param words the inputs of the words, by their {@link CsvCell#raw} bytes; null: the column
   *     holds numbers
   * @param missing the value that stands for a missing number; NaN: a missing one is refused
   */
  record Feature(int offset, Map<String, Integer> words, float missing) {}

  /**
   * What becomes of a row.
   *
   * @param features for each column of the table; null: it is no feature
   * @param rowBytes the bytes of a row of features
   * @param pixels whether features are bytes
   * @param labelled whether labels must not be empty
   */
  record Row(
      CsvHead head,
      CsvPlan plan,
      byte decimal,
      Feature[] features,
      int rowBytes,
      boolean pixels,
      boolean labelled) {
    /** The row of a layout. */
    static Row of(
        CsvHead head,
        CsvPlan plan,
        Layout layout,
        ReadOptions.TableOptions table,
        boolean labelled) {
      var features = new Feature[head.names().size()];
      boolean pixels = layout instanceof Layout.Images;
      float missing = table.missing() == ReadOptions.TableOptions.Missing.ZERO ? 0 : Float.NaN;
      int at = 0;
      for (int i = 0; i < plan.features().size(); i++) {
        Feature feature;
        if (layout instanceof Layout.Columns columns) {
          Column column = columns.columns().get(i);
          feature = new Feature(at, words(column), column.missing());
          at += Float.BYTES * column.inputs();
        } else {
          feature = new Feature(at, null, missing);
          at++;
        }
        features[plan.features().get(i)] = feature;
      }
      return new Row(head, plan, (byte) table.decimal(), features, at, pixels, labelled);
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

  private final Row row;
  private final boolean hasWords;
  private byte[] values = {};
  private int[] codes = {};
  private float[] weights = {};
  private Map<String, Integer> labels;
  private List<String> names;
  private int rows;
  private int line;
  private int at; // where the row's features begin
  private String wrong; // the first finding in the row; null: none

  CsvValues(Row row) {
    this.row = row;
    this.hasWords = Arrays.stream(row.features()).anyMatch(f -> f != null && f.words() != null);
  }

  /** The features of the rows, as {@link mlpcuda.features.FeaturesBuilder} takes them. */
  ByteBuffer features() {
    return ByteBuffer.wrap(values, 0, rows * row.rowBytes());
  }

  /** The number of rows. */
  int rows() {
    return rows;
  }

  /** The indices of the rows' labels in {@link #names}, or {@link #NO_LABEL}. */
  int[] codes() {
    return codes;
  }

  /** The labels, each once. */
  List<String> names() {
    return names;
  }

  /** The weights of the rows. */
  float[] weights() {
    return weights;
  }

  @Override
  void begin() {
    rows = 0;
    labels = new HashMap<>();
    names = new ArrayList<>();
  }

  @Override
  public void startOfRow(int lineOfRow) {
    line = lineOfRow;
    wrong = null;
    at = rows * row.rowBytes();
    int end = Math.addExact(at, row.rowBytes());
    if (values.length < end) {
      values = Arrays.copyOf(values, grown(end));
    }
    if (hasWords) {
      Arrays.fill(values, at, end, (byte) 0);
    }
    if (row.plan().label() >= 0 && codes.length == rows) {
      codes = Arrays.copyOf(codes, grown(rows + 1));
    }
    if (row.plan().weight() >= 0 && weights.length == rows) {
      weights = Arrays.copyOf(weights, grown(rows + 1));
    }
  }

  private static int grown(int least) {
    return (int) Math.max(least, Math.min(Integer.MAX_VALUE - 8L, Math.max(1024L, least * 3L / 2)));
  }

  @Override
  public void cell(int column, byte[] text, int from, int to) {
    if (column >= row.features().length) {
      return; // the end of the row refuses it
    }
    Feature feature = row.features()[column];
    if (feature == null) {
      other(column, text, from, to);
    } else if (feature.words() == null) {
      float number = number(column, text, from, to, feature.missing());
      if (row.pixels()) {
        values[at + feature.offset()] = pixel(column, number, text, from, to);
      } else {
        FLOATS.set(values, at + feature.offset(), number);
      }
    } else {
      Integer word = feature.words().get(CsvCell.raw(text, from, to));
      if (word == null) {
        wrong(column, "must be a word that the training set has", text, from, to);
      } else {
        FLOATS.set(values, at + feature.offset() + Float.BYTES * word, 1f);
      }
    }
  }

  /** Reads a cell that is no feature. */
  private void other(int column, byte[] text, int from, int to) {
    if (column == row.plan().label()) {
      codes[rows] = label(column, text, from, to);
    } else if (column == row.plan().weight()) {
      float weight = number(column, text, from, to, Float.NaN);
      if (weight < 0) {
        wrong(column, "is a weight and must be at least 0", text, from, to);
      }
      weights[rows] = weight;
    }
  }

  private float number(int column, byte[] text, int from, int to, float missing) {
    float number = CsvNumber.parse(text, from, to, row.decimal());
    if (number - number == 0) { // neither NaN nor infinite
      return number;
    }
    if (Float.isInfinite(number)) {
      wrong(column, "must be a finite number that fits into 32 bits", text, from, to);
    } else if (!CsvCell.isMissing(text, from, to)) {
      wrong(column, "must be a number", text, from, to);
    } else if (Float.isNaN(missing)) {
      wrong(column, "must not be missing", text, from, to);
    }
    return missing;
  }

  private byte pixel(int column, float value, byte[] text, int from, int to) {
    if (!isPixel(value)) {
      wrong(column, "is a pixel and must be a whole number from 0 to 255", text, from, to);
    }
    return (byte) (int) value;
  }

  /** Whether a number is a whole one from 0 to 255. */
  static boolean isPixel(float value) {
    return value >= 0 && value <= 255 && value == (int) value;
  }

  private int label(int column, byte[] text, int from, int to) {
    if (from == to) {
      if (row.labelled()) {
        wrong(column, "must hold a label", text, from, to);
      }
      return NO_LABEL;
    }
    String raw = CsvCell.raw(text, from, to);
    Integer code = labels.get(raw);
    if (code == null) {
      String name = CsvCell.decode(raw);
      if (name == null) {
        wrong(column, "must be UTF-8", text, from, to);
      } else if (name.length() > LONGEST_LABEL) {
        wrong(column, "must have %d characters at most".formatted(LONGEST_LABEL), text, from, to);
      } else if (!OneLine.of(name).equals(name)) {
        wrong(column, "must have no control characters", text, from, to);
      }
      code = labels.size();
      labels.put(raw, code);
      names.add(name);
    }
    return code;
  }

  private void wrong(int column, String must, byte[] text, int from, int to) {
    if (wrong == null) {
      String found = from == to ? "an empty cell" : '"' + CsvCell.shown(text, from, to) + '"';
      wrong = "%s %s, found %s".formatted(row.head().column(column), must, found);
    }
  }

  @Override
  public boolean endOfRow(int columns) {
    checkColumns(row.head(), columns, line);
    if (wrong != null) {
      throw new CsvRowException(line, wrong);
    }
    rows++;
    return true;
  }

  /** Refuses a row that does not have the table's columns. */
  static void checkColumns(CsvHead head, int columns, int line) {
    if (columns != head.names().size()) {
      throw new CsvRowException(
          line,
          "this row has %,d column%s, and the %s has %,d"
              .formatted(
                  columns,
                  columns == 1 ? "" : "s",
                  head.hasHeader() ? "header" : "first row",
                  head.names().size()));
    }
  }
}
