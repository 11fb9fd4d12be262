package mlpcuda.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import mlpcuda.error.BadFileException;
import mlpcuda.files.InputFile;
import mlpcuda.files.Reason;

/**
 * Reads IDX files, plain or gzip (told apart by the first bytes, not by the name): images, unsigned
 * bytes in three dimensions, and labels, unsigned bytes in one dimension or QMNIST's rows of eight
 * ints. A file that is not exactly what its header says is a {@link BadFileException}.
 *
 * <p>Source: "The IDX file format" at <a href="http://yann.lecun.com/exdb/mnist/">the MNIST page
 * </a>: two zero bytes, element type, number of dimensions, the dimensions as big-endian ints, the
 * elements in row-major order. QMNIST's labels: <a
 * href="https://github.com/facebookresearch/qmnist">the README of its repository</a>.
 */
public final class IdxFile {
  private static final int LABELS_MAGIC = 0x00000801;
  private static final int IMAGES_MAGIC = 0x00000803;
  private static final int QMNIST_LABELS_MAGIC = 0x00000c02;

  /**
   * The number of ints of one image in QMNIST's labels: the class, then seven about the digit's
   * origin.
   */
  private static final int QMNIST_COLUMNS = 8;

  /** The length of the largest array that common JVMs allocate. */
  private static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;

  /**
   * The bytes that are read from a stream at once: few enough to stay in the processor's cache
   * between inflating and checksumming, and to keep the JDK's internal copies small.
   */
  private static final int CHUNK = 128 * 1024;

  private IdxFile() {}

  /**
   * Images without labels.
   *
   * @param count number of images, N
   * @param rows height in pixels
   * @param cols width in pixels
   * @param pixels (N, rows, cols), one unsigned byte a pixel
   */
  public record Images(int count, int rows, int cols, byte[] pixels) {}

  /**
   * A named source of bytes.
   *
   * @param name the name for messages
   * @param in the uncompressed bytes; who opened the stream closes it
   * @param length the size of the file in bytes, compressed or not; 0 for a stream
   * @param compressed whether the file is compressed, so that {@code in} gives another number of
   *     bytes than {@code length}
   */
  record Source(String name, InputStream in, long length, boolean compressed) {}

  /**
   * Reads an image file (magic number 0x00000803).
   *
   * @throws BadFileException if the file cannot be read or is not exactly an image file
   */
  public static Images readImages(Path file) {
    return read(file, IdxFile::images);
  }

  /**
   * Reads images from a stream of unknown length; memory grows with what arrives.
   *
   * @param name the name of the stream in messages
   * @throws BadFileException if the stream is not exactly an image file, plain or gzip
   */
  public static Images readImages(String name, InputStream stream) throws IOException {
    return readStream(name, stream, IdxFile::images);
  }

  /**
   * Reads a label file (magic number 0x00000801).
   *
   * @return (N), one unsigned byte an image
   * @throws BadFileException if the file cannot be read or is not exactly a label file
   */
  public static byte[] readLabels(Path file) {
    return read(file, IdxFile::labels);
  }

  static Images images(Source source) throws IOException {
    magic(source, IMAGES_MAGIC);
    int[] size = dimensions(source, "image", 3);
    return new Images(size[0], size[1], size[2], body(source, size, 1));
  }

  static byte[] labels(Source source) throws IOException {
    if (magic(source, LABELS_MAGIC, QMNIST_LABELS_MAGIC) == LABELS_MAGIC) {
      return body(source, dimensions(source, "label", 1), 1);
    }
    int[] size = dimensions(source, "label", 2);
    if (size[1] != QMNIST_COLUMNS) {
      throw bad(
          source,
          "labels of ints must have QMNIST's %d columns, found %d",
          QMNIST_COLUMNS,
          size[1]);
    }
    ByteBuffer rows = ByteBuffer.wrap(body(source, size, Integer.BYTES));
    byte[] labels = new byte[size[0]];
    for (int i = 0; i < labels.length; i++) {
      int label = rows.getInt(i * QMNIST_COLUMNS * Integer.BYTES);
      if (label < 0 || label > 255) {
        throw bad(source, "labels must be from 0 to 255, found %d at index %d", label, i);
      }
      labels[i] = (byte) label;
    }
    return labels;
  }

  /** Parses the content of one file: {@link #images} or {@link #labels}. */
  interface Parser<T> {
    T parse(Source source) throws IOException;
  }

  private static <T> T read(Path file, Parser<T> parser) {
    String name = file.toString();
    if (InputFile.isFolder(file)) {
      throw new BadFileException(name + ": this is a folder, not an IDX file");
    }
    if (InputFile.isStream(file)) {
      try (InputStream in = InputFile.open(file)) {
        return readStream(InputFile.name(file), in, parser);
      } catch (IOException e) {
        throw Reason.unreadable(InputFile.name(file), e);
      }
    }
    try (FileChannel channel = FileChannel.open(file)) {
      long length = channel.size();
      byte[] start = new byte[(int) Math.min(2, length)];
      channel.read(ByteBuffer.wrap(start), 0);
      InputStream plain = Channels.newInputStream(channel);
      if (!GzipInput.isGzip(start, 0)) {
        return parser.parse(new Source(name, plain, length, false));
      }
      if (length > MAX_ELEMENTS) {
        throw new BadFileException(
            "%s: the gzip file has %d bytes, more than the %d that can be read"
                .formatted(name, length, MAX_ELEMENTS));
      }
      byte[] compressed = new byte[(int) length];
      int n = fill(plain, compressed, 0);
      return parse(name, n < length ? Arrays.copyOf(compressed, n) : compressed, parser);
    } catch (IOException e) {
      throw Reason.unreadable(name, e);
    }
  }

  private static <T> T readStream(String name, InputStream stream, Parser<T> parser)
      throws IOException {
    InputStream in = new BufferedInputStream(stream, CHUNK);
    in.mark(2);
    byte[] start = in.readNBytes(2);
    in.reset();
    return GzipInput.isGzip(start, 0)
        ? parse(name, in.readNBytes(MAX_ELEMENTS), parser)
        : parser.parse(new Source(name, in, 0, true));
  }

  /** Parses a whole file that lies in memory. */
  static <T> T parse(String name, byte[] whole, Parser<T> parser) throws IOException {
    boolean compressed = GzipInput.isGzip(whole, 0);
    try (InputStream in =
        compressed ? new GzipInput(name, whole) : new ByteArrayInputStream(whole)) {
      return parser.parse(new Source(name, in, whole.length, compressed));
    }
  }

  /** Reads the magic number, which must be one of {@code expected}, the most usual one first. */
  private static int magic(Source source, int... expected) throws IOException {
    byte[] start = new byte[4];
    int n = fill(source.in(), start, 0);
    int magic = ByteBuffer.wrap(start).getInt();
    for (int each : expected) {
      if (n == start.length && magic == each) {
        return magic;
      }
    }
    String wanted = content(expected[0]);
    if (n == start.length && (magic == IMAGES_MAGIC || magic == LABELS_MAGIC)) {
      throw bad(source, "this IDX file holds %s, and %s belong here", content(magic), wanted);
    }
    if (FileKind.isIdx(Arrays.copyOf(start, n))) {
      throw bad(
          source,
          "this IDX file holds %s (type 0x%02x); %s can be read from unsigned bytes in %s alone",
          content(magic),
          magic >>> 8,
          wanted,
          expected[0] == IMAGES_MAGIC ? "3 dimensions" : "1 dimension");
    }
    byte[] more = Arrays.copyOf(start, FileKind.START_BYTES);
    n = fill(source.in(), more, n);
    String kind = FileKind.of(source.name(), Arrays.copyOf(more, n));
    throw bad(source, "this is %s, not an IDX file of %s", kind, wanted);
  }

  /** Says what a file with that magic number holds. */
  static String content(int magic) {
    if (magic == IMAGES_MAGIC) {
      return "images";
    }
    if (magic == LABELS_MAGIC) {
      return "labels";
    }
    String type =
        switch (magic >>> 8) {
          case 0x08 -> "unsigned bytes";
          case 0x09 -> "signed bytes";
          case 0x0b -> "shorts";
          case 0x0c -> "ints";
          case 0x0d -> "floats";
          case 0x0e -> "doubles";
          default -> "elements of the unknown type 0x%02x".formatted(magic >>> 8);
        };
    int dimensions = magic & 0xff;
    return "%s in %d dimension%s".formatted(type, dimensions, dimensions == 1 ? "" : "s");
  }

  /** Reads the dimensions: all must be positive, and their product an array that Java can hold. */
  private static int[] dimensions(Source source, String what, int count) throws IOException {
    byte[] header = new byte[4 * count];
    int n = fill(source.in(), header, 0);
    if (n < header.length) {
      throw bad(
          source,
          "the file is cut off: its header needs %d bytes, and it has %d",
          4 + header.length,
          4 + n);
    }
    int[] size = new int[count];
    ByteBuffer.wrap(header).asIntBuffer().get(size);
    if (size[0] == 0) {
      throw bad(source, "an empty set: must hold at least 1 %s, found 0", what);
    }
    long elements = 1;
    for (int d : size) {
      if (d < 1) {
        throw bad(source, "dimensions must be at least 1, found %d in %s", d, by(size));
      }
      // Both factors are below 2^31, so the product cannot overflow a long.
      elements *= d;
      if (elements > MAX_ELEMENTS) {
        throw bad(
            source, "dimensions must multiply to at most %d, found %s", MAX_ELEMENTS, by(size));
      }
    }
    return size;
  }

  private static String by(int[] size) {
    StringBuilder text = new StringBuilder();
    for (int d : size) {
      text.append(text.length() == 0 ? "" : "x").append(d);
    }
    return text.toString();
  }

  /**
   * Reads the elements after the header, which must reach to the end of the file exactly.
   *
   * @param size the dimensions, whose product is at most {@link #MAX_ELEMENTS}
   * @param width the number of bytes of an element
   */
  private static byte[] body(Source source, int[] size, int width) throws IOException {
    long need = width;
    for (int d : size) {
      need *= d;
    }
    if (need > MAX_ELEMENTS) {
      throw bad(
          source,
          "%s need %d bytes, more than the %d that can be read",
          content(size),
          need,
          MAX_ELEMENTS);
    }
    int bytes = (int) need;
    int headerBytes = 4 + 4 * size.length;
    long total = (long) headerBytes + bytes;
    if (!source.compressed() && source.length() != total) {
      throw wrongLength(source, size, total, source.length());
    }
    // The header of a compressed file may claim any size, and so the array begins at eight times
    // the file's size, which MNIST's files stay below, and doubles as more bytes arrive.
    long trusted = source.compressed() ? Math.max(CHUNK, 8 * source.length()) : bytes;
    byte[] data = new byte[(int) Math.min(bytes, trusted)];
    int n = fill(source.in(), data, 0);
    while (n == data.length && n < bytes) {
      data = Arrays.copyOf(data, (int) Math.min(bytes, 2L * n));
      n = fill(source.in(), data, n);
    }
    if (n < bytes) {
      throw wrongLength(source, size, total, headerBytes + n);
    }
    // Reading past the last element also makes a gzip stream check its CRC and its end.
    if (source.in().read() >= 0) {
      throw bad(
          source,
          "the file goes on after its end: %s need %d bytes, and it has more",
          content(size),
          total);
    }
    return data;
  }

  private static BadFileException wrongLength(Source source, int[] size, long total, long found) {
    String what =
        found < total
            ? "the file is cut off, copy it or fetch it again"
            : "the file goes on after its end";
    return bad(source, "%s: %s need %d bytes, and it has %d", what, content(size), total, found);
  }

  private static String content(int[] size) {
    return size.length < 3
        ? size[0] + " labels"
        : "%d images of %dx%d".formatted(size[0], size[1], size[2]);
  }

  /**
   * Reads until {@code buffer} is full or the stream ends; returns the number of bytes then in it.
   */
  private static int fill(InputStream in, byte[] buffer, int from) throws IOException {
    int n = from;
    while (n < buffer.length) {
      int got = in.read(buffer, n, Math.min(CHUNK, buffer.length - n));
      if (got < 0) {
        break;
      }
      n += got;
    }
    return n;
  }

  private static BadFileException bad(Source source, String finding, Object... values) {
    return new BadFileException(source.name() + ": " + finding.formatted(values));
  }
}
