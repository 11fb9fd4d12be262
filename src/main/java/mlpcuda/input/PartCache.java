package mlpcuda.input;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mlpcuda.data.Column;
import mlpcuda.data.LabelColumn;
import mlpcuda.data.Layout;
import mlpcuda.data.Part;
import mlpcuda.features.Features;
import mlpcuda.features.FeaturesBuilder;
import mlpcuda.files.Sha256;
import mlpcuda.files.WholeFile;

/**
 * Keeps what readers found as files of the program's cache folder, so that the next start maps
 * features instead of reading tables and pictures again. An entry belongs to the paths, sizes and
 * times of the files that were read, and to the options. A cache that cannot be read or written is
 * no error: the files are read again.
 */
final class PartCache {
  /** Features of fewer bytes are read again faster than anyone notices. */
  static final long LEAST_BYTES = 16 << 20;

  /** The most bytes of all entries; the ones that were used longest ago are deleted first. */
  private static final long MOST_BYTES = 32L << 30;

  /** The version of the format of an entry, and of what readers make of files. */
  private static final String VERSION = "mlp-cuda-part-1";

  private static final int ALIGNMENT = 64;

  private final Path folder;
  private final long leastBytes;

  /** A cache in that folder, which may not exist yet, of sets of at least so many bytes. */
  PartCache(Path folder, long leastBytes) {
    this.folder = folder;
    this.leastBytes = leastBytes;
  }

  /**
   * Returns the entry of that key or, if there is none, what {@code reader} reads, and keeps that.
   *
   * @param key the files and the options: see {@link #key}
   */
  Parts get(String key, Supplier<Parts> reader) {
    Optional<Parts> kept = read(key);
    if (kept.isPresent()) {
      return kept.get();
    }
    Parts parts = reader.get();
    if (bytes(parts) >= leastBytes) {
      write(key, parts);
    }
    return parts;
  }

  private static long bytes(Parts parts) {
    return Stream.of(Optional.of(parts.train()), parts.test(), parts.validation())
        .flatMap(Optional::stream)
        .mapToLong(part -> part.features().bytes())
        .sum();
  }

  /**
   * The key of files that are read with those options: a digest of the path, size and time of each.
   *
   * @param path a file, or a folder with all that is below it
   * @throws IOException if a file cannot be looked at
   */
  static String key(Path path, ReadOptions options) throws IOException {
    MessageDigest digest = Sha256.begin();
    add(digest, VERSION + options + path.toAbsolutePath());
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile).sorted()::iterator) {
        add(digest, file + " " + Files.size(file) + " " + Files.getLastModifiedTime(file));
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }

  private static void add(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0); // a byte between texts, because "a" + "bc" must not equal "ab" + "c"
  }

  private Path file(String key, String set) {
    return folder.resolve(key + "-" + set);
  }

  private void write(String key, Parts parts) {
    try {
      Files.createDirectories(folder);
      if (Files.getFileStore(folder).getUsableSpace() < 2 * bytes(parts)) {
        return;
      }
      makeSpace(bytes(parts));
      if (parts.test().isPresent()) {
        write(file(key, "test"), parts.test().get());
      }
      if (parts.validation().isPresent()) {
        write(file(key, "validation"), parts.validation().get());
      }
      write(file(key, "train"), parts.train()); // written last: an entry is there if this one is
    } catch (IOException | UncheckedIOException e) {
      // The files are read again at the next start.
    }
  }

  private void makeSpace(long bytes) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> oldest = new ArrayList<>(files.toList());
      oldest.sort(Comparator.comparing(PartCache::time));
      long all = bytes;
      for (Path file : oldest) {
        all += Files.size(file);
      }
      for (Path file : oldest) {
        if (all > MOST_BYTES) {
          all -= Files.size(file);
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static FileTime time(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }

  private static void write(Path file, Part part) {
    WholeFile.write(
        file,
        stream -> {
          var counted = new Counted(stream);
          var out = new DataOutputStream(counted);
          writeHead(out, part);
          out.flush();
          while (counted.bytes % ALIGNMENT != 0) {
            out.write(0);
            out.flush();
          }
          Features features = part.features();
          var row = ByteBuffer.allocate(features.width() * features.type().bytes());
          for (int i = 0; i < features.size(); i++) {
            features.copy(i, row, 0);
            out.write(row.array());
          }
          out.flush();
        });
  }

  /** Counts the bytes that are written. */
  private static final class Counted extends FilterOutputStream {
    private long bytes;

    Counted(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      bytes++;
    }

    @Override
    public void write(byte[] values, int from, int length) throws IOException {
      out.write(values, from, length);
      bytes += length;
    }
  }

  private static void writeHead(DataOutputStream out, Part part) throws IOException {
    out.writeUTF(VERSION);
    out.writeUTF(part.name());
    Features features = part.features();
    out.writeUTF(features.type().name());
    out.writeInt(features.size());
    out.writeInt(features.width());
    if (part.layout() instanceof Layout.Images images) {
      out.writeInt(images.rows());
      out.writeInt(images.cols());
      out.writeInt(images.channels());
    } else if (part.layout() instanceof Layout.Columns columns) {
      out.writeInt(0);
      out.writeInt(columns.columns().size());
      for (Column column : columns.columns()) {
        out.writeUTF(column.name());
        out.writeFloat(column.missing());
        writeTexts(out, column.words());
      }
    }
    out.writeBoolean(part.labels().isPresent());
    if (part.labels().isPresent()) {
      LabelColumn labels = part.labels().get();
      writeTexts(out, labels.names());
      for (int code : labels.codes()) {
        out.writeInt(code);
      }
    }
    out.writeBoolean(part.weights().isPresent());
    if (part.weights().isPresent()) {
      for (float weight : part.weights().get()) {
        out.writeFloat(weight);
      }
    }
  }

  private static void writeTexts(DataOutputStream out, List<String> texts) throws IOException {
    out.writeInt(texts.size());
    for (String text : texts) {
      out.writeUTF(text);
    }
  }

  private Optional<Parts> read(String key) {
    Path train = file(key, "train");
    if (!Files.exists(train)) {
      return Optional.empty();
    }
    try {
      Parts parts =
          new Parts(
              readPart(train),
              readPartIfAny(file(key, "test")),
              readPartIfAny(file(key, "validation")),
              List.of());
      Files.setLastModifiedTime(train, FileTime.fromMillis(System.currentTimeMillis()));
      return Optional.of(parts);
    } catch (IOException | RuntimeException e) {
      return Optional.empty(); // a damaged entry: it is written anew
    }
  }

  private static Optional<Part> readPartIfAny(Path file) throws IOException {
    return Files.exists(file) ? Optional.of(readPart(file)) : Optional.empty();
  }

  private static Part readPart(Path file) throws IOException {
    try (var counted = new ReadingCount(Files.newInputStream(file));
        var in = new DataInputStream(counted)) {
      if (!in.readUTF().equals(VERSION)) {
        throw new IOException("another version");
      }
      String name = in.readUTF();
      Features.Type type = Features.Type.valueOf(in.readUTF());
      int size = in.readInt();
      int width = in.readInt();
      Layout layout = readLayout(in);
      Optional<LabelColumn> labels = Optional.empty();
      if (in.readBoolean()) {
        labels = Optional.of(new LabelColumn(readTexts(in), readInts(in, size)));
      }
      Optional<float[]> weights = Optional.empty();
      if (in.readBoolean()) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
          values[i] = in.readFloat();
        }
        weights = Optional.of(values);
      }
      long from = (counted.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      long bytes = (long) size * width * type.bytes();
      if (Files.size(file) != from + bytes || layout.inputs() != width) {
        throw new IOException("another length");
      }
      return new Part(
          name, layout, FeaturesBuilder.map(file, from, type, size, width), labels, weights);
    }
  }

  /** Counts the bytes that are read, for the place of the features behind the head. */
  private static final class ReadingCount extends BufferedInputStream {
    private long bytes;

    ReadingCount(InputStream in) {
      super(in, 1 << 16);
    }

    @Override
    public synchronized int read() throws IOException {
      int value = super.read();
      bytes += value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public synchronized int read(byte[] to, int from, int length) throws IOException {
      int count = super.read(to, from, length);
      bytes += Math.max(0, count);
      return count;
    }
  }

  private static Layout readLayout(DataInputStream in) throws IOException {
    int rows = in.readInt();
    int cols = in.readInt();
    if (rows > 0) {
      return new Layout.Images(rows, cols, in.readInt());
    }
    var columns = new ArrayList<Column>();
    for (int i = 0; i < cols; i++) {
      String name = in.readUTF();
      float missing = in.readFloat();
      columns.add(new Column(name, readTexts(in), missing));
    }
    return new Layout.Columns(columns);
  }

  private static List<String> readTexts(DataInputStream in) throws IOException {
    int count = in.readInt();
    var texts = new ArrayList<String>();
    for (int i = 0; i < count; i++) {
      texts.add(in.readUTF());
    }
    return texts;
  }

  private static int[] readInts(DataInputStream in, int count) throws IOException {
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.readInt();
    }
    return values;
  }
}
