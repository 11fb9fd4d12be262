package mlpcuda.input;

import static mlpcuda.input.InputFiles.FOLDER;
import static mlpcuda.input.InputFiles.assertBad;
import static mlpcuda.input.InputFiles.labels;
import static mlpcuda.input.InputFiles.values;
import static mlpcuda.input.InputFiles.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests on files that scikit-learn wrote, see scripts/input_fixtures.py, and on malformed ones. */
class LibsvmReaderTest {
  @TempDir Path tmp;

  private static Part read(Path file) {
    return LibsvmReader.read(file, Optional.empty(), ReadingProgress.NONE);
  }

  private Part read(String text) {
    return read(write(tmp.resolve("f.libsvm"), text));
  }

  private static List<String> columns(Part part) {
    return ((Layout.Columns) part.layout()).columns().stream().map(c -> c.name()).toList();
  }

  @ParameterizedTest
  @CsvSource({"one, 1", "zero, 0"})
  void readsWhatScikitLearnWrites(String name, int base) {
    Part part = read(FOLDER.resolve(name + ".libsvm"));
    assertArrayEquals(
        new float[] {0, 1.5f, 0, -2, 1e-3f, 0, 0, 0, 0, 0, 3, 0.25f}, values(part.features()));
    assertEquals(List.of("1", "-1", "1"), labels(part));
    assertEquals("" + base, columns(part).get(0));
    assertEquals("" + (base + 3), columns(part).get(3));
  }

  @Test
  void readsGzip() throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new GZIPOutputStream(bytes)) {
      zip.write("a 1:1\nb 3:2\n".getBytes(StandardCharsets.UTF_8));
    }
    Part part = read(write(tmp.resolve("f.gz"), bytes.toByteArray()));
    assertArrayEquals(new float[] {1, 0, 0, 0, 0, 2}, values(part.features()));
    assertEquals(List.of("a", "b"), labels(part));
  }

  @Test
  void readsCommentsBlankLinesAndWhiteSpace() {
    Part part =
        read("\ufeff# head\n\n +1  1:1\t2:2e0 # rest 9:9\r\n  \n1.0\n-3 2:+.5#9:9\nÄ 1:-1E-2");
    assertArrayEquals(new float[] {1, 2, 0, 0, 0, 0.5f, -0.01f, 0}, values(part.features()));
    assertEquals(List.of("1", "1", "-3", "Ä"), labels(part));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 1:nan        | line 1: values must be finite 32-bit floats, found nan at index 1",
        "1 7:inf        | found inf at index 7",
        "1 7:1e39       | found 1e39 at index 7",
        "1 7:0x1p3      | found 0x1p3",
        "1 7:1f         | found 1f",
        "1 7:           | found nothing at index 7",
        "1 7:--1        | found --1",
        "1 7            | index:value must follow the label, found 7",
        "1 x:1          | an index must be a whole number, found x:1",
        "1 -1:1         | an index must be a whole number, found -1:1",
        "1 :1           | an index must be a whole number, found :1",
        "1 2:1 2:1      | indices must ascend, found 2 after 2",
        "1 2:1 1:1      | indices must ascend, found 1 after 2",
        "1 2147483648:1 | an index may be 1,000,000 at most here, found 2147483648",
        "1 99999999999999999999999:1 | an index may be 1,000,000 at most here",
        "1 qid:3 1:1    | found qid:3, the query of a ranking",
        "1:1 2:1        | a line must begin with its label, found 1:1",
        "1,3 2:1        | an example must have one label, found 1,3",
        "1              | no example has a value",
        "# nothing      | the file has no examples",
      })
  void refusesMalformedLines(String text, String expected) {
    assertBad(() -> read(text + "\n"), "f.libsvm: ", expected);
  }

  @Test
  void namesTheLine() {
    assertBad(() -> read("1 1:1\n\n# 3\n2 1:1 2:x\n"), "f.libsvm: line 4: ", "found x");
    assertBad(() -> read("1 1:1\n\u0001 1:1\n"), "line 2: ", "byte 0x01");
    assertBad(() -> read("1 1:1\n" + "x".repeat(300)), "line 2: ", "more than 200 characters");
  }

  /** A short file may ask for more than any memory holds. */
  @Test
  void refusesTooManyValues() {
    assertBad(
        () -> read("1 1000000:1\n".repeat(8590)),
        "8,590 rows of 1,000,000 columns are 8,590,000,000 values, and 8,589,934,592 can be held");
  }

  @Test
  void takesTheColumnsOfTheTrainingSet() {
    var columns = Optional.of((Layout.Columns) read("1 4:1\n").layout());
    Path test = write(tmp.resolve("test"), "1 2:5\n2\n");
    Part part = LibsvmReader.read(test, columns, ReadingProgress.NONE);
    assertArrayEquals(new float[] {0, 5, 0, 0, 0, 0, 0, 0}, values(part.features()));
    assertEquals(columns.get(), part.layout());
    Path larger = write(tmp.resolve("larger"), "1 2:5\n2 5:1\n");
    assertBad(
        () -> LibsvmReader.read(larger, columns, ReadingProgress.NONE),
        "larger: line 2: an index may be 4 at most here, found 5");
    Path zero = write(tmp.resolve("zero"), "1 0:5\n");
    assertBad(
        () -> LibsvmReader.read(zero, columns, ReadingProgress.NONE),
        "zero: the index 0 occurs, and the training set's indices begin with 1");
  }

  /** A test set without the index 0 counts as its training set does. */
  @Test
  void takesTheFirstIndexOfTheTrainingSet() {
    var columns = Optional.of((Layout.Columns) read("1 0:1 2:1\n").layout());
    Path test = write(tmp.resolve("test"), "1 1:5\n");
    Part part = LibsvmReader.read(test, columns, ReadingProgress.NONE);
    assertArrayEquals(new float[] {0, 5, 0}, values(part.features()));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void readsAPipe() throws Exception {
    Path pipe = tmp.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    var writer = new FutureTask<>(() -> write(pipe, "1 1:1\n2 2:2\n"));
    new Thread(writer).start();
    assertArrayEquals(new float[] {1, 0, 0, 2}, values(read(pipe).features()));
    writer.get();
  }

  @ParameterizedTest
  @ValueSource(ints = {999, 2000})
  void readsManyRows(int rows) {
    Part part = read("1 2:1\n2 1:1\n".repeat(rows));
    assertEquals(2 * rows, part.features().size());
    assertEquals(1, values(part.features())[4 * rows - 2]);
  }
}
