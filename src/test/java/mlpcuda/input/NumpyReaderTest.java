package mlpcuda.input;

import static mlpcuda.input.InputFiles.FOLDER;
import static mlpcuda.input.InputFiles.arrays;
import static mlpcuda.input.InputFiles.assertBad;
import static mlpcuda.input.InputFiles.header;
import static mlpcuda.input.InputFiles.images;
import static mlpcuda.input.InputFiles.labels;
import static mlpcuda.input.InputFiles.npy;
import static mlpcuda.input.InputFiles.values;
import static mlpcuda.input.InputFiles.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.features.Features;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests on arrays that NumPy wrote, see scripts/input_fixtures.py, and on malformed ones. */
class NumpyReaderTest {
  private static final Path TYPES = FOLDER.resolve("types.npz");

  @TempDir Path tmp;

  private static Parts read(Path path) {
    return NumpyReader.read(path, ReadOptions.DEFAULT, ReadingProgress.NONE);
  }

  private static Part read(String features, String labels) {
    return NumpyReader.read(TYPES, arrays(features, labels), ReadingProgress.NONE).train();
  }

  static Stream<String> typesAndOrders() {
    return Stream.of("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
        .flatMap(type -> Stream.of(type + "_little", type + "_big"))
        .flatMap(name -> Stream.of(name, name + "_fortran"));
  }

  @ParameterizedTest
  @MethodSource("typesAndOrders")
  void readsEachTypeAndOrder(String name) {
    Part part = read(name, "labels_i8");
    float step = name.startsWith("f") ? 0.5f : 1;
    float[] expected = new float[24];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = i * step;
    }
    assertArrayEquals(expected, values(part.features()));
    assertEquals(Features.Type.FLOAT32, part.features().type());
    assertEquals(List.of("1", "2", "3", "4"), columnNames(part.layout()));
  }

  private static List<String> columnNames(Layout layout) {
    return ((Layout.Columns) layout).columns().stream().map(c -> c.name()).toList();
  }

  @Test
  void readsTruthValuesAsZeroAndOne() {
    float[] values = values(read("b1", "labels_i8").features());
    for (int i = 0; i < values.length; i++) {
      assertEquals(i % 3 == 0 ? 1 : 0, values[i]);
    }
  }

  @Test
  void readsImagesInFortransOrder() {
    Part part = read("images_fortran", null);
    assertEquals(Layout.Images.grey(4, 3), part.layout());
    float[] expected = new float[36];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = i;
    }
    assertArrayEquals(expected, values(part.features()));
    assertTrue(part.labels().isEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "labels_i8     | 3 -1 3 0 7 -1",
        "labels_u8     | 3 18446744073709551615 3 0 7 7",
        "labels_f4     | 3 -1 3 0 7 -1",
        "labels_column | 3 -1 3 0 7 -1",
        "labels_b1     | True False True False True False",
        "labels_U      | cat dog cat Ürsel a dog",
        "labels_U_big  | cat dog cat Ürsel a dog",
        "labels_S      | cat dog cat horse a dog",
        "labels_marked | 3 1 3 0 7 1"
      })
  void readsLabelsOfEachType(String name, String expected) {
    assertEquals(List.of(expected.split(" ")), labels(read("f4_little", name)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "objects   | labels_i8 | pickle",
        "complex   | labels_i8 | found the type <c8",
        "fields    | labels_i8 | several fields",
        "scalar    | labels_i8 | found a single value",
        "empty     | labels_i8 | the array is empty, its shape is 0x4",
        "labels_i8 | labels_i8 | found 1: 6",
        "labels_U  | labels_i8 | the features must be numbers",
        "nan       | labels_i8 | the one at [4, 2] is NaN",
        "large     | labels_i8 | the one at [3, 1] is 1.0E300, which is too large",
        "f4_little | f8_little | must have one 1",
        "f4_little | objects   | pickle",
        "f4_little | scalar    | single value",
        "f4_little | nothing   | the array nothing is missing; the arrays are b1, complex"
      })
  void refusesWhatIsNoFeatureOrLabel(String features, String labels, String expected) {
    assertBad(() -> read(features, labels), "types.npz", expected);
  }

  @Test
  void readsKerasArchive() {
    checkKeras(read(FOLDER.resolve("keras.npz")));
  }

  @Test
  void readsFolderOfArrays() {
    checkKeras(read(FOLDER.resolve("arrays")));
  }

  private static void checkKeras(Parts parts) {
    Part train = parts.train();
    assertEquals(Layout.Images.grey(5, 4), train.layout());
    assertEquals(Features.Type.UINT8, train.features().type());
    assertEquals(8, train.features().size());
    assertEquals(List.of("0", "1", "2", "1", "0", "2", "2", "1"), labels(train));
    float[] first = Arrays.copyOf(values(train.features()), 6);
    assertArrayEquals(new float[] {255, 228, 34, 121, 243, 189}, first);
    Part test = parts.test().orElseThrow();
    assertEquals(List.of("2", "0", "1"), labels(test));
    float[] all = values(test.features());
    assertArrayEquals(
        new float[] {185, 71, 200, 236}, Arrays.copyOfRange(all, all.length - 4, all.length));
    assertTrue(parts.validation().isEmpty());
  }

  @Test
  void readsAnArrayWithItsLabelsBesideIt() {
    Parts parts = read(FOLDER.resolve("arrays/x_test.npy"));
    assertEquals(List.of("2", "0", "1"), labels(parts.train()));
    assertTrue(parts.test().isEmpty());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsEachVersionOfTheFormat(int version) {
    Part part = read(FOLDER.resolve("version%d.npy".formatted(version))).train();
    assertEquals(6, part.features().size());
    assertEquals(23, values(part.features())[23]);
    assertTrue(part.labels().isEmpty());
  }

  @Test
  void readsAnArchiveWithValidation() throws IOException {
    byte[] x = npy(header("|u1", "(2, 2, 2)"), new byte[8]);
    byte[] y = npy(header("|u1", "(2, 1)"), new byte[] {1, 0});
    Path file =
        zip("train_images", x, "train_labels", y, "val_images", x, "val_labels", y, "rest", x);
    Parts parts = read(file);
    assertEquals(List.of("1", "0"), labels(parts.train()));
    assertEquals(List.of("1", "0"), labels(parts.validation().orElseThrow()));
    assertTrue(parts.test().isEmpty());
  }

  private Path zip(Object... namesAndContents) throws IOException {
    Path file = tmp.resolve("made.npz");
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < namesAndContents.length; i += 2) {
        zip.putNextEntry(new ZipEntry(namesAndContents[i] + ".npy"));
        zip.write((byte[]) namesAndContents[i + 1]);
      }
    }
    return file;
  }

  /** Rows of pixels are images if a size is given, or if their number is that of a square. */
  @Test
  void findsImagesInRows() {
    Path file = write(tmp.resolve("x.npy"), npy(header("|u1", "(2, 64)"), new byte[128]));
    assertEquals(Layout.Images.grey(8, 8), read(file).train().layout());
    Parts given = NumpyReader.read(file, images(4, 16, false, false), ReadingProgress.NONE);
    assertEquals(Layout.Images.grey(4, 16), given.train().layout());
    assertBad(
        () -> NumpyReader.read(file, images(5, 5, false, false), ReadingProgress.NONE),
        "a row must hold the 25 pixels of 5x5, found 64 values");
    write(file, npy(header("|u1", "(2, 16)"), new byte[32]));
    assertEquals(16, columnNames(read(file).train().layout()).size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "(2, 4, 3, 1) | 4x3",
        "(2, 2, 2, 3) | 2x2x3",
        "(2, 1, 4, 3) | 1x4x3",
        "(2, 1, 3, 4) | 3x4"
      })
  void readsChannels(String shape, String layout) {
    byte[] elements = new byte[24];
    Path file = write(tmp.resolve("x.npy"), npy(header("|u1", shape), elements));
    assertEquals(layout, read(file).train().layout().toString());
  }

  @Test
  void refusesOtherChannels() {
    Path file = write(tmp.resolve("x.npy"), npy(header("|u1", "(1, 3, 2, 4)"), new byte[24]));
    assertBad(() -> read(file), "numpy.moveaxis");
    write(file, npy(header("|u1", "(1, 2, 3, 4)"), new byte[24]));
    assertBad(() -> read(file), "found 1x2x3x4");
    write(file, npy(header("|u1", "(1, 2, 3, 2, 2)"), new byte[24]));
    assertBad(() -> read(file), "found 5: 1x2x3x2x2");
  }

  /** Images of wide integers are pixels if all are from 0 to 255. */
  @ParameterizedTest
  @CsvSource({"0, 255, UINT8", "0, 256, FLOAT32", "-1, 3, FLOAT32"})
  void findsPixelsAmongWideIntegers(short least, short most, Features.Type type) {
    ByteBuffer elements = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    elements.putShort(4, least).putShort(14, most);
    Path file = write(tmp.resolve("x.npy"), npy(header("<i2", "(2, 2, 2)"), elements.array()));
    Features features = read(file).train().features();
    assertEquals(type, features.type());
    assertEquals(least, values(features)[2]);
    assertEquals(most, values(features)[7]);
  }

  /** A test set of small values has the type of its training set. */
  @Test
  void readsTestSetAsTrainingSet() throws IOException {
    byte[] wide = npy(header("<i2", "(1, 1, 2)"), new byte[] {0, 1, 0, 2});
    byte[] small = npy(header("<i2", "(1, 1, 2)"), new byte[] {1, 0, 2, 0});
    byte[] y = npy(header("|u1", "(1,)"), new byte[1]);
    Parts parts = read(zip("x_train", wide, "y_train", y, "x_test", small, "y_test", y));
    assertEquals(Features.Type.FLOAT32, parts.test().orElseThrow().features().type());
    Path swapped = zip("x_train", small, "y_train", y, "x_test", wide, "y_test", y);
    assertBad(() -> read(swapped), "array x_test: must hold integers from 0 to 255");
    byte[] other = npy(header("<i2", "(1, 2, 1)"), new byte[4]);
    Path shape = zip("x_train", small, "y_train", y, "x_test", other, "y_test", y);
    assertBad(() -> read(shape), "array x_test: ", "found the shape 1x2x1");
  }

  static Stream<String> badHeaders() {
    return Stream.of(
        "",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': (1,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'),)}");
  }

  @ParameterizedTest
  @MethodSource("badHeaders")
  void refusesMalformedHeaders(String header) {
    Path file = write(tmp.resolve("x.npy"), npy(header, new byte[8]));
    assertBad(() -> read(file), "x.npy: the header of a NumPy array must name descr");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "(2, 3)                               | cut off",
        "(1, 1)                               | the file goes on after the end",
        "(100000000, 100000000)               | cut off",
        "(4000000000, 4000000000, 4000000000) | no file can hold an array of the shape",
        "(4000000000, 1)                      | has 4,000,000,000 rows",
        "(0, 4)                               | the array is empty"
      })
  void refusesShapesThatTheFileDoesNotHave(String shape, String expected) {
    Path file = write(tmp.resolve("x.npy"), npy(header("<f4", shape), new byte[16]));
    assertBad(() -> read(file), "x.npy: ", expected);
  }

  /** A header may claim rows that no compressed file of that size can hold. */
  @Test
  void refusesZipBomb() throws IOException {
    byte[] x = npy(header("|u1", "(1000, 1000, 1000)"), new byte[1000]);
    byte[] y = npy(header("|u1", "(1000,)"), new byte[1000]);
    Path file = zip("x", x, "y", y);
    assertBad(() -> read(file), "array x: ", "cut off");
    // The size in the zip's directory may be as false as the header.
    byte[] zipped = Files.readAllBytes(file);
    int at = indexOf(zipped, x.length);
    ByteBuffer.wrap(zipped)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(at, 1_000_000_000 + x.length - 1000);
    Files.write(file, zipped);
    assertBad(() -> read(file), "array x: ", "no ", "compressed bytes can hold so many");
  }

  /** Finds the last place of an int that is little-endian. */
  private static int indexOf(byte[] in, int value) {
    ByteBuffer bytes = ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = in.length - 4; i >= 0; i--) {
      if (bytes.getInt(i) == value && bytes.getInt(i - 4) < 1000) {
        return i;
      }
    }
    throw new AssertionError("no " + value);
  }

  @Test
  void refusesDamagedArchive() throws IOException {
    Path file = tmp.resolve("damaged.npz");
    byte[] zipped = Files.readAllBytes(TYPES); // the archive does not compress its arrays
    ByteBuffer bytes = ByteBuffer.wrap(zipped);
    int name = new String(zipped, StandardCharsets.ISO_8859_1).indexOf("u1_little.npy");
    bytes.put(name + 170, (byte) ~bytes.get(name + 170));
    Files.write(file, zipped);
    assertBad(
        () -> NumpyReader.read(file, arrays("u1_little", "labels_i8"), ReadingProgress.NONE),
        "array u1_little: cannot be read: damaged: CRC-32");
  }

  @Test
  void refusesLabelsOfAnotherNumber() throws IOException {
    byte[] x = npy(header("|u1", "(2, 1)"), new byte[2]);
    byte[] y = npy(header("|u1", "(3,)"), new byte[3]);
    Path file = zip("x", x, "y", y);
    assertBad(() -> read(file), "array y: must hold one label for each of the 2 rows", "found 3");
  }

  @Test
  void refusesArraysOfUnknownNames() throws IOException {
    byte[] x = npy(header("|u1", "(2, 1)"), new byte[2]);
    Path file = zip("one", x, "two", x);
    assertBad(() -> read(file), "made.npz: features and labels must be named", "one, two");
    Path half = zip("x_train", x, "two", x);
    assertBad(
        () -> read(half), "made.npz: the array y_train is missing; the arrays are two, x_train");
  }

  @Test
  void refusesLabelsThatAreNoClasses() {
    write(tmp.resolve("x.npy"), npy(header("|u1", "(1, 1)"), new byte[1]));
    byte[] half = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0.5f).array();
    write(tmp.resolve("y.npy"), npy(header("<f4", "(1,)"), half));
    assertBad(() -> read(tmp), "y.npy: labels must be whole numbers or texts", "[0] is 0.5");
    byte[] many = new byte[4 * 70_000];
    ByteBuffer.wrap(many).asIntBuffer().put(IntStream.range(0, 70_000).toArray());
    write(tmp.resolve("y.npy"), npy(header(">i4", "(70000,)"), many));
    write(tmp.resolve("x.npy"), npy(header("|u1", "(70000, 1)"), new byte[70_000]));
    assertBad(() -> read(tmp), "y.npy: more than 65,536 labels differ");
  }

  /**
   * A large array is mapped, and not copied to the heap; its values are checked all the same.
   * Windows does not delete a file while it is mapped.
   */
  @DisabledOnOs(OS.WINDOWS)
  @ParameterizedTest
  @ValueSource(strings = {"|u1", "<f4"})
  void mapsLargeArrays(String type) throws IOException {
    boolean floats = type.equals("<f4");
    int rows = 150 << 20 >> 10 >> (floats ? 2 : 0); // 150 MiB in rows of 1024 values
    Path file =
        write(tmp.resolve("x.npy"), npy(header(type, "(%d, 32, 32)".formatted(rows)), new byte[0]));
    long start = Files.size(file);
    long last = start + (150 << 20) - 4;
    try (var raw = new RandomAccessFile(file.toFile(), "rw")) { // with a hole of zeros
      raw.seek(last);
      raw.write(new byte[] {0, 0, (byte) 128, 63}); // 1 as a little-endian float
    }
    Features features = read(file).train().features();
    float[] row = new float[1024];
    features.read(rows - 1, row, 0);
    assertArrayEquals(
        floats ? new float[] {0, 0, 0, 1} : new float[] {0, 0, 128, 63},
        Arrays.copyOfRange(row, 1020, 1024));
    assertEquals(floats ? Features.Type.FLOAT32 : Features.Type.UINT8, features.type());
    assertTrue(!features.isArray());
    if (floats) {
      try (var raw = new RandomAccessFile(file.toFile(), "rw")) {
        raw.seek(start + 4096L * 777 + 4 * 33);
        raw.write(new byte[] {0, 0, (byte) 128, 127}); // infinity
      }
      assertBad(() -> read(file), "x.npy: ", "the one at [777, 1, 1] is Infinity");
    }
  }

  @Test
  void tellsProgress() {
    var seen = new ArrayList<String>();
    NumpyReader.read(
        FOLDER.resolve("keras.npz"),
        ReadOptions.DEFAULT,
        (done, all) -> seen.add(done + "/" + all));
    assertEquals(List.of("8/8", "8/8", "3/3", "3/3"), seen);
  }

  @Test
  void refusesWhatIsNoArray() {
    assertBad(() -> read(tmp.resolve("x.npy")), "x.npy: no such file");
    assertBad(() -> read(tmp), "no NumPy arrays are here");
    Path text = write(tmp.resolve("x.npy"), "a text");
    assertBad(() -> read(text), "x.npy: this is no NumPy array");
    Path zip = write(tmp.resolve("x.npz"), "PK and no more");
    assertBad(() -> read(zip), "x.npz: cannot be read: ");
  }
}
