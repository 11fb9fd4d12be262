package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.function.Executable;

/** Makes small IDX files for tests, good ones and, by changing bytes, bad ones. */
final class IdxBytes {
  private IdxBytes() {}

  /** An image file; pixel i has the value i modulo 256. */
  static byte[] images(int count, int rows, int cols) {
    byte[] file = Arrays.copyOf(header(0x803, count, rows, cols), 16 + count * rows * cols);
    for (int i = 16; i < file.length; i++) {
      file[i] = (byte) (i - 16);
    }
    return file;
  }

  static byte[] labels(int... labels) {
    byte[] file = Arrays.copyOf(header(0x801, labels.length), 8 + labels.length);
    for (int i = 0; i < labels.length; i++) {
      file[8 + i] = (byte) labels[i];
    }
    return file;
  }

  /** A file of QMNIST's labels: eight ints for each image, the class first. */
  static byte[] qmnistLabels(int... labels) {
    int[] ints = new int[3 + 8 * labels.length];
    Arrays.fill(ints, 1000);
    ints[0] = 0xc02;
    ints[1] = labels.length;
    ints[2] = 8;
    for (int i = 0; i < labels.length; i++) {
      ints[3 + 8 * i] = labels[i];
    }
    return header(ints);
  }

  /** The ints, big-endian. */
  static byte[] header(int... ints) {
    ByteBuffer header = ByteBuffer.allocate(4 * ints.length);
    header.asIntBuffer().put(ints);
    return header.array();
  }

  static byte[] gzip(byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /** Five training and three test images of 7x5 pixels in three classes. */
  static Map<String, byte[]> small() {
    return Map.of(
        "train-images-idx3-ubyte", images(5, 7, 5),
        "train-labels-idx1-ubyte", labels(0, 1, 2, 1, 0),
        "t10k-images-idx3-ubyte", images(3, 7, 5),
        "t10k-labels-idx1-ubyte", labels(2, 0, 1));
  }

  static Path write(Path file, byte[] content) {
    try {
      Files.createDirectories(file.getParent());
      return Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asserts that {@code action} fails with exactly this message, in which TMP means a folder. */
  static void assertBad(String message, Path tmp, Executable action) {
    String found = assertThrows(BadFileException.class, action).getMessage();
    assertEquals(message, found.replace(tmp.toString(), "TMP").replace('\\', '/'));
  }
}
