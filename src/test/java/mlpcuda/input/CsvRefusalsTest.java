package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.Column;
import mlpcuda.data.Layout;
import mlpcuda.error.BadFileException;
import mlpcuda.input.ReadOptions.TableOptions;
import mlpcuda.input.ReadOptions.TableOptions.Missing;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is no table, and what a message says about it. */
class CsvRefusalsTest {
  private static final Layout KNOWN =
      new Layout.Columns(
          List.of(Column.numbers("a"), new Column("t", List.of("u", "v"), Float.NaN)));

  @TempDir Path tmp;
  private Path file;

  @BeforeEach
  void name() {
    file = tmp.resolve("table.csv");
  }

  private void write(byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void assertRefused(String text, TableOptions table, String... parts) {
    write(text.getBytes(StandardCharsets.UTF_8));
    CsvTables.assertRefused(file, () -> CsvTables.read(file, table), parts);
  }

  private static Arguments table(String text, String... parts) {
    return arguments(text, List.of(parts));
  }

  static Stream<Arguments> tables() {
    return Stream.of(
        table("a,b,label\n1,2,x\n1,x\n", "line 3: this row has 2 columns, and the header has 3"),
        table("a,b,label\r\n1,2,x\r\n\r\n1,2,x,4\r\n", "line 4: this row has 4 columns"),
        table("a,label\n1,x\n\"1\n\",y,z\n", "line 3: this row has 3 columns"),
        table("a,b,a,label\n1,2,3,x\n", "columns 1 and 3 have the same name, \"a\""),
        table(",b,label\n0,2,x\n", "column 1 has no name in the header"),
        table("", "empty file"),
        table("\n\n\r\n", "empty file"),
        table("\ufeff", "empty file"),
        table("a,b,label\n", "a header and no rows"),
        table(
            "a,label\n1,x\n,y\n", "line 3: column \"a\" must not be missing, found an empty cell"),
        table("a,label\n1,x\nNaN,y\n", "line 3: column \"a\" must not be missing, found \"NaN\""),
        table("a,label\n1,x\n-inf,y\n", "line 3: column \"a\" must be a finite number"),
        table(
            "a,label\n1,x\n1e39,y\n",
            "must be a finite number that fits into 32 bits, found \"1e39\""),
        table("a,label\n1,x\n2,\n", "line 3: column \"label\" must hold a label"),
        table(
            "a,label\n" + "1,x\n".repeat(200) + "1,x\u0007\n",
            "column \"label\" must have no control characters"),
        table("a,label\n1," + "x".repeat(201) + "\n", "must have 200 characters at most"),
        table("label\nx\ny\n", "no columns of features"),
        table("a,b\n1,2\n", "name the column of labels", "\"a\", \"b\""),
        table("a,label\n\"1,x\n", "line 2: a quote in this row is not closed"),
        table("a,label\n\"1\"2,x\n", "line 2: a quote in this row is not closed, or text stands"),
        table("\"a\",label\n1,x\n\n\"3\n3\",y\n\"1\"2,x\n", "line 6: a quote"),
        table(
            "label,pixel0\n" + "1,0\n".repeat(2000) + "2,256\n",
            "line 2,002: column \"pixel0\" is a pixel and must be a whole number from 0 to 255,"
                + " found \"256\""),
        table("label,pixel0,pixel1\n1,0,9\n", "2 columns of pixels are no square"),
        table("a;label\n1,5;x\n2,5;y\n", "decimal separator is ','", "\"1,5\" in line 2"),
        table("<!DOCTYPE html><html>", "this is an HTML page, not a table"));
  }

  @ParameterizedTest
  @MethodSource("tables")
  void whatIsNoTable(String text, List<String> parts) {
    assertRefused(text, CsvTables.table(), parts.toArray(String[]::new));
  }

  @Test
  void optionsThatDoNotFit() {
    String text = "a,b,label\n1,-2,x\n";
    assertRefused(text, CsvTables.label("c"), "the column of labels, \"c\", is not in the table");
    assertRefused(text, CsvTables.label("4"), "\"4\"", "\"a\", \"b\", \"label\"");
    assertRefused(text, CsvTables.ignored("c"), "the column to leave out, \"c\",");
    assertRefused(text, CsvTables.weight("c"), "the column of weights, \"c\",");
    assertRefused(text, CsvTables.weight("b"), "line 2: column \"b\" is a weight", "found \"-2\"");
    assertRefused(text, CsvTables.weight("label"), "both labels and weights");
    assertRefused("a,label\nNA,x\n,y\n", CsvTables.missing(Missing.MEAN), "column \"a\" is empty");
    write("label,a\n1,2\n".getBytes(StandardCharsets.UTF_8));
    var size = CsvTables.options(CsvTables.table(), Optional.of(Layout.Images.grey(2, 2)));
    CsvTables.assertRefused(
        file,
        () -> CsvFile.read(file, size, Optional.empty(), true, ReadingProgress.NONE),
        "pictures of 2x2 need 4 columns of pixels, found 1");
  }

  @Test
  void manyWords() {
    var text = new StringBuilder("id,label\n");
    for (int i = 0; i < 257; i++) {
      text.append('w').append(i).append(",x\n");
    }
    assertRefused(
        text.toString(),
        CsvTables.table(),
        "column \"id\" has more than 256 different words and numbers, such as \"w0\" in line 2",
        "leave the column out");
  }

  /** A word among many numbers, behind the rows by which columns are guessed. */
  @Test
  void oneWordAmongNumbers() {
    var text = new StringBuilder("a,label\n");
    for (int i = 0; i < 100_000; i++) {
      text.append(i == 90_000 ? "12x" : Integer.toString(i)).append(",x\n");
    }
    assertRefused(text.toString(), CsvTables.table(), "column \"a\"", "\"12x\" in line 90,002");
  }

  @Test
  void manyLabels() {
    var text = new StringBuilder("a,label\n");
    for (int i = 0; i < 70_000; i++) {
      text.append("1,").append(i).append("\n");
    }
    assertRefused(text.toString(), CsvTables.table(), "more than 65,536 different labels");
  }

  @Test
  void textThatIsNotUtf8() {
    for (String text :
        new String[] {
          "a,label\n1,caf\u00e9\n", "a,label\ncaf\u00e9,x\n", "caf\u00e9,label\n1,x\n"
        }) {
      write(text.getBytes(StandardCharsets.ISO_8859_1));
      CsvTables.assertRefused(file, () -> CsvTables.read(file, CsvTables.table()), "UTF-8");
    }
    write("\ufeffa,label\n1,x\n".getBytes(StandardCharsets.UTF_16LE));
    CsvTables.assertRefused(file, () -> CsvTables.read(file, CsvTables.table()), "this is UTF-16");
    write("\ufeffa,label\n1,x\n".getBytes(StandardCharsets.UTF_16BE));
    CsvTables.assertRefused(file, () -> CsvTables.read(file, CsvTables.table()), "this is UTF-16");
  }

  @Test
  void otherKindsOfFiles() {
    write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0});
    CsvTables.assertRefused(
        file, () -> CsvTables.read(file, CsvTables.table()), "this is a PNG picture, not a table");
    write(new byte[] {'a', ',', 'b', '\n', 0, 1, 2});
    CsvTables.assertRefused(
        file, () -> CsvTables.read(file, CsvTables.table()), "this is a file of another kind");
    Path absent = tmp.resolve("absent.csv");
    CsvTables.assertRefused(
        absent, () -> CsvTables.read(absent, CsvTables.table()), "no such file");
    CsvTables.assertRefused(tmp, () -> CsvTables.read(tmp, CsvTables.table()), "a folder");
  }

  @Test
  void damagedGzip() throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(bytes)) {
      gzip.write("a,label\n1,x\n".repeat(1000).getBytes(StandardCharsets.UTF_8));
    }
    write(Arrays.copyOf(bytes.toByteArray(), bytes.size() - 9));
    CsvTables.assertRefused(
        file, () -> CsvTables.read(file, CsvTables.table()), "gzip stream truncated");
  }

  /** Memory must not grow with a line: 100 MB of text, compressed to a few kilobytes. */
  @ParameterizedTest
  @ValueSource(strings = {"", "a,label\n1,x\n", "a,label\n\"1\",x\n\"2"})
  void aLineOf100Megabytes(String before) throws IOException {
    try (OutputStream gzip = new GZIPOutputStream(Files.newOutputStream(file))) {
      gzip.write(before.getBytes(StandardCharsets.UTF_8));
      byte[] block = "1,".repeat(1 << 19).getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < 100; i++) {
        gzip.write(block);
      }
    }
    String line = before.isEmpty() ? "line 1: " : "line 3: ";
    CsvTables.assertRefused(
        file,
        () -> CsvTables.read(file, CsvTables.table()),
        line + "a row must have 16 MiB at most",
        before.endsWith("2") ? "is a quote not closed?" : "this one is longer");
  }

  static Stream<Arguments> unknown() {
    return Stream.of(
        table(
            "a,t,label\n1,u,x\n1,w,x\n",
            "line 3: column \"t\" must be a word that the training set has, found \"w\""),
        table("a,t,label\n1,u,x\n1,,x\n", "line 3: column \"t\" must be a word", "an empty cell"),
        table("a,t,label\nz,u,x\n", "line 2: column \"a\" must be a number, found \"z\""),
        table("a,t,label\n,u,x\n", "line 2: column \"a\" must not be missing"),
        table("a,s,label\n1,u,x\n", "missing are \"t\"; to be left out are \"s\""),
        table("a,t,b,label\n1,u,2,x\n", "missing are none; to be left out are \"b\""),
        table("1,u,2,3\n", "must have 2 columns of features, \"a\", \"t\", found 4"));
  }

  @ParameterizedTest
  @MethodSource("unknown")
  void whatAKnownLayoutDoesNotHave(String text, List<String> parts) {
    write(text.getBytes(StandardCharsets.UTF_8));
    CsvTables.assertRefused(
        file, () -> CsvTables.readKnown(file, KNOWN, false), parts.toArray(String[]::new));
  }

  @Test
  void manyColumnsAreNotAllListed() {
    var text = new StringBuilder("c0");
    for (int i = 1; i < 500; i++) {
      text.append(",c").append(i);
    }
    text.append("\n1").append(",1".repeat(499)).append("\n");
    write(text.toString().getBytes(StandardCharsets.UTF_8));
    var thrown =
        assertThrows(BadFileException.class, () -> CsvTables.read(file, CsvTables.table()));
    assertTrue(thrown.getMessage().endsWith("\"c9\", … (500)"), thrown.getMessage());
  }
}
