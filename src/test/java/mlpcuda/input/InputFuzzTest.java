package mlpcuda.input;

import static mlpcuda.input.InputFiles.arrays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import mlpcuda.data.Part;
import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Reads ten thousand changed files of each format, and a thousand of random bytes: each is read, or
 * refused in one line that names it, with little memory. Failures name the round; the rounds are
 * always the same.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
@Tag("long")
class InputFuzzTest {
  private static final int MUTANTS = 10_000;
  private static final int RANDOM = 1000;

  /** Another number gives other rounds. */
  private static final long RUN = Long.getLong("mlpcuda.fuzz", 0);

  private static final long MIB = 1 << 20;

  /** A million columns, which a line of LIBSVM's format may ask for, are objects with names. */
  private static final long OF_COLUMNS = 400 * MIB;

  private static final long OF_OTHERS = 20 * MIB;

  @TempDir Path folder;

  /** A format: a good file of it, which the rounds change, and how it is read. */
  enum Kind {
    NPY_PIXELS("x.npy"),
    NPY_FLOATS("x.npy"),
    NPY_FORTRAN("x.npy"),
    NPY_LABELS("y.npy"),
    NPY_TEXTS("y.npy"),
    NPZ_STORED("f.npz"),
    NPZ_COMPRESSED("f.npz"),
    LIBSVM("f.libsvm"),
    LIBSVM_GZIP("f.libsvm"),
    IDX_FLOATS("train-images-idx3-ubyte"),
    IDX_GZIP("train-images-idx3-ubyte"),
    IDX_LABELS("train-labels-idx1-ubyte");

    final String file;

    Kind(String file) {
      this.file = file;
    }

    byte[] good() throws IOException {
      byte[] libsvm =
          "# text\n+1 1:0.5 3:-2e1\n-1 2:7 # end\ncat 1:1\n".getBytes(StandardCharsets.US_ASCII);
      byte[] images = idx(0x0d, 3, 2, 2);
      return switch (this) {
        case NPY_PIXELS -> InputFiles.npy(InputFiles.header("|u1", "(4, 3, 2)"), new byte[24]);
        case NPY_FLOATS -> Files.readAllBytes(InputFiles.FOLDER.resolve("version2.npy"));
        case NPY_FORTRAN ->
            InputFiles.npy(
                InputFiles.header(">f8", "(6, 2)").replace("False", "True"), new byte[96]);
        case NPY_LABELS -> InputFiles.npy(InputFiles.header("<i2", "(4,)"), new byte[8]);
        case NPY_TEXTS ->
            InputFiles.npy(
                InputFiles.header("<U2", "(4,)"),
                "abcdabcdabcdabcdabcdabcdabcdabcd"
                    .replaceAll("(.)", "$1\0\0\0")
                    .substring(0, 32)
                    .getBytes(StandardCharsets.US_ASCII));
        case NPZ_STORED -> Files.readAllBytes(InputFiles.FOLDER.resolve("types.npz"));
        case NPZ_COMPRESSED -> Files.readAllBytes(InputFiles.FOLDER.resolve("keras.npz"));
        case LIBSVM -> libsvm;
        case LIBSVM_GZIP -> gzip(libsvm);
        case IDX_FLOATS -> images;
        case IDX_GZIP -> gzip(images);
        case IDX_LABELS -> idx(0x0b, 3);
      };
    }

    Part read(Path folder) {
      Path path = folder.resolve(file);
      return switch (this) {
        case NPZ_STORED ->
            NumpyReader.read(path, arrays("f4_little", "labels_U"), ReadingProgress.NONE).train();
        case NPY_PIXELS, NPY_FLOATS, NPY_FORTRAN, NPZ_COMPRESSED ->
            NumpyReader.read(path, ReadOptions.DEFAULT, ReadingProgress.NONE).train();
        case NPY_LABELS, NPY_TEXTS ->
            NumpyReader.read(folder.resolve("x.npy"), ReadOptions.DEFAULT, ReadingProgress.NONE)
                .train();
        case LIBSVM, LIBSVM_GZIP -> LibsvmReader.read(path, Optional.empty(), ReadingProgress.NONE);
        default -> IdxReader.read(folder, ReadOptions.DEFAULT, ReadingProgress.NONE).train();
      };
    }

    /** Writes the files that this one needs beside it. */
    void writeOthers(Path folder) throws IOException {
      if (file.equals("y.npy")) {
        Files.write(
            folder.resolve("x.npy"),
            InputFiles.npy(InputFiles.header("|u1", "(4, 3, 2)"), new byte[24]));
      } else if (file.startsWith("train")) {
        for (String set : new String[] {"train", "t10k"}) {
          Files.write(folder.resolve(set + "-images-idx3-ubyte"), idx(0x0d, 3, 2, 2));
          Files.write(folder.resolve(set + "-labels-idx1-ubyte"), idx(0x0b, 3));
        }
      }
    }

    private static byte[] idx(int type, int... shape) {
      int elements = Arrays.stream(shape).reduce(type == 0x0d ? 4 : 2, (a, b) -> a * b);
      ByteBuffer file = ByteBuffer.allocate(4 + 4 * shape.length + elements);
      file.putInt(type << 8 | shape.length);
      Arrays.stream(shape).forEach(file::putInt);
      return file.array();
    }

    private static byte[] gzip(byte[] content) throws IOException {
      var bytes = new ByteArrayOutputStream();
      try (var gzip = new GZIPOutputStream(bytes)) {
        gzip.write(content);
      }
      return bytes.toByteArray();
    }
  }

  @ParameterizedTest
  @EnumSource
  void readOrRefusedInOneLine(Kind kind) throws IOException {
    byte[] good = kind.good();
    kind.writeOthers(folder);
    Files.write(folder.resolve(kind.file), good);
    kind.read(folder); // the first round also loads the JDK's classes
    var random = new Random(kind.ordinal() + 100 * RUN);
    int refused = 0;
    for (int round = 0; round < MUTANTS; round++) {
      refused += isRefused(kind, changed(good, random), "round " + round + " of " + kind) ? 1 : 0;
    }
    assertTrue(refused > MUTANTS / 10 && refused < MUTANTS, refused + " refused");
    for (int round = 0; round < RANDOM; round++) {
      byte[] bytes = new byte[random.nextInt(400)];
      random.nextBytes(bytes);
      // The signature is kept, which most random bytes would not get past.
      int kept = Math.min(bytes.length, kind.name().startsWith("LIBSVM") ? 2 : 8);
      System.arraycopy(good, 0, bytes, 0, random.nextInt(kept + 1));
      isRefused(kind, bytes, "random round " + round + " of " + kind);
    }
  }

  /** A file that was cut anywhere is refused, but for the end of a text and a comment of a zip. */
  @ParameterizedTest
  @EnumSource
  void cutAnywhere(Kind kind) throws IOException {
    byte[] good = kind.good();
    kind.writeOthers(folder);
    int read = 0;
    for (int length = 0; length < good.length; length += good.length > 2000 ? 23 : 1) {
      byte[] bytes = Arrays.copyOf(good, length);
      read += isRefused(kind, bytes, length + " bytes of " + kind) ? 0 : 1;
    }
    if (kind != Kind.LIBSVM) {
      assertEquals(0, read);
    }
  }

  /** Reads the file; returns whether it was refused, which must be in one line. */
  private boolean isRefused(Kind kind, byte[] bytes, String round) throws IOException {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Files.write(folder.resolve(kind.file), bytes);
    long before = threads.getCurrentThreadAllocatedBytes();
    boolean refused = false;
    try {
      Part part = kind.read(folder);
      for (float value : InputFiles.values(part.features().first(1))) {
        assertTrue(Float.isFinite(value), round);
      }
      part.labels().ifPresent(l -> assertEquals(part.features().size(), l.codes().length, round));
    } catch (BadFileException e) {
      refused = true;
      assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
      assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    } catch (RuntimeException | Error e) {
      fail(round, e);
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    long most = kind.name().startsWith("LIBSVM") ? OF_COLUMNS : OF_OTHERS;
    assertTrue(allocated < most + 1032L * 12 * bytes.length, allocated + " bytes in " + round);
    return refused;
  }

  private static byte[] changed(byte[] good, Random random) {
    byte[] bytes = good.clone();
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(8)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt();
      case 2 -> bytes = Arrays.copyOf(bytes, at);
      case 3 -> bytes = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(20));
      case 4 -> { // headers and the ends of archives say most
        for (int i = 0; i < 3; i++) {
          int near = random.nextInt(Math.min(64, bytes.length));
          bytes[random.nextBoolean() ? near : bytes.length - 1 - near] = (byte) random.nextInt();
        }
      }
      case 5 -> {
        byte[] extremes = {0, -1, 127, -128, 1, '0', '9', ' ', '#', ':', '\n', '(', '\''};
        bytes[random.nextInt(Math.min(128, bytes.length))] =
            extremes[random.nextInt(extremes.length)];
      }
      case 6 -> { // digits for digits give other shapes, types and indices
        for (int i = 0; i < bytes.length; i++) {
          if (bytes[i] >= '0' && bytes[i] <= '9' && random.nextInt(20) == 0) {
            bytes[i] = (byte) ('0' + random.nextInt(10));
          }
        }
      }
      default -> { // a piece in another place
        int from = random.nextInt(bytes.length);
        int length = Math.min(random.nextInt(40), bytes.length - Math.max(at, from));
        System.arraycopy(good, from, bytes, at, length);
      }
    }
    return bytes;
  }
}
