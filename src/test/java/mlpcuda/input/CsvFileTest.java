package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.Column;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import mlpcuda.features.Features;
import mlpcuda.input.ReadOptions.TableOptions;
import mlpcuda.input.ReadOptions.TableOptions.Missing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What tables become. */
class CsvFileTest {
  private static final String FLOWERS =
      """
      sepal,petal,species
      5.1,1.4,setosa
      7,4.7,versicolor
      4.9,1.4,setosa
      """;

  private static final float[][] FLOWER_VALUES = {{5.1f, 1.4f}, {7, 4.7f}, {4.9f, 1.4f}};

  @TempDir Path tmp;

  private Path file(String text) {
    return file(text.getBytes(StandardCharsets.UTF_8));
  }

  private Path file(byte[] bytes) {
    try {
      return Files.write(tmp.resolve("table.csv"), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Part read(String text) {
    return read(text, CsvTables.table());
  }

  private Part read(String text, TableOptions table) {
    return CsvTables.read(file(text), table);
  }

  private static void assertFlowers(Part part) {
    CsvTables.assertRows(part, FLOWER_VALUES);
    assertEquals(List.of("setosa", "versicolor", "setosa"), CsvTables.labels(part));
    assertEquals(
        new Layout.Columns(List.of(Column.numbers("sepal"), Column.numbers("petal"))),
        part.layout());
    assertEquals(Features.Type.FLOAT32, part.features().type());
    assertTrue(part.weights().isEmpty());
  }

  @Test
  void aTableOfNumbersWithLabels() {
    assertFlowers(read(FLOWERS));
  }

  @ParameterizedTest
  @ValueSource(strings = {";", "\t", "|"})
  void separators(String separator) {
    assertFlowers(read(FLOWERS.replace(",", separator)));
    assertFlowers(read(FLOWERS.replace(",", separator).replace("setosa", "\"setosa\"")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\r\n", "\r"})
  void lineBreaks(String lineBreak) {
    assertFlowers(read(FLOWERS.replace("\n", lineBreak)));
    assertFlowers(read(FLOWERS.replace("\n", lineBreak).replace("setosa", "\"setosa\"")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\ufeff%s", "%s\n\n\n", "%s\r\n\r\n", "\n\n%s"})
  void marksAndBlankLines(String form) {
    assertFlowers(read(form.formatted(FLOWERS)));
    assertFlowers(read(form.formatted(FLOWERS.stripTrailing())));
  }

  @Test
  void spacesAroundCellsDoNotCount() {
    assertFlowers(read(FLOWERS.replace(",", " , ").replace("\n", "  \n")));
  }

  @Test
  void aGzipFileOfSeveralMembers() throws IOException {
    var bytes = new ByteArrayOutputStream();
    for (String part : List.of(FLOWERS.substring(0, 30), FLOWERS.substring(30))) {
      try (var gzip = new GZIPOutputStream(bytes)) {
        gzip.write(part.getBytes(StandardCharsets.UTF_8));
      }
    }
    assertFlowers(CsvTables.read(file(bytes.toByteArray()), CsvTables.table()));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aPipe() throws Exception {
    Path pipe = tmp.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    var writer = new FutureTask<>(() -> Files.writeString(pipe, FLOWERS));
    new Thread(writer).start();
    assertFlowers(CsvTables.read(pipe, CsvTables.table()));
    writer.get();
  }

  @Test
  void quotedCells() {
    Part part =
        read(
            "\"a \"\"b\"\", c\",\"x\ny\",label\n"
                + "\"1.5\",2,\"yes, \"\"indeed\"\"\"\n"
                + "3,\"-4e0\",ei\n\n"
                + "5,6,5\" pipe\n");
    CsvTables.assertRows(part, new float[][] {{1.5f, 2}, {3, -4}, {5, 6}});
    assertEquals(List.of("yes, \"indeed\"", "ei", "5\" pipe"), CsvTables.labels(part));
    assertEquals(
        new Layout.Columns(List.of(Column.numbers("a \"b\", c"), Column.numbers("x\ny"))),
        part.layout());
  }

  /** Rows of a table with quotes and line breaks in cells, over the ends of several chunks. */
  @Test
  void longTablesAreReadInPiecesOfWholeRows() {
    int rows = 60_000;
    String lines = "\n\r\n\r".repeat(20); // most line breaks do not end a row
    var text = new StringBuilder("label,a,word\n");
    for (int i = 0; i < rows; i++) {
      String word = i % 3 == 0 ? "\"two" + lines + ", \"\"" + i % 2 + "\"\"\"" : "plain" + i % 5;
      text.append('c').append(i % 7).append(',').append(i * 0.5).append(',').append(word);
      text.append("\r\n");
    }
    Part part = read(text.toString());
    assertEquals(rows, part.features().size());
    List<String> words =
        List.of(
            "plain0",
            "plain1",
            "plain2",
            "plain3",
            "plain4",
            "two" + lines + ", \"0\"",
            "two" + lines + ", \"1\"");
    assertEquals(
        new Layout.Columns(List.of(Column.numbers("a"), new Column("word", words, Float.NaN))),
        part.layout());
    List<String> labels = CsvTables.labels(part);
    float[] row = new float[8];
    for (int i = 0; i < rows; i++) {
      part.features().read(i, row, 0);
      float[] expected = new float[8];
      expected[0] = i * 0.5f;
      expected[1 + (i % 3 == 0 ? 5 + i % 2 : i % 5)] = 1;
      assertArrayEquals(expected, row, "row " + i);
      assertEquals("c" + i % 7, labels.get(i));
    }
  }

  /** A cell that is wider than a chunk. */
  @Test
  void longRows() {
    String wide = "w".repeat(3 << 20);
    Part part = read("a,t,label\n1," + wide + ",x\n2,v,y\n3," + wide + ",x\n");
    CsvTables.assertRows(part, new float[][] {{1, 0, 1}, {2, 1, 0}, {3, 0, 1}});
  }

  @Test
  void decimalCommas() {
    Part part = read("a;b;label\n1,5;-,25;x\n3;1,0e1;y\n", CsvTables.decimal(','));
    CsvTables.assertRows(part, new float[][] {{1.5f, -.25f}, {3, 10}});
  }

  @Test
  void aTableWithoutAHeader() {
    Part part = read("1,x,2\n3,y,4\n", CsvTables.label("2"));
    CsvTables.assertRows(part, new float[][] {{1, 2}, {3, 4}});
    assertEquals(List.of("x", "y"), CsvTables.labels(part));
    assertEquals(
        new Layout.Columns(List.of(Column.numbers("1"), Column.numbers("3"))), part.layout());
  }

  /** The first row is a header by the numbers below it, by a usual name, or by an option's name. */
  @Test
  void headers() {
    assertEquals(1, read("a,b\n1,x\n", CsvTables.label("2")).features().size());
    assertEquals(1, read("a,Class\nu,x\n").features().size());
    assertEquals(1, read("a,b\nu,x\n", CsvTables.label("b")).features().size());
    assertEquals(2, read("a,b\nu,x\n", CsvTables.label("2")).features().size());
    // A usual name that stands twice in its row, or again below, is a word like others.
    assertEquals(2, read("y,y,n\ny,n,n\n", CsvTables.label("3")).features().size());
    assertEquals(2, read("y,n\ny,m\n", CsvTables.label("2")).features().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"label", "Class", "TARGET", "species", "y"})
  void theUsualNamesOfLabels(String name) {
    Part part = read("a,%s,b\n1,u,2\n".formatted(name));
    assertEquals(List.of("u"), CsvTables.labels(part));
    CsvTables.assertRows(part, new float[][] {{1, 2}});
  }

  @Test
  void theColumnOfLabelsByNameOrNumber() {
    String text = "label,b,2\n1,2,3\n";
    assertEquals(List.of("1"), CsvTables.labels(read(text)));
    assertEquals(List.of("2"), CsvTables.labels(read(text, CsvTables.label("b"))));
    assertEquals(List.of("3"), CsvTables.labels(read(text, CsvTables.label("3"))));
    assertEquals(List.of("3"), CsvTables.labels(read(text, CsvTables.label("2"))), "a name first");
  }

  @Test
  void wordsBecomeOneInputEach() {
    Part part = read("size,label\n10,a\nS,b\n9,a\n,c\nМ,a\n😀,a\n\uff21,b\n");
    // Numbers come first, by value; the others follow by code point, not by UTF-16.
    List<String> words = List.of("9", "10", "", "S", "М", "\uff21", "😀");
    assertEquals(new Layout.Columns(List.of(new Column("size", words, Float.NaN))), part.layout());
    float[][] expected = new float[7][7];
    int[] places = {1, 3, 0, 2, 4, 6, 5};
    for (int i = 0; i < places.length; i++) {
      expected[i][places[i]] = 1;
    }
    CsvTables.assertRows(part, expected);
  }

  /** The first word of a column stands behind the rows by which columns are guessed. */
  @Test
  void wordsThatComeLate() {
    String text = "a,b,label\n" + "1,,x\n".repeat(1500) + "1,word,x\n";
    Layout expected =
        new Layout.Columns(
            List.of(Column.numbers("a"), new Column("b", List.of("", "word"), Float.NaN)));
    assertEquals(expected, read(text).layout());
  }

  @Test
  void exactly256Words() {
    var text = new StringBuilder("a,label\n");
    for (int i = 0; i < 512; i++) {
      text.append('w').append(i % 256).append(",x\n");
    }
    assertEquals(256, read(text.toString()).layout().inputs());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "NA", "n/a", "NaN", "null", "?"})
  void missingNumbers(String cell) {
    String text = "a,label\n1,x\n%s,x\n5,y\n".formatted(cell);
    Part zero = read(text, CsvTables.missing(Missing.ZERO));
    CsvTables.assertRows(zero, new float[][] {{1}, {0}, {5}});
    assertEquals(new Layout.Columns(List.of(new Column("a", List.of(), 0))), zero.layout());
    Part mean = read(text, CsvTables.missing(Missing.MEAN));
    CsvTables.assertRows(mean, new float[][] {{1}, {3}, {5}});
    assertEquals(new Layout.Columns(List.of(new Column("a", List.of(), 3))), mean.layout());
    // A later file gets the training set's mean, whatever its own is.
    Path later = file("a,label\n9,x\n%s,x\n".formatted(cell));
    CsvTables.assertRows(CsvTables.readKnown(later, mean.layout(), true), new float[][] {{9}, {3}});
  }

  @Test
  void ignoredColumns() {
    Part part = read("id,a,b,label\nq1,2,x,u\nq2,3,y,v\n", CsvTables.ignored("id", "3"));
    CsvTables.assertRows(part, new float[][] {{2}, {3}});
    // An unnamed column is left out by its number.
    Part unnamed = read(",a,label\n0,2,u\n1,3,v\n", CsvTables.ignored("1"));
    CsvTables.assertRows(unnamed, new float[][] {{2}, {3}});
  }

  @Test
  void weights() {
    Part part = read("a,w,label\n1,.5,x\n2,0,y\n", CsvTables.weight("w"));
    assertArrayEquals(new float[] {.5f, 0}, part.weights().orElseThrow());
    CsvTables.assertRows(part, new float[][] {{1}, {2}});
  }

  @Test
  void pixelsByTheirNames() {
    Part part = read("label,pixel1,pixel0,pixel3,pixel2\n7,1,0,255,2\n8,4,5,6,7.0\n");
    assertEquals(Layout.Images.grey(2, 2), part.layout());
    assertEquals(Features.Type.UINT8, part.features().type());
    CsvTables.assertRows(part, new float[][] {{0, 1, 2, 255}, {5, 4, 7, 6}});
    assertEquals(List.of("7", "8"), CsvTables.labels(part));
    Part named = read("label,1x1,1x2,1x3,2x1,2x2,2x3\n7,1,2,3,4,5,6\n");
    assertEquals(Layout.Images.grey(2, 3), named.layout());
  }

  @Test
  void pixelsThatAreNoBytesAreNumbers() {
    Part part = read("label,pixel0,pixel1\n7,0.5,1\n");
    assertEquals(Features.Type.FLOAT32, part.features().type());
  }

  @Test
  void pixelsByTheSizeOfPictures() {
    var options = CsvTables.options(CsvTables.table(), Optional.of(new Layout.Images(1, 2, 3)));
    for (String header : new String[] {"", "digit,a,b,c,d,e,label\n"}) {
      Path file = file(header + (header.isEmpty() ? "9,0,1,2,3,4,5\n" : "0,1,2,3,4,5,9\n"));
      Part part = CsvFile.read(file, options, Optional.empty(), true, ReadingProgress.NONE);
      CsvTables.assertRows(part, new float[][] {{0, 1, 2, 3, 4, 5}});
      assertEquals(List.of("9"), CsvTables.labels(part));
      assertEquals(new Layout.Images(1, 2, 3), part.layout());
    }
  }

  @Test
  void aKnownLayoutOfPictures() {
    Layout known = Layout.Images.grey(2, 2);
    float[][] expected = {{0, 1, 2, 3}};
    CsvTables.assertRows(CsvTables.readKnown(file("9,0,1,2,3\n"), known, true), expected);
    CsvTables.assertRows(CsvTables.readKnown(file("0,1,2,3\n"), known, false), expected);
    CsvTables.assertRows(
        CsvTables.readKnown(file("pixel0,pixel1,pixel2,pixel3\n0,1,2,3\n"), known, false),
        expected);
  }

  @Test
  void aKnownLayoutOfColumns() {
    Layout known = read("a,word,label\n1,u,x\n2,v,y\n").layout();
    float[][] expected = {{3, 0, 1}};
    Part part = CsvTables.readKnown(file("label,word,a\nx,v,3\n"), known, true);
    CsvTables.assertRows(part, expected);
    assertEquals(known, part.layout());
    Part unlabelled = CsvTables.readKnown(file("word,a\nv,3\n"), known, false);
    CsvTables.assertRows(unlabelled, expected);
    assertTrue(unlabelled.labels().isEmpty());
    // Without a header the places count.
    CsvTables.assertRows(CsvTables.readKnown(file("3,v\n"), known, false), expected);
    // Words alone: the header is known by the names of the layout.
    Layout words = read("p,q,label\nu,s,x\nv,t,y\n").layout();
    assertEquals(1, CsvTables.readKnown(file("q,p\ns,u\n"), words, false).features().size());
  }

  /** A network that was trained on rows without names takes a table's columns in their order. */
  @Test
  void aKnownLayoutWithoutNames() {
    Layout known = Layout.Columns.numbered(2);
    float[][] expected = {{3, 4}};
    Part part = CsvTables.readKnown(file("b,label,a\n3,x,4\n"), known, true);
    CsvTables.assertRows(part, expected);
    assertEquals(known, part.layout());
    CsvTables.assertRows(CsvTables.readKnown(file("2,label,1\n4,x,3\n"), known, true), expected);
    String message =
        assertThrows(
                BadFileException.class,
                () -> CsvTables.readKnown(file("b,c,label,a\n3,5,x,4\n"), known, true))
            .getMessage();
    assertTrue(
        message.endsWith("the table must have 2 columns of features, \"1\", \"2\", found 3"),
        message);
  }

  @Test
  void labelsThatAreNotNeeded() {
    Layout known = read("a,label\n1,x\n2,y\n").layout();
    Part with = CsvTables.readKnown(file("a,label\n1,x\n2,y\n"), known, false);
    assertEquals(List.of("x", "y"), CsvTables.labels(with));
    Part some = CsvTables.readKnown(file("a,label\n1,x\n2,\n"), known, false);
    assertTrue(some.labels().isEmpty());
    assertEquals(2, some.features().size());
  }

  @Test
  void progressCountsTheFilesBytes() {
    Path file = file(FLOWERS);
    List<Long> done = new ArrayList<>();
    CsvFile.read(
        file,
        ReadOptions.DEFAULT,
        Optional.empty(),
        true,
        (bytes, all) -> {
          assertEquals(FLOWERS.length(), all);
          done.add(bytes);
        });
    assertEquals(List.of((long) FLOWERS.length()), done);
  }

  @Test
  void irisIsRead() throws java.net.URISyntaxException {
    Path file = Path.of(CsvFileTest.class.getResource("iris.csv").toURI());
    Part part = CsvTables.read(file, CsvTables.table());
    assertEquals(150, part.features().size());
    assertEquals(4, part.features().width());
    LabelColumn labels = part.labels().orElseThrow();
    assertEquals(List.of("setosa", "versicolor", "virginica"), labels.names());
    int[] counts = new int[3];
    double sum = 0;
    float[] row = new float[4];
    for (int i = 0; i < 150; i++) {
      counts[labels.codes()[i]]++;
      part.features().read(i, row, 0);
      sum += row[0];
    }
    assertArrayEquals(new int[] {50, 50, 50}, counts);
    assertEquals(5.843333, sum / 150, 1e-5, "the mean length of sepals");
  }
}
