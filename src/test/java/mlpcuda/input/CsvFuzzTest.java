package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.input.ReadOptions.TableOptions;
import mlpcuda.input.ReadOptions.TableOptions.Missing;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random and damaged tables are read or refused with one line; nothing else happens. */
class CsvFuzzTest {
  private static final String[] PIECES = {
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    "\"",
    "\"\"",
    " ",
    "label",
    "class",
    "y",
    "pixel0",
    "1x1",
    "a",
    "b",
    "1",
    "0",
    "-2.5",
    "1e3",
    "1e99",
    ".5",
    "NaN",
    "inf",
    "NA",
    "?",
    "é",
    "\u0000",
    "\ufeff",
    "256",
    "1,5",
    "\"x, y\"",
    "\"two\nlines\"",
    "12345678901234567890.5",
  };

  private static final Layout KNOWN =
      new Layout.Columns(
          List.of(Column.numbers("a"), new Column("b", List.of("1", "2"), Float.NaN)));

  @TempDir Path tmp;

  @Test
  void someTables() throws IOException {
    fuzz(new Random(1), 600);
  }

  @Test
  @Tag("long")
  void manyTables() throws IOException {
    fuzz(new Random(2), 10_000);
  }

  private void fuzz(Random random, int count) throws IOException {
    int read = 0;
    for (int i = 0; i < count; i++) {
      byte[] text = random.nextInt(3) == 0 ? random(random) : mutated(random);
      Path file = tmp.resolve("table.csv");
      Files.write(file, random.nextInt(8) == 0 ? gzip(random, text) : text);
      try {
        check(read(random, file), text);
        read++;
      } catch (BadFileException e) {
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
      } catch (RuntimeException | Error e) {
        fail("table " + i + ": " + new String(text, StandardCharsets.ISO_8859_1), e);
      }
    }
    int all = read;
    assertTrue(all > count / 20, () -> all + " of " + count + " were read: the others are too bad");
    assertTrue(all < count * 19 / 20, () -> all + " of " + count + " were read");
  }

  private static Part read(Random random, Path file) {
    Optional<String> label =
        random.nextInt(3) == 0 ? Optional.empty() : Optional.of(1 + random.nextInt(3) + "");
    var table =
        new TableOptions(
            label,
            random.nextInt(4) == 0 ? Set.of("2") : Set.of(),
            random.nextInt(6) == 0 ? Optional.of("1") : Optional.empty(),
            random.nextInt(4) == 0 ? ',' : '.',
            Missing.values()[random.nextInt(3)]);
    Optional<Layout.Images> size =
        random.nextInt(6) == 0 ? Optional.of(Layout.Images.grey(1, 2)) : Optional.empty();
    Optional<Layout> known =
        switch (random.nextInt(8)) {
          case 0 -> Optional.of(KNOWN);
          case 1 -> Optional.of(Layout.Images.grey(1, 2));
          default -> Optional.empty();
        };
    var options = CsvTables.options(table, size);
    return CsvFile.read(file, options, known, random.nextBoolean(), ReadingProgress.NONE);
  }

  private static void check(Part part, byte[] text) {
    int size = part.features().size();
    assertTrue(size >= 1 && size <= text.length);
    assertEquals(part.layout().inputs(), part.features().width());
    part.labels().ifPresent(labels -> assertEquals(size, labels.codes().length));
    part.weights().ifPresent(weights -> assertEquals(size, weights.length));
    float[] row = new float[part.features().width()];
    for (int i = 0; i < size; i++) {
      part.features().read(i, row, 0);
      for (float value : row) {
        assertTrue(Float.isFinite(value));
      }
    }
  }

  private static byte[] random(Random random) {
    var text = new StringBuilder();
    for (int i = random.nextInt(60); i >= 0; i--) {
      text.append(PIECES[random.nextInt(PIECES.length)]);
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** A table with a few bytes changed, taken out or put in. */
  private static byte[] mutated(Random random) {
    var text = new StringBuilder(random.nextBoolean() ? "a,b,label\n" : "label,pixel0,pixel1\n");
    for (int i = random.nextInt(20); i >= 0; i--) {
      String word =
          random.nextInt(4) == 0 ? "\"" + random.nextInt(3) + "\"" : "" + random.nextInt(9);
      text.append(random.nextInt(300)).append(',').append(word).append(",2\n");
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(bytes.length);
      String piece = PIECES[random.nextInt(PIECES.length)];
      var changed = new ByteArrayOutputStream();
      changed.write(bytes, 0, at);
      changed.writeBytes(
          random.nextBoolean()
              ? piece.getBytes(StandardCharsets.UTF_8)
              : new byte[] {(byte) random.nextInt(256)});
      int from = Math.min(bytes.length, at + random.nextInt(3));
      changed.write(bytes, from, bytes.length - from);
      bytes = changed.toByteArray();
    }
    return bytes;
  }

  /** A gzip file, of which every second one is damaged. */
  private static byte[] gzip(Random random, byte[] text) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(bytes)) {
      gzip.write(text);
    }
    byte[] file = bytes.toByteArray();
    if (random.nextBoolean()) {
      file[random.nextInt(file.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return file;
  }

  /** Without quotes a table is split by this package, with quotes by FastCSV: the result is one. */
  @Test
  void quotesChangeNothing() throws IOException {
    var random = new Random(3);
    Path file = tmp.resolve("table.csv");
    for (int i = 0; i < 200; i++) {
      var plain = new StringBuilder("a,b,label\n");
      var quoted = new StringBuilder("\"a\",b,label\n");
      for (int row = random.nextInt(10); row >= 0; row--) {
        String a = Double.toString(random.nextGaussian());
        String b = PIECES[10 + random.nextInt(9)];
        String end = random.nextBoolean() ? "\n" : random.nextBoolean() ? "\r" : "\r\n\n";
        plain.append(a).append(" ,").append(b).append(",l").append(row).append(end);
        quoted.append('"').append(a).append("\",\"").append(b).append("\",l").append(row);
        quoted.append(end);
      }
      Part one = CsvTables.read(Files.writeString(file, plain), CsvTables.table());
      Part other = CsvTables.read(Files.writeString(file, quoted), CsvTables.table());
      assertEquals(one.layout(), other.layout());
      assertEquals(CsvTables.labels(one), CsvTables.labels(other));
      float[][] rows = new float[one.features().size()][one.features().width()];
      for (int row = 0; row < rows.length; row++) {
        one.features().read(row, rows[row], 0);
      }
      CsvTables.assertRows(other, rows);
    }
  }
}
