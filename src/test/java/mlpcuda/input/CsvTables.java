package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.input.ReadOptions.ImageOptions;
import mlpcuda.input.ReadOptions.TableOptions;
import mlpcuda.input.ReadOptions.TableOptions.Missing;

/** Reads tables in tests. */
final class CsvTables {
  private CsvTables() {}

  static TableOptions table() {
    return ReadOptions.DEFAULT.table();
  }

  static TableOptions label(String label) {
    return new TableOptions(Optional.of(label), Set.of(), Optional.empty(), '.', Missing.REFUSED);
  }

  static TableOptions missing(Missing missing) {
    return new TableOptions(Optional.empty(), Set.of(), Optional.empty(), '.', missing);
  }

  static TableOptions decimal(char decimal) {
    return new TableOptions(Optional.empty(), Set.of(), Optional.empty(), decimal, Missing.REFUSED);
  }

  static TableOptions ignored(String... ignored) {
    return new TableOptions(
        Optional.empty(), Set.of(ignored), Optional.empty(), '.', Missing.REFUSED);
  }

  static TableOptions weight(String weight) {
    return new TableOptions(Optional.empty(), Set.of(), Optional.of(weight), '.', Missing.REFUSED);
  }

  static ReadOptions options(TableOptions table) {
    return options(table, Optional.empty());
  }

  static ReadOptions options(TableOptions table, Optional<Layout.Images> size) {
    return new ReadOptions(
        Optional.empty(),
        table,
        new ImageOptions(size, false, false),
        ReadOptions.DEFAULT.arrays());
  }

  static Part read(Path file, TableOptions table) {
    return CsvFile.read(file, options(table), Optional.empty(), true, ReadingProgress.NONE);
  }

  static Part readKnown(Path file, Layout known, boolean labelled) {
    return CsvFile.read(
        file, ReadOptions.DEFAULT, Optional.of(known), labelled, ReadingProgress.NONE);
  }

  /** The labels of the examples, one after another. */
  static List<String> labels(Part part) {
    LabelColumn labels = part.labels().orElseThrow();
    List<String> names = new ArrayList<>();
    for (int code : labels.codes()) {
      names.add(labels.names().get(code));
    }
    return names;
  }

  static void assertRows(Part part, float[][] rows) {
    assertEquals(rows.length, part.features().size());
    assertEquals(part.layout().inputs(), part.features().width());
    for (int i = 0; i < rows.length; i++) {
      float[] row = new float[part.features().width()];
      part.features().read(i, row, 0);
      assertArrayEquals(rows[i], row, "row " + i);
    }
  }

  /** Asserts that a table is refused with one line that names the file and has those parts. */
  static void assertRefused(Path file, Runnable reading, String... parts) {
    String message = assertThrows(BadFileException.class, reading::run).getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertEquals(1, message.lines().count(), message);
    assertFalse(message.contains("--"), message);
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }
}
