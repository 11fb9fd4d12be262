package mlpcuda.features;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mlpcuda.features.Features.Type;

/**
 * Collects rows of features as a reader finds them. Few of them stay on the heap; more of them are
 * written to a file, which is mapped at the end, so that a set larger than the heap can be read. A
 * file of the builder's own is deleted at once where the system allows that, and else when the JVM
 * ends.
 */
public final class FeaturesBuilder implements AutoCloseable {
  /** The most bytes that are kept on the heap. */
  static final int MOST_ON_HEAP = 128 << 20;

  /** The most bytes of a mapped block. */
  private static final int BLOCK = 1 << 30;

  private final Type type;
  private final int width;
  private final int mostOnHeap;
  private ByteBuffer heap;
  private int size;
  private FileChannel channel; // null until the rows are too many for the heap
  private Path file;

  /** A builder of rows of {@code width} values. */
  public FeaturesBuilder(Type type, int width) {
    this(type, width, MOST_ON_HEAP);
  }

  FeaturesBuilder(Type type, int width, int mostOnHeap) {
    this.type = type;
    this.width = width;
    this.mostOnHeap = mostOnHeap;
    this.heap = allocate(Math.max(rowBytes(), Math.min(mostOnHeap, 1 << 16)));
  }

  private static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
  }

  private int rowBytes() {
    return Math.multiplyExact(width, type.bytes());
  }

  /** The number of rows that were added. */
  public int size() {
    return size;
  }

  /**
   * Adds rows.
   *
   * @param values (n, I)
   * @throws IllegalStateException if the builder's values are floats
   * @throws UncheckedIOException if the file cannot be written
   */
  public void add(byte[] values, int n) {
    if (type != Type.UINT8) {
      throw new IllegalStateException("bytes were added to features of " + type);
    }
    add(ByteBuffer.wrap(values, 0, Math.multiplyExact(n, width)), n);
  }

  /**
   * Adds rows.
   *
   * @param values (n, I)
   * @throws IllegalStateException if the builder's values are bytes
   * @throws UncheckedIOException if the file cannot be written
   */
  public void add(float[] values, int n) {
    if (type != Type.FLOAT32) {
      throw new IllegalStateException("floats were added to features of " + type);
    }
    ByteBuffer bytes = allocate(Math.multiplyExact(n, rowBytes()));
    bytes.asFloatBuffer().put(values, 0, n * width);
    add(bytes, n);
  }

  /**
   * Adds rows whose bytes are as {@link Features#copy} gives them.
   *
   * @param bytes n rows from its position on
   */
  public void add(ByteBuffer bytes, int n) {
    size = Math.addExact(size, n);
    if (channel == null && (long) heap.position() + bytes.remaining() > mostOnHeap) {
      spill();
    }
    if (channel != null) {
      write(bytes);
      return;
    }
    if (heap.remaining() < bytes.remaining()) {
      long needed = (long) heap.position() + bytes.remaining();
      heap =
          allocate((int) Math.min(mostOnHeap, Math.max(needed, 2L * heap.capacity())))
              .put(heap.flip());
    }
    heap.put(bytes);
  }

  private void spill() {
    try {
      file = Files.createTempFile("mlp-cuda-features", ".bin");
      file.toFile().deleteOnExit();
      channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    write(heap.flip());
    heap = null;
  }

  private void write(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * All rows that were added; the builder takes no more.
   *
   * @throws UncheckedIOException if the file cannot be mapped
   */
  public Features build() {
    if (channel != null) {
      try {
        return map(channel, 0, type, size, width);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    int bytes = heap.position();
    if (type == Type.UINT8) {
      byte[] array = heap.array();
      return Features.of(array.length == bytes ? array : Arrays.copyOf(array, bytes), width);
    }
    return Features.of(type, size, width, Math.max(1, size), heap);
  }

  /**
   * Opens features that lie in a file as {@link Features#copy} gives their rows, one after another.
   * Bytes that a builder would keep on the heap are read, all others are mapped: the same features
   * are the same kind of object, wherever they come from.
   *
   * @param from the index of their first byte
   * @throws UncheckedIOException if the file cannot be read
   */
  public static Features map(Path file, long from, Type type, int size, int width) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long bytes = (long) size * width * type.bytes();
      if (type == Type.UINT8 && bytes <= MOST_ON_HEAP) {
        ByteBuffer array = ByteBuffer.allocate((int) bytes);
        while (array.hasRemaining() && channel.read(array, from + array.position()) >= 0) {
          // a read may bring a part
        }
        return Features.of(array.array(), width);
      }
      return map(channel, from, type, size, width);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Features map(FileChannel channel, long from, Type type, int size, int width)
      throws IOException {
    int rowBytes = Math.multiplyExact(width, type.bytes());
    int rowsPerBlock = Math.max(1, Math.min(size, BLOCK / rowBytes));
    List<ByteBuffer> blocks = new ArrayList<>();
    for (int row = 0; row < size; row += rowsPerBlock) {
      long bytes = (long) Math.min(rowsPerBlock, size - row) * rowBytes;
      blocks.add(channel.map(MapMode.READ_ONLY, from + (long) row * rowBytes, bytes));
    }
    return Features.of(type, size, width, rowsPerBlock, blocks.toArray(ByteBuffer[]::new));
  }

  /** Lets go of the file; features that were built stay valid. */
  @Override
  public void close() {
    if (channel == null) {
      return;
    }
    try {
      channel.close();
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // A system that does not delete a mapped file deletes it when the JVM ends.
    }
  }
}
