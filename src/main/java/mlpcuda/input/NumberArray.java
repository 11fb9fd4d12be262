package mlpcuda.input;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import mlpcuda.error.BadFileException;
import mlpcuda.files.HeapMemory;
import mlpcuda.files.Reason;

/**
 * An array in a file, whose elements are read as a stream as often as they are needed.
 *
 * @param name the file, and within an archive the array, for messages
 * @param type the type of the elements
 * @param columnMajor whether the first index changes fastest, as in Fortran, and not the last one
 * @param shape the size of each dimension, each at least 1 and the first at most 2³¹ − 1
 * @param content opens the stream of the elements
 * @param plain where the elements lie uncompressed in a file; empty: in an archive
 */
record NumberArray(
    String name,
    NumberType type,
    boolean columnMajor,
    long[] shape,
    Content content,
    Optional<Place> plain) {
  /** The most inputs of an example, such as the values of a picture of 2364x2364 in colours. */
  static final int MOST_INPUTS = 1 << 24;

  private static final int CHUNK = 1 << 16;

  /** Opens the stream of an array's elements. */
  interface Content {
    /** Opens the stream, which begins with the first element. */
    InputStream open() throws IOException;
  }

  /**
   * A place in a file.
   *
   * @param from the index of the first byte
   */
  record Place(Path file, long from) {}

  /** Takes some rows of an array. */
  interface Rows {
    /**
     * Takes {@code n} rows.
     *
     * @param bytes their elements, in the type's byte order, from index 0 on
     * @param first the number of the first of them, from 0 on
     */
    void take(ByteBuffer bytes, int first, int n);
  }

  /** The number of rows, which is the size of the first dimension. */
  int rows() {
    return (int) shape[0];
  }

  /**
   * The number of elements of a row.
   *
   * @throws BadFileException if a row has more than {@link #MOST_INPUTS}
   */
  int width() {
    long width = 1;
    for (int i = 1; i < shape.length; i++) {
      width = Math.multiplyExact(width, shape[i]); // the product of all is a long: see checked
      if (width > MOST_INPUTS) {
        throw bad("a row has more than %,d values, which is too many".formatted(MOST_INPUTS));
      }
    }
    return (int) width;
  }

  /**
   * The size of the elements of an array in bytes.
   *
   * @param name the array, for the message
   * @throws BadFileException if a dimension is 0, or the array is larger than any file
   */
  static long bytes(String name, NumberType type, long... shape) {
    long bytes = type.bytes();
    for (long size : shape) {
      if (size < 1) {
        throw new BadFileException(
            "%s: the array is empty, its shape is %s".formatted(name, by(shape)));
      }
      if (size > Long.MAX_VALUE / bytes) {
        throw new BadFileException(
            "%s: no file can hold an array of the shape %s".formatted(name, by(shape)));
      }
      bytes *= size;
    }
    if (shape.length > 0 && shape[0] > Integer.MAX_VALUE) {
      throw new BadFileException(
          "%s: the array has %,d rows, more than the %,d that can be read"
              .formatted(name, shape[0], Integer.MAX_VALUE));
    }
    return bytes;
  }

  /** The shape for messages, such as {@code 60000x28x28}. */
  String shapeText() {
    return by(shape);
  }

  private static String by(long[] shape) {
    return Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining("x"));
  }

  /**
   * Reads all rows, in order, some at a time.
   *
   * @throws BadFileException if the file cannot be read or ends too early or too late
   */
  void read(Rows rows, ReadingProgress progress) {
    if (columnMajor && shape.length > 1) {
      readTurned(rows, progress);
      return;
    }
    int rowBytes = Math.multiplyExact(width(), type.bytes());
    int most = Math.min(rows(), Math.max(1, CHUNK / rowBytes));
    ByteBuffer chunk = ByteBuffer.allocate(most * rowBytes).order(type.order());
    try (InputStream in = content.open()) {
      for (int row = 0; row < rows(); row += most) {
        int n = Math.min(most, rows() - row);
        fill(in, chunk.array(), n * rowBytes);
        rows.take(chunk, row, n);
        progress.at(row + n, rows());
      }
      checkEnd(in);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private BadFileException unreadable(IOException e) {
    return Reason.unreadable(name, e);
  }

  private void fill(InputStream in, byte[] to, int length) throws IOException {
    if (in.readNBytes(to, 0, length) < length) {
      throw cutOff();
    }
  }

  private BadFileException cutOff() {
    return bad("the array is cut off, copy the file or fetch it again");
  }

  private void checkEnd(InputStream in) throws IOException {
    if (in.read() >= 0) {
      throw bad("the file goes on after the end of the array");
    }
  }

  /**
   * Reads an array in Fortran's order, in which the elements of a row lie far from each other: the
   * whole array is kept in memory.
   */
  private void readTurned(Rows rows, ReadingProgress progress) {
    long bytes = bytes(name, type, shape);
    if (bytes > Integer.MAX_VALUE - 8) {
      throw bad(
          "an array in Fortran's order may have 2 GiB at most; numpy.ascontiguousarray gives it the"
              + " usual order");
    }
    HeapMemory.require(name, bytes);
    byte[] all;
    try (InputStream in = content.open()) {
      all = in.readNBytes((int) bytes); // grows as the bytes arrive
      if (all.length < bytes) {
        throw cutOff();
      }
      checkEnd(in);
    } catch (IOException e) {
      throw unreadable(e);
    }
    int size = type.bytes();
    int width = width();
    int[] offsets = turnedOffsets(width);
    int most = Math.min(rows(), Math.max(1, CHUNK / (width * size)));
    ByteBuffer chunk = ByteBuffer.allocate(most * width * size).order(type.order());
    for (int row = 0; row < rows(); row += most) {
      int n = Math.min(most, rows() - row);
      for (int i = 0; i < n * width; i++) {
        int from = row + i / width + offsets[i % width];
        chunk.put(i * size, all, from * size, size);
      }
      rows.take(chunk, row, n);
      progress.at(row + n, rows());
    }
  }

  /** Where each element of row 0 lies, counted in elements. */
  private int[] turnedOffsets(int width) {
    int[] offsets = new int[width];
    for (int i = 0; i < width; i++) {
      int rest = i;
      long step = 1;
      for (int d = 1; d < shape.length; d++) {
        step *= shape[d - 1];
      }
      for (int d = shape.length - 1; d > 0; d--) {
        offsets[i] += (int) (rest % shape[d] * step);
        rest /= (int) shape[d];
        step /= shape[d - 1];
      }
    }
    return offsets;
  }

  /** Makes the exception for a finding in this array. */
  BadFileException bad(String finding) {
    return new BadFileException(name + ": " + finding);
  }
}
