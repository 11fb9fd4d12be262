package mlpcuda.input;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import mlpcuda.data.FileKind;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;

/**
 * What the first rows of a table tell: the separator, the columns' names, and which columns seem to
 * hold numbers.
 *
 * <p>The separator is the comma, semicolon, tab or bar that splits the first rows into equally many
 * cells, and into most of them. The first row is a header if one of its cells is text and all cells
 * below that are numbers, or if its cells are all different and one of them is a usual name: that
 * of a column of labels, of a pixel, of a column that an option names, or of a column of the model.
 *
 * @param separator the separator
 * @param hasHeader whether the first row is a header
 * @param names the names of the columns; without a header their numbers from 1 on
 * @param rows the first rows after the header
 */
record CsvHead(char separator, boolean hasHeader, List<String> names, List<String[]> rows) {
  /** The usual names of the column of labels, the most usual first. */
  static final List<String> LABELS = List.of("label", "class", "target", "species", "y");

  /** The names of pixels: pixel0, or row and column, such as 1x1. */
  static final Pattern PIXEL = Pattern.compile("(?i)(?:pixel_?(\\d{1,7})|(\\d{1,5})x(\\d{1,5}))");

  private static final char[] SEPARATORS = {',', ';', '\t', '|'};
  private static final int MOST_ROWS = 1000;
  private static final int MOST_CELLS = 1 << 21;
  private static final int ROWS_FOR_SEPARATOR = 100;

  /**
   * Reads the first rows.
   *
   * @param decimal the decimal separator
   * @param usual the names by which a header is known, besides those of labels and pixels
   * @throws BadFileException if the file is no table or has no row besides a header
   */
  static CsvHead read(CsvText text, char decimal, Set<String> usual) {
    var chunk = new CsvChunk();
    for (int bytes = CsvText.CHUNK_BYTES; ; bytes *= 2) {
      byte[] start = text.start(bytes);
      boolean whole = start.length < bytes - 3; // without a mark
      checkKind(text, start);
      System.arraycopy(start, 0, chunk.reserve(start.length), 0, start.length);
      char separator = separator(chunk, start.length, whole, decimal);
      int end =
          whole ? start.length : CsvChunk.endOfRow(chunk.text(), 0, start.length, separator, true);
      if (end >= 0) {
        chunk.set(0, end);
        List<String[]> rows = rows(text, chunk, separator);
        return of(text, separator, rows, decimal, usual, whole);
      }
      if (bytes >= CsvText.MOST_ROW_BYTES) {
        throw text.bad(new CsvRowException(1, CsvText.tooLong(chunk.isQuoted())));
      }
    }
  }

  /** Refuses files that are no text of UTF-8. */
  private static void checkKind(CsvText text, byte[] start) {
    if (start.length >= 2 && (start[0] & 0xff) + (start[1] & 0xff) == 0xfe + 0xff) {
      throw text.bad("this is UTF-16, and tables are read as UTF-8: save the table as UTF-8");
    }
    byte[] first = Arrays.copyOf(start, Math.min(start.length, FileKind.START_BYTES));
    String kind = FileKind.of("", first);
    boolean binary = false;
    for (byte c : first) {
      binary |= c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f';
    }
    boolean named = !kind.endsWith("text");
    if (binary || kind.startsWith("an HTML") || kind.startsWith("a Git LFS")) {
      throw text.bad("this is %s, not a table".formatted(named ? kind : "a file of another kind"));
    }
  }

  private static char separator(CsvChunk chunk, int length, boolean whole, char decimal) {
    char best = decimal == ',' ? ';' : ',';
    int most = 1;
    int mostOfFirst = 1;
    for (char separator : SEPARATORS) {
      if (separator == decimal) {
        continue;
      }
      int end = whole ? length : CsvChunk.endOfRow(chunk.text(), 0, length, separator, true);
      if (end < 0) {
        continue;
      }
      chunk.set(0, end);
      int[] counts = counts(chunk, separator);
      int least = counts.length == 0 ? 0 : Arrays.stream(counts).min().getAsInt();
      boolean equal = Arrays.stream(counts).allMatch(count -> count == least);
      int columns = equal ? least : 1;
      int first = counts.length == 0 ? 0 : counts[0];
      if (columns > most || most == 1 && columns == 1 && first > mostOfFirst) {
        best = separator;
        most = columns;
        mostOfFirst = first;
      }
    }
    return best;
  }

  /** The number of cells of each of the first rows. */
  private static int[] counts(CsvChunk chunk, char separator) {
    List<Integer> counts = new ArrayList<>();
    try {
      CsvRows.read(
          chunk,
          separator,
          row -> {
            counts.add(row.columns());
            return counts.size() < ROWS_FOR_SEPARATOR;
          });
    } catch (CsvRowException e) {
      return new int[0];
    }
    return counts.stream().mapToInt(Integer::intValue).toArray();
  }

  private static String[] cells(CsvRow row) {
    String[] cells = new String[row.columns()];
    for (int i = 0; i < cells.length; i++) {
      int from = row.from(i);
      cells[i] = new String(row.text(), from, row.to(i, from) - from, StandardCharsets.UTF_8);
    }
    return cells;
  }

  private static List<String[]> rows(CsvText text, CsvChunk chunk, char separator) {
    List<String[]> rows = new ArrayList<>();
    try {
      CsvRows.read(
          chunk,
          separator,
          row -> {
            rows.add(cells(row));
            return rows.size() < MOST_ROWS && rows.size() * (long) row.columns() < MOST_CELLS;
          });
    } catch (CsvRowException e) {
      throw text.bad(e);
    }
    return rows;
  }

  private static CsvHead of(
      CsvText text,
      char separator,
      List<String[]> rows,
      char decimal,
      Set<String> usual,
      boolean whole) {
    if (rows.isEmpty()) {
      throw text.bad("this is an empty file, not a table");
    }
    String[] first = rows.get(0);
    if (first.length > Layout.Columns.MOST) {
      throw text.bad(
          "a table must have %,d columns at most, found %,d"
              .formatted(Layout.Columns.MOST, first.length));
    }
    List<String[]> below = List.copyOf(rows.subList(1, rows.size()));
    if (!isHeader(first, below, decimal, usual)) {
      List<String> numbers = new ArrayList<>();
      for (int i = 1; i <= first.length; i++) {
        numbers.add(Integer.toString(i));
      }
      return new CsvHead(separator, false, List.copyOf(numbers), List.copyOf(rows));
    }
    if (below.isEmpty() && whole) {
      throw text.bad("the table has a header and no rows");
    }
    checkNames(text, first);
    return new CsvHead(separator, true, List.of(first), below);
  }

  private static boolean isHeader(
      String[] first, List<String[]> below, char decimal, Set<String> usual) {
    boolean known = false;
    for (int i = 0; i < first.length; i++) {
      String name = first[i];
      if (!CsvCell.isNumberOrMissing(name, decimal) && allNumbers(below, i, decimal)) {
        return true;
      }
      boolean isUsual =
          LABELS.contains(name.toLowerCase(Locale.ROOT))
              || PIXEL.matcher(name).matches()
              || usual.contains(name);
      int column = i;
      known |=
          isUsual
              && below.stream().noneMatch(row -> column < row.length && row[column].equals(name));
    }
    return known && new HashSet<>(List.of(first)).size() == first.length;
  }

  private static boolean allNumbers(List<String[]> rows, int column, char decimal) {
    boolean any = false;
    for (String[] row : rows) {
      if (column >= row.length || !CsvCell.isNumberOrMissing(row[column], decimal)) {
        return false;
      }
      any |= !CsvCell.isMissing(row[column]);
    }
    return any;
  }

  /** Whether the cells of a column in the first rows are all numbers, or missing ones. */
  boolean seemsNumbers(int column, char decimal) {
    return rows.stream()
        .allMatch(row -> column >= row.length || CsvCell.isNumberOrMissing(row[column], decimal));
  }

  private static void checkNames(CsvText text, String[] names) {
    Map<String, Integer> columns = new HashMap<>();
    for (int i = 0; i < names.length; i++) {
      if (names[i].indexOf('\ufffd') >= 0) {
        throw text.bad(
            "the name of column %d is not UTF-8: save the table as UTF-8".formatted(i + 1));
      }
      Integer other = columns.putIfAbsent(names[i], i);
      if (other != null && !names[i].isEmpty()) {
        throw text.bad(
            "columns %d and %d have the same name, %s: rename one"
                .formatted(other + 1, i + 1, quoted(names[i])));
      }
    }
  }

  /** The column's name or number, for messages: {@code column "age"} or {@code column 3}. */
  String column(int column) {
    String name = names.get(column);
    return hasHeader && !name.isEmpty() ? "column " + quoted(name) : "column " + (column + 1);
  }

  /** The names of columns, for messages; of many only the first ones. */
  static String list(List<String> names) {
    int shown = Math.min(names.size(), names.size() > 12 ? 10 : 12);
    var parts = new ArrayList<>(names.subList(0, shown).stream().map(CsvHead::quoted).toList());
    if (shown < names.size()) {
      parts.add("… (%,d)".formatted(names.size()));
    }
    return parts.isEmpty() ? "none" : String.join(", ", parts);
  }

  private static String quoted(String name) {
    return '"' + OneLine.start(name, 40) + '"';
  }
}
