package mlpcuda.input;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;
import mlpcuda.files.Reason;

/**
 * NumPy's arrays of one archive ({@code .npz}, a zip archive) or of one folder, by their names,
 * which are those of their files without {@code .npy}.
 */
final class NpyArrays implements AutoCloseable {
  private static final String ENDING = ".npy";

  /**
   * The most bytes that one byte of a compressed array can become, by the format of deflate: 258
   * bytes take two bits.
   */
  private static final long MOST_INFLATION = 1032;

  private final Path place;
  private final Optional<ZipFile> zip;
  private final Map<String, ZipEntry> entries = new TreeMap<>();
  private final Map<String, Path> files = new TreeMap<>();

  private NpyArrays(Path place, Optional<ZipFile> zip) {
    this.place = place;
    this.zip = zip;
  }

  /**
   * Opens an archive.
   *
   * @throws BadFileException if the file cannot be read, or is no zip archive
   */
  static NpyArrays ofArchive(Path file) {
    try {
      var zip = new ZipFile(file.toFile());
      var arrays = new NpyArrays(file, Optional.of(zip));
      zip.stream()
          .filter(entry -> isNpy(entry.getName()))
          .forEach(entry -> arrays.entries.put(stem(entry.getName()), entry));
      return arrays;
    } catch (IOException | IllegalArgumentException e) {
      IOException cause = e instanceof IOException io ? io : new IOException(e.getMessage(), e);
      throw Reason.unreadable(file, cause);
    }
  }

  /**
   * Lists the arrays in a folder.
   *
   * @throws BadFileException if the folder cannot be read
   */
  static NpyArrays ofFolder(Path folder) {
    var arrays = new NpyArrays(folder, Optional.empty());
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (isNpy(name) && Files.isRegularFile(file)) {
          arrays.files.put(stem(name), file);
        }
      }
      return arrays;
    } catch (IOException e) {
      throw Reason.unreadable(folder, e);
    } catch (UncheckedIOException e) {
      throw Reason.unreadable(folder, e.getCause());
    }
  }

  private static boolean isNpy(String name) {
    return name.toLowerCase(Locale.ROOT).endsWith(ENDING) && !name.startsWith(".");
  }

  /** The name of an array whose file has the given name. */
  static String stem(String file) {
    return file.substring(0, file.length() - ENDING.length());
  }

  /** The archive or the folder. */
  Path place() {
    return place;
  }

  SortedSet<String> names() {
    var names = new TreeSet<>(entries.keySet());
    names.addAll(files.keySet());
    return names;
  }

  /**
   * Opens the array of a name that {@link #names} contains.
   *
   * @throws BadFileException if it is malformed, or its size is not the one that its header needs
   */
  NumberArray get(String name) {
    return zip.isPresent() ? inArchive(name, entries.get(name)) : inFile(files.get(name));
  }

  /**
   * Opens the array of a file.
   *
   * @throws BadFileException if it is malformed, or its size is not the one that its header needs
   */
  static NumberArray inFile(Path file) {
    String name = file.toString();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      NpyHeader header = NpyHeader.read(name, in);
      checkLength(name, header, Files.size(file));
      NumberArray.Content content =
          () -> {
            FileChannel channel = FileChannel.open(file);
            channel.position(header.length());
            return Channels.newInputStream(channel);
          };
      var plain = new NumberArray.Place(file, header.length());
      return array(name, header, content, Optional.of(plain));
    } catch (IOException e) {
      throw Reason.unreadable(file, e);
    }
  }

  private NumberArray inArchive(String array, ZipEntry entry) {
    String name = place + ", array " + OneLine.start(array, 100);
    try (InputStream in = open(entry)) {
      NpyHeader header = NpyHeader.read(name, in);
      long bytes = checkLength(name, header, entry.getSize());
      long compressed = Math.min(entry.getCompressedSize(), Files.size(place));
      if (bytes / MOST_INFLATION > compressed) {
        throw new BadFileException(
            "%s: the array needs %,d bytes, and no %,d compressed bytes can hold so many"
                .formatted(name, bytes, compressed));
      }
      NumberArray.Content content =
          () -> {
            InputStream elements = open(entry);
            elements.skipNBytes(header.length());
            return elements;
          };
      return array(name, header, content, Optional.empty());
    } catch (IOException e) {
      throw Reason.unreadable(name, e);
    }
  }

  private InputStream open(ZipEntry entry) throws IOException {
    InputStream in = zip.orElseThrow().getInputStream(entry);
    if (in == null) {
      throw new IOException("the archive has lost it");
    }
    return new Verified(new BufferedInputStream(in, 1 << 16), entry.getCrc());
  }

  private static NumberArray array(
      String name,
      NpyHeader header,
      NumberArray.Content content,
      Optional<NumberArray.Place> plain) {
    return new NumberArray(
        name, header.type(), header.columnMajor(), header.shape(), content, plain);
  }

  /** Returns the length that the header needs, which must be the one that was found. */
  private static long checkLength(String name, NpyHeader header, long found) {
    long elements = NumberArray.bytes(name, header.type(), header.shape());
    if (elements != found - header.length()) {
      throw new BadFileException(
          "%s: %s: the header and the elements need %,d bytes, and there are %,d"
              .formatted(
                  name,
                  elements > found - header.length()
                      ? "the array is cut off, copy the file or fetch it again"
                      : "the file goes on after the end of the array",
                  elements + header.length(),
                  found));
    }
    return elements;
  }

  @Override
  public void close() {
    try {
      if (zip.isPresent()) {
        zip.get().close();
      }
    } catch (IOException e) {
      // What was read stays right.
    }
  }

  /** Checks at the end of an entry its CRC-32, which {@link ZipFile} does not look at. */
  private static final class Verified extends FilterInputStream {
    private final CRC32 crc = new CRC32();
    private final long stored;

    Verified(InputStream in, long stored) {
      super(in);
      this.stored = stored;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int at, int length) throws IOException {
      int n = super.read(to, at, length);
      if (n > 0) {
        crc.update(to, at, n);
      } else if (n < 0 && crc.getValue() != stored) {
        throw new IOException(
            "damaged: CRC-32 must be 0x%08x, found 0x%08x".formatted(stored, crc.getValue()));
      }
      return n;
    }

    @Override
    public long skip(long n) throws IOException {
      byte[] skipped = new byte[(int) Math.min(n, 1 << 13)];
      return Math.max(0, read(skipped, 0, skipped.length));
    }
  }
}
