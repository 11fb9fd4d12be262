package mlpcuda.data;

import static mlpcuda.data.IdxBytes.assertBad;
import static mlpcuda.data.IdxBytes.concat;
import static mlpcuda.data.IdxBytes.gzip;
import static mlpcuda.data.IdxBytes.header;
import static mlpcuda.data.IdxBytes.images;
import static mlpcuda.data.IdxBytes.labels;
import static mlpcuda.data.IdxBytes.qmnistLabels;
import static mlpcuda.data.IdxBytes.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdxFileTest {
  @TempDir Path tmp;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsImagesAndLabels(boolean compressed) {
    byte[] images = images(3, 7, 5);
    byte[] labels = labels(4, 0, 255);
    // The name is wrong on purpose, because the first bytes decide.
    String name = compressed ? "file" : "file.gz";
    Path imageFile = write(tmp.resolve("i" + name), compressed ? gzip(images) : images);
    Path labelFile = write(tmp.resolve("l" + name), compressed ? gzip(labels) : labels);

    IdxFile.Images read = IdxFile.readImages(imageFile);

    assertEquals(3, read.count());
    assertEquals(7, read.rows());
    assertEquals(5, read.cols());
    assertArrayEquals(Arrays.copyOfRange(images, 16, images.length), read.pixels());
    assertArrayEquals(new byte[] {4, 0, (byte) 255}, IdxFile.readLabels(labelFile));
  }

  @Test
  void readsGzipThatShrinksALot() {
    // The file has a thousandth of its claimed size, so that the array must grow several times.
    byte[] file = Arrays.copyOf(header(0x803, 1000, 100, 57), 16 + 5_700_000);
    file[file.length - 1] = 9;
    byte[] pixels = IdxFile.readImages(write(tmp.resolve("f"), gzip(file))).pixels();
    assertEquals(5_700_000, pixels.length);
    assertEquals(9, pixels[pixels.length - 1]);
  }

  /** QMNIST has eight ints for each image, of which the first is the class. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsQmnistsLabels(boolean compressed) {
    byte[] labels = qmnistLabels(4, 0, 255);
    Path file = write(tmp.resolve("f"), compressed ? gzip(labels) : labels);
    assertArrayEquals(new byte[] {4, 0, (byte) 255}, IdxFile.readLabels(file));
  }

  /** gzip(1) says "trailing zero bytes ignored" of such a file. */
  @Test
  void readsGzipThatIsPaddedWithZeros() {
    byte[] zipped = gzip(labels(3, 1));
    for (int zeros : new int[] {1, 2, 512}) {
      Path file = write(tmp.resolve("f"), Arrays.copyOf(zipped, zipped.length + zeros));
      assertArrayEquals(new byte[] {3, 1}, IdxFile.readLabels(file));
    }
  }

  /** A pipe has no length, and can be read once. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisabledOnOs(OS.WINDOWS)
  void readsAPipe(boolean compressed) throws Exception {
    Path pipe = tmp.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    byte[] images = images(3, 7, 5);
    byte[] content = compressed ? gzip(images) : images;
    var writer = new FutureTask<>(() -> Files.write(pipe, content));
    new Thread(writer).start();
    IdxFile.Images read = IdxFile.readImages(pipe);
    writer.get();
    assertArrayEquals(Arrays.copyOfRange(images, 16, images.length), read.pixels());
  }

  @Test
  void readsGzipOfSeveralMembers() {
    byte[] file = labels(1, 2, 3, 4);
    byte[] members =
        concat(
            gzip(Arrays.copyOf(file, 5)),
            gzip(new byte[0]),
            gzip(Arrays.copyOfRange(file, 5, file.length)));
    byte[] labels = IdxFile.readLabels(write(tmp.resolve("f"), members));
    assertArrayEquals(new byte[] {1, 2, 3, 4}, labels);
  }

  @Test
  void readsGzipWithEveryHeaderField() {
    byte[] labels = IdxFile.readLabels(write(tmp.resolve("f"), withHeaderFields()));
    assertArrayEquals(new byte[] {7}, labels);
  }

  /** A gzip file of one label whose header has all optional fields. */
  private static byte[] withHeaderFields() {
    byte[] plain = gzip(labels(7));
    byte[] start = Arrays.copyOf(plain, 10);
    start[3] = 0x1e;
    // The tenth byte is the operating system, which JDKs fill in differently.
    start[9] = 0;
    byte[] head = concat(start, new byte[] {2, 0, 'x', 'y', 'n', 0, 'c', 0});
    CRC32 crc = new CRC32();
    crc.update(head);
    byte[] check = {(byte) crc.getValue(), (byte) (crc.getValue() >> 8)};
    return concat(head, check, Arrays.copyOfRange(plain, 10, plain.length));
  }

  static Stream<Arguments> badImages() {
    byte[] good = images(2, 3, 4);
    return Stream.of(
        arguments(labels(1, 2), "this IDX file holds labels, and images belong here"),
        arguments(
            header(0xd03, 1, 1, 1),
            "this IDX file holds floats in 3 dimensions (type 0x0d); images can be read from"
                + " unsigned bytes in 3 dimensions alone"),
        arguments(
            header(0x804, 1, 1, 1, 1),
            "this IDX file holds unsigned bytes in 4 dimensions (type 0x08); images can be read"
                + " from unsigned bytes in 3 dimensions alone"),
        arguments(
            header(0x03080000, 1, 1, 1),
            "this is a file of another kind, not an IDX file of images"),
        arguments(
            "\u0089PNG\r\n".getBytes(StandardCharsets.ISO_8859_1),
            "this is a PNG picture, not an IDX file of images"),
        arguments(
            "<!DOCTYPE html><title>Moved</title>".getBytes(StandardCharsets.US_ASCII),
            "this is an HTML page, not an IDX file of images"),
        arguments(new byte[0], "this is an empty file, not an IDX file of images"),
        arguments(
            Arrays.copyOf(good, 15),
            "the file is cut off: its header needs 16 bytes, and it has 15"),
        arguments(
            Arrays.copyOf(good, 39),
            "the file is cut off, copy it or fetch it again: 2 images of 3x4 need 40 bytes, and it"
                + " has 39"),
        arguments(
            Arrays.copyOf(good, 16),
            "the file is cut off, copy it or fetch it again: 2 images of 3x4 need 40 bytes, and it"
                + " has 16"),
        arguments(header(0x803, 0, 28, 28), "an empty set: must hold at least 1 image, found 0"),
        arguments(header(0x803, -2, 3, 4), "dimensions must be at least 1, found -2 in -2x3x4"),
        arguments(header(0x803, 2, 0, 4), "dimensions must be at least 1, found 0 in 2x0x4"),
        arguments(
            header(0x803, 1 << 16, 1 << 8, 1 << 8),
            "dimensions must multiply to at most 2147483639, found 65536x256x256"),
        // The product is 0 in 64 bits.
        arguments(
            header(0x803, 1 << 30, 1 << 30, 1 << 30),
            "dimensions must multiply to at most 2147483639,"
                + " found 1073741824x1073741824x1073741824"));
  }

  @ParameterizedTest
  @MethodSource("badImages")
  void refusesBadImages(byte[] content, String finding) {
    Path plain = write(tmp.resolve("f"), content);
    assertBad("TMP/f: " + finding, tmp, () -> IdxFile.readImages(plain));
    Path compressed = write(tmp.resolve("f.gz"), gzip(content));
    assertBad("TMP/f.gz: " + finding, tmp, () -> IdxFile.readImages(compressed));
  }

  static Stream<Arguments> badLabels() {
    byte[] good = labels(1, 2);
    byte[] zipped = gzip(good);
    byte[] wrongCrc = zipped.clone();
    wrongCrc[zipped.length - 8] ^= 1;
    byte[] wrongLength = zipped.clone();
    wrongLength[zipped.length - 4] ^= 1;
    byte[] method = zipped.clone();
    method[2] = 7;
    byte[] flags = zipped.clone();
    flags[3] = (byte) 0x80;
    byte[] deflate = zipped.clone();
    deflate[10] = 7;
    byte[] headerCrc = withHeaderFields();
    headerCrc[18] ^= 1;
    return Stream.of(
        arguments(images(1, 2, 2), "this IDX file holds images, and labels belong here"),
        arguments(
            header(0xc01, 1, 7),
            "this IDX file holds ints in 1 dimension (type 0x0c); labels can be read from unsigned"
                + " bytes in 1 dimension alone"),
        arguments(
            header(0xc02, 1, 3, 1, 2, 3), "labels of ints must have QMNIST's 8 columns, found 3"),
        arguments(qmnistLabels(3, 256), "labels must be from 0 to 255, found 256 at index 1"),
        arguments(qmnistLabels(-1), "labels must be from 0 to 255, found -1 at index 0"),
        arguments(
            Arrays.copyOf(qmnistLabels(1, 2), 75),
            "the file is cut off, copy it or fetch it again: 2 labels need 76 bytes, and it has 75"),
        arguments(header(0x801, 0), "an empty set: must hold at least 1 label, found 0"),
        arguments(
            Arrays.copyOf(good, 9),
            "the file is cut off, copy it or fetch it again: 2 labels need 10 bytes, and it has 9"),
        arguments(
            Arrays.copyOf(good, 13),
            "the file goes on after its end: 2 labels need 10 bytes, and it has 13"),
        arguments(
            gzip(Arrays.copyOf(good, 13)),
            "the file goes on after its end: 2 labels need 10 bytes, and it has more"),
        arguments(
            concat(zipped, new byte[] {0, 0, 1}),
            "gzip stream must end at byte 30, found 3 bytes after the end"),
        arguments(
            Arrays.copyOf(zipped, 29),
            "gzip stream truncated: the file ends at byte 29, inside the stream"),
        arguments(
            Arrays.copyOf(zipped, 14),
            "gzip stream truncated: the file ends at byte 14, inside the stream"),
        arguments(
            Arrays.copyOf(zipped, 5),
            "gzip stream truncated: the file ends at byte 5, inside the stream"),
        arguments(wrongCrc, "gzip stream damaged: CRC-32 must be 0x6289fc75, found 0x6289fc74"),
        arguments(wrongLength, "gzip stream damaged: length must be 0x0000000b, found 0x0000000a"),
        arguments(method, "gzip stream compression method must be 8, found 7"),
        arguments(flags, "gzip stream flags must be below 0x20, found 0x80"),
        arguments(deflate, "gzip stream damaged: invalid block type after 0 bytes"),
        arguments(
            headerCrc, "gzip stream damaged: header CRC-16 must be 0x00004280, found 0x00004281"));
  }

  @ParameterizedTest
  @MethodSource("badLabels")
  void refusesBadLabels(byte[] content, String finding) {
    Path file = write(tmp.resolve("f"), content);
    assertBad("TMP/f: " + finding, tmp, () -> IdxFile.readLabels(file));
  }

  @Test
  void refusesWhatIsNoFile() {
    assertBad("TMP/f: no such file", tmp, () -> IdxFile.readLabels(tmp.resolve("f")));
    assertBad("TMP: this is a folder, not an IDX file", tmp, () -> IdxFile.readLabels(tmp));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void allocatesNothingFromAnUncheckedHeader(boolean compressed) {
    byte[] claim = header(0x803, 2, 1 << 15, (1 << 15) - 1);
    Path file = write(tmp.resolve("f"), compressed ? gzip(claim) : claim);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThrows(BadFileException.class, () -> IdxFile.readImages(file));
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated < 4 << 20, "allocated " + allocated + " bytes");
  }
}
