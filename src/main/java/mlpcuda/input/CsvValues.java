package mlpcuda.input;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.files.OneLine;

/** Makes the values of features, labels and weights of a chunk of a table. */
final class CsvValues extends CsvPass.Work {
  /** The code of an empty label in a table that needs no labels. */
  static final int NO_LABEL = -1;

  private static final VarHandle FLOATS =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.nativeOrder());

  private static final int LONGEST_LABEL = 200;

  private final CsvShape shape;
  private final boolean hasWords;
  private byte[] values = {};
  private int[] codes = {};
  private float[] weights = {};
  private Map<String, Integer> labels;
  private List<String> names;
  private int rows;

  CsvValues(CsvShape shape) {
    this.shape = shape;
    this.hasWords = Arrays.stream(shape.features()).anyMatch(feature -> feature.words() != null);
  }

  /** The features of the rows, as {@link mlpcuda.features.FeaturesBuilder} takes them. */
  ByteBuffer features() {
    return ByteBuffer.wrap(values, 0, rows * shape.rowBytes());
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
  public boolean take(CsvRow row) {
    checkColumns(shape.head(), row);
    int at = rows * shape.rowBytes();
    int end = Math.addExact(at, shape.rowBytes());
    if (values.length < end) {
      values = Arrays.copyOf(values, grown(end));
    }
    if (hasWords) {
      Arrays.fill(values, at, end, (byte) 0);
    }
    for (CsvShape.Feature feature : shape.features()) {
      if (shape.pixels()) {
        values[at + feature.offset()] = pixel(row, feature.column(), feature.missing());
      } else if (feature.words() == null) {
        float number = number(row, feature.column(), feature.missing());
        FLOATS.set(values, at + feature.offset(), number);
      } else {
        FLOATS.set(values, at + feature.offset() + Float.BYTES * word(row, feature), 1f);
      }
    }
    if (shape.label() >= 0) {
      if (codes.length == rows) {
        codes = Arrays.copyOf(codes, grown(rows + 1));
      }
      codes[rows] = label(row, shape.label());
    }
    if (shape.weight() >= 0) {
      if (weights.length == rows) {
        weights = Arrays.copyOf(weights, grown(rows + 1));
      }
      weights[rows] = weight(row, shape.weight());
    }
    rows++;
    return true;
  }

  private static int grown(int least) {
    return (int) Math.max(least, Math.min(Integer.MAX_VALUE - 8L, Math.max(1024L, least * 3L / 2)));
  }

  private float number(CsvRow row, int column, float missing) {
    int from = row.from(column);
    int to = row.to(column, from);
    float number = CsvNumber.parse(row.text(), from, to, shape.decimal());
    if (number - number == 0) { // neither NaN nor infinite
      return number;
    }
    if (Float.isInfinite(number)) {
      throw wrong(row, column, "must be a finite number that fits into 32 bits");
    }
    if (!CsvCell.isMissing(row.text(), from, to)) {
      throw wrong(row, column, "must be a number");
    }
    if (Float.isNaN(missing)) {
      throw wrong(row, column, "must not be missing");
    }
    return missing;
  }

  private byte pixel(CsvRow row, int column, float missing) {
    int from = row.from(column);
    if (row.to(column, from) - from == 1) { // most pixels are 0
      char digit = (char) (row.text()[from] - '0');
      if (digit <= 9) {
        return (byte) digit;
      }
    }
    float value = number(row, column, missing);
    if (!isPixel(value)) {
      throw wrong(row, column, "is a pixel and must be a whole number from 0 to 255");
    }
    return (byte) (int) value;
  }

  /** Whether a number is a whole one from 0 to 255. */
  static boolean isPixel(float value) {
    return value >= 0 && value <= 255 && value == (int) value;
  }

  private float weight(CsvRow row, int column) {
    float weight = number(row, column, Float.NaN);
    if (weight < 0) {
      throw wrong(row, column, "is a weight and must be at least 0");
    }
    return weight;
  }

  private int word(CsvRow row, CsvShape.Feature feature) {
    Integer word = feature.words().get(raw(row, feature.column()));
    if (word == null) {
      throw wrong(row, feature.column(), "must be a word that the training set has");
    }
    return word;
  }

  private int label(CsvRow row, int column) {
    String raw = raw(row, column);
    Integer code = labels.get(raw);
    if (code != null) {
      return code;
    }
    if (raw.isEmpty()) {
      if (shape.labelled()) {
        throw wrong(row, column, "must hold a label");
      }
      return NO_LABEL;
    }
    String name = CsvCell.decode(raw);
    if (name == null) {
      throw wrong(row, column, "must be UTF-8");
    }
    if (name.length() > LONGEST_LABEL) {
      throw wrong(row, column, "must have %d characters at most".formatted(LONGEST_LABEL));
    }
    if (!OneLine.of(name).equals(name)) {
      throw wrong(row, column, "must have no control characters");
    }
    labels.put(raw, labels.size());
    names.add(name);
    return names.size() - 1;
  }

  private static String raw(CsvRow row, int column) {
    int from = row.from(column);
    return CsvCell.raw(row.text(), from, row.to(column, from));
  }

  private CsvRowException wrong(CsvRow row, int column, String must) {
    int from = row.from(column);
    String found = CsvCell.shown(row.text(), from, row.to(column, from));
    return new CsvRowException(
        row.line(), "%s %s, found %s".formatted(shape.head().column(column), must, found));
  }

  /** Refuses a row that does not have the table's columns. */
  static void checkColumns(CsvHead head, CsvRow row) {
    int columns = head.names().size();
    if (row.columns() != columns) {
      throw new CsvRowException(
          row.line(),
          "this row has %,d column%s, and the %s has %,d"
              .formatted(
                  row.columns(),
                  row.columns() == 1 ? "" : "s",
                  head.hasHeader() ? "header" : "first row",
                  columns));
    }
  }
}
