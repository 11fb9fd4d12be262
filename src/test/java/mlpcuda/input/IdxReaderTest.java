package mlpcuda.input;

import static mlpcuda.input.InputFiles.assertBad;
import static mlpcuda.input.InputFiles.labels;
import static mlpcuda.input.InputFiles.values;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.IdxFolder;
import mlpcuda.data.LabelledData;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.features.Features;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdxReaderTest {
  private static final int UNSIGNED = 0x08;
  private static final int FLOATS = 0x0d;

  @TempDir Path folder;

  /** A data set as of MNIST: two training images of 2x3 pixels and one test image. */
  @BeforeEach
  void writeUsualFiles() {
    write("train-images-idx3-ubyte", idx(UNSIGNED, 6, 2, 2, 3));
    write("train-labels-idx1-ubyte", idx(UNSIGNED, 5, 2));
    write("t10k-images-idx3-ubyte", idx(UNSIGNED, 0, 1, 2, 3));
    write("t10k-labels-idx1-ubyte", idx(UNSIGNED, 6, 1));
  }

  private void write(String name, byte[] content) {
    InputFiles.write(folder.resolve(name), content);
  }

  /** An IDX file whose elements are the numbers from {@code first} on. */
  private static byte[] idx(int type, int first, int... shape) {
    int size = type <= 0x09 ? 1 : type == 0x0b ? 2 : type == 0x0e ? 8 : 4;
    int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * shape.length + count * size);
    file.putInt(type << 8 | shape.length);
    Arrays.stream(shape).forEach(file::putInt);
    for (int i = first; i < first + count; i++) {
      switch (type) {
        case 0x08, 0x09 -> file.put((byte) i);
        case 0x0b -> file.putShort((short) i);
        case 0x0c -> file.putInt(i);
        case 0x0d -> file.putFloat(i);
        default -> file.putDouble(i);
      }
    }
    return file.array();
  }

  private static byte[] gzip(byte[] content) {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new GZIPOutputStream(bytes)) {
      zip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private Parts read() {
    return IdxReader.read(folder, ReadOptions.DEFAULT, ReadingProgress.NONE);
  }

  @Test
  void readsBytesAsIdxFolderDoes() {
    LabelledData usual = IdxFolder.read(folder, OptionalInt.empty());
    Parts parts = read();
    assertArrayEquals(usual.train().features().array(), parts.train().features().array());
    assertEquals(Layout.Images.grey(2, 3), parts.train().layout());
    assertEquals(List.of("5", "6"), labels(parts.train()));
    assertEquals(List.of("6"), labels(parts.test().orElseThrow()));
  }

  @ParameterizedTest
  @CsvSource({
    "0x09, false",
    "0x0b, false",
    "0x0c, false",
    "0x0d, false",
    "0x0e, false",
    "0x09, true",
    "0x0d, true"
  })
  void readsImagesAndLabelsOfEachType(String type, boolean compressed) {
    int number = Integer.decode(type);
    byte[] images = idx(number, 6, 2, 2, 3);
    byte[] labels = idx(number, 5, 2);
    write("train-images-idx3-ubyte", compressed ? gzip(images) : images);
    write("train-labels-idx1-ubyte", compressed ? gzip(labels) : labels);
    write("t10k-images-idx3-ubyte", idx(number, 0, 1, 2, 3));
    Parts parts = read();
    assertEquals(
        number < FLOATS ? Features.Type.UINT8 : Features.Type.FLOAT32,
        parts.train().features().type());
    assertArrayEquals(
        new float[] {6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, values(parts.train().features()));
    assertEquals(List.of("5", "6"), labels(parts.train()));
    assertEquals(Layout.Images.grey(2, 3), parts.test().orElseThrow().layout());
  }

  @Test
  void readsRowsAndAFourthDimension() {
    write("train-images-idx3-ubyte", idx(UNSIGNED, 6, 2, 2, 3, 1));
    assertEquals(Layout.Images.grey(2, 3), read().train().layout());
    write("train-images-idx3-ubyte", idx(FLOATS, 6, 2, 4));
    write("t10k-images-idx3-ubyte", idx(FLOATS, 6, 1, 4));
    Part test = read().test().orElseThrow();
    assertTrue(test.layout() instanceof Layout.Columns);
    assertArrayEquals(new float[] {6, 7, 8, 9}, values(test.features()));
  }

  @Test
  void refusesTestSetOfAnotherForm() {
    write("t10k-images-idx3-ubyte", idx(UNSIGNED, 0, 1, 3, 2));
    assertBad(this::read, "t10k-images-idx3-ubyte: ", "images of 2x3 bytes", "images of 3x2 bytes");
    write("t10k-images-idx3-ubyte", idx(FLOATS, 0, 1, 2, 3));
    assertBad(this::read, "images of 2x3 bytes, found images of 2x3 floats");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void refusesCutOffAndLongFiles(boolean compressed) {
    byte[] file = idx(FLOATS, 6, 2, 2, 3);
    for (int length : new int[] {5, 16, file.length - 1, file.length + 1}) {
      byte[] other = Arrays.copyOf(file, length);
      write("train-images-idx3-ubyte", compressed ? gzip(other) : other);
      assertBad(
          this::read,
          "train-images-idx3-ubyte: ",
          length > file.length
              ? "goes on"
              : length == 5 ? "this IDX file holds floats" : "cut off");
    }
  }

  /** A gzip file may claim more elements than it can hold. */
  @Test
  void refusesAClaimWithoutElements() {
    byte[] file = Arrays.copyOf(idx(FLOATS, 6, 2, 2, 3), 100);
    ByteBuffer.wrap(file).putInt(4, 100_000_000);
    write("train-images-idx3-ubyte", gzip(file));
    assertBad(this::read, "train-images-idx3-ubyte: the file is cut off", "compressed file has");
    ByteBuffer.wrap(file).putInt(4, -2);
    write("train-images-idx3-ubyte", gzip(file));
    assertBad(this::read, "train-images-idx3-ubyte: the array is empty");
  }

  @Test
  void refusesLabelsThatAreNotWhole() throws IOException {
    byte[] labels = idx(FLOATS, 5, 2);
    ByteBuffer.wrap(labels).putFloat(12, 0.5f);
    write("train-labels-idx1-ubyte", labels);
    assertBad(this::read, "train-labels-idx1-ubyte: labels must be whole numbers", "[1] is 0.5");
    write("train-labels-idx1-ubyte", idx(FLOATS, 5, 3));
    assertBad(this::read, "one label for each of the 2 images of train-images-idx3-ubyte, found 3");
    Files.delete(folder.resolve("train-labels-idx1-ubyte"));
    assertBad(this::read, "train-labels-idx1-ubyte is missing");
  }

  @Test
  void saysWhatElseAFileIs() {
    write("train-images-idx3-ubyte", idx(UNSIGNED, 5, 2));
    assertBad(this::read, "this IDX file holds labels, and images belong here");
    writeUsualFiles();
    write("train-labels-idx1-ubyte", idx(UNSIGNED, 6, 2, 2, 3));
    assertBad(this::read, "this IDX file holds images, and labels belong here");
  }

  /** QMNIST's labels are rows of eight ints, the class first. */
  @Test
  void readsQmnistsLabels() {
    write("train-labels-idx1-ubyte", idx(0x0c, 5, 2, 8));
    assertEquals(List.of("5", "13"), labels(read().train()));
  }
}
