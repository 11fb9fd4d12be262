package mlpcuda.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads IDX files of unsigned bytes: images of three dimensions and labels of one, plain or gzip
 * (told apart by the first bytes, not by the name). A file that is not exactly what its header says
 * is a {@link BadFileException}.
 *
 * <p>Source: "The IDX file format" at <a href="http://yann.lecun.com/exdb/mnist/">the MNIST page
 * </a>: two zero bytes, element type, number of dimensions, the dimensions as big-endian ints, the
 * elements in row-major order.
 */
public final class IdxFile {
  private static final int LABELS_MAGIC = 0x00000801;
  private static final int IMAGES_MAGIC = 0x00000803;

  /** The largest array that common JVMs give. */
  private static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;

  /**
   * Bytes asked of a stream at once: small enough to stay in the cache between inflating and
   * checksums, and to keep the JDK's hidden copy buffers small.
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
   * Bytes with a name.
   *
   * @param name for messages
   * @param in gives the uncompressed bytes; whoever made it closes it
   * @param length bytes that lie in the file, compressed or not
   * @param compressed whether {@code in} gives other bytes than lie in the file
   */
  record Source(String name, InputStream in, long length, boolean compressed) {}

  /**
   * Reads an image file (magic number 0x00000803).
   *
   * @throws BadFileException if it cannot be read or is not exactly such a file
   */
  public static Images readImages(Path file) {
    return read(file, IdxFile::images);
  }

  /**
   * Reads a label file (magic number 0x00000801).
   *
   * @return (N), one unsigned byte an image
   * @throws BadFileException if it cannot be read or is not exactly such a file
   */
  public static byte[] readLabels(Path file) {
    return read(file, IdxFile::labels);
  }

  static Images images(Source source) throws IOException {
    int[] size = header(source, IMAGES_MAGIC, 3);
    return new Images(size[0], size[1], size[2], body(source, size));
  }

  static byte[] labels(Source source) throws IOException {
    return body(source, header(source, LABELS_MAGIC, 1));
  }

  /** Makes the content of one file, {@link #images} or {@link #labels}. */
  interface Parser<T> {
    T parse(Source source) throws IOException;
  }

  private static <T> T read(Path file, Parser<T> parser) {
    String name = file.toString();
    if (Files.isDirectory(file)) {
      throw new BadFileException(name + ": must be a file, found a folder");
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
            "%s: a gzip file must have at most %d bytes, found %d"
                .formatted(name, MAX_ELEMENTS, length));
      }
      byte[] compressed = new byte[(int) length];
      int n = fill(plain, compressed, 0);
      byte[] whole = n < length ? Arrays.copyOf(compressed, n) : compressed;
      try (InputStream inflated = new GzipInput(name, whole)) {
        return parser.parse(new Source(name, inflated, n, true));
      }
    } catch (IOException e) {
      throw BadFileException.unreadable(name, e);
    }
  }

  /** The dimensions, all positive, and together an array that Java can hold. */
  private static int[] header(Source source, int magic, int dimensions) throws IOException {
    byte[] header = new byte[4 + 4 * dimensions];
    int n = fill(source.in(), header, 0);
    // The magic number first: it says more than the length if another kind of file was given.
    if (n >= 4) {
      int found = ByteBuffer.wrap(header).getInt();
      if (found != magic) {
        throw bad(
            source,
            "magic number must be 0x%08x (%s), found 0x%08x%s",
            magic,
            magic == IMAGES_MAGIC ? "images" : "labels",
            found,
            meaning(found));
      }
    }
    if (n < header.length) {
      throw bad(source, "truncated: the header must have %d bytes, found %d", header.length, n);
    }
    int[] size = new int[dimensions];
    ByteBuffer.wrap(header, 4, header.length - 4).asIntBuffer().get(size);
    if (size[0] == 0) {
      String what = magic == IMAGES_MAGIC ? "image" : "label";
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

  private static String meaning(int magic) {
    if (magic == IMAGES_MAGIC) {
      return " (images)";
    }
    if (magic == LABELS_MAGIC) {
      return " (labels)";
    }
    String type =
        switch (magic >>> 8) {
          case 0x08 -> "unsigned bytes";
          case 0x09 -> "signed bytes";
          case 0x0b -> "shorts";
          case 0x0c -> "ints";
          case 0x0d -> "floats";
          case 0x0e -> "doubles";
          default -> "";
        };
    return type.isEmpty() ? "" : " (%s in %d dimensions)".formatted(type, magic & 0xff);
  }

  /** The elements after the header, which must reach to the end of the file exactly. */
  private static byte[] body(Source source, int[] size) throws IOException {
    int headerBytes = 4 + 4 * size.length;
    int elements = 1;
    for (int d : size) {
      elements *= d;
    }
    long total = (long) headerBytes + elements;
    if (!source.compressed() && source.length() != total) {
      throw wrongLength(source, size, total, source.length());
    }
    // Of a compressed file the header is but a claim: the array starts at a small multiple of the
    // bytes that are really there, and doubles as more arrive. MNIST is below eight: no copy.
    long trusted = source.compressed() ? Math.max(CHUNK, 8 * source.length()) : elements;
    byte[] data = new byte[(int) Math.min(elements, trusted)];
    int n = fill(source.in(), data, 0);
    while (n == data.length && n < elements) {
      data = Arrays.copyOf(data, (int) Math.min(elements, 2L * n));
      n = fill(source.in(), data, n);
    }
    if (n < elements) {
      throw wrongLength(source, size, total, headerBytes + n);
    }
    // Reading on is also what makes a gzip stream check its CRC and its end.
    if (source.in().read() >= 0) {
      throw bad(
          source,
          "bytes after the end: %s need %d bytes, found at least %d",
          content(size),
          total,
          total + 1);
    }
    return data;
  }

  private static BadFileException wrongLength(Source source, int[] size, long total, long found) {
    String rule = found < total ? "truncated" : "bytes after the end";
    return bad(source, "%s: %s need %d bytes, found %d", rule, content(size), total, found);
  }

  private static String content(int[] size) {
    return size.length == 1
        ? size[0] + " labels"
        : "%d images of %dx%d".formatted(size[0], size[1], size[2]);
  }

  /** Reads until {@code buffer} is full or the stream ends; the number of bytes then in it. */
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
