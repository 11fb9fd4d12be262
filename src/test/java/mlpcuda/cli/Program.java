package mlpcuda.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import mlpcuda.compute.cuda.CudaDriver;
import mlpcuda.compute.cuda.GpuProperties;
import mlpcuda.compute.cuda.Gpus;
import mlpcuda.error.DeviceException;

/** The result of a run of the program: its exit code and its two outputs. */
record Program(int code, String out, String err) {
  /** A machine without a GPU: most tests are of the CPU, wherever they run. */
  static final Gpus NO_GPUS =
      new Gpus() {
        @Override
        public List<GpuProperties> list() {
          throw new DeviceException("no GPU for a test of the CPU", "Look elsewhere.");
        }

        @Override
        public CudaDriver open(int index) {
          throw new DeviceException(
              "no GPU " + index + " for a test of the CPU", "Look elsewhere.");
        }
      };

  /** Runs the program as a user does, where there is no GPU. */
  static Program run(Object... args) {
    return run(NO_GPUS, args);
  }

  /** Runs the program as a user does who has these GPUs. */
  static Program run(Gpus gpus, Object... args) {
    return run(gpus, () -> false, args);
  }

  /** Runs the program as a user does who has these GPUs and presses Ctrl-C at some time. */
  static Program run(Gpus gpus, BooleanSupplier stopping, Object... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    Locale before = Locale.getDefault(Locale.Category.FORMAT);
    try {
      String[] texts = Stream.of(args).map(Object::toString).toArray(String[]::new);
      int code = Main.run(texts, new PrintWriter(out), new PrintWriter(err), gpus, stopping);
      return new Program(code, out.toString(), err.toString());
    } finally {
      Locale.setDefault(Locale.Category.FORMAT, before);
    }
  }

  /** {@link #run}, which must succeed. */
  static Program succeed(Object... args) {
    Program program = run(args);
    assertEquals(0, program.code, program.err);
    return program;
  }

  /** Splits a line of words into arguments, and adds {@code others}. */
  static Object[] words(String line, Object... others) {
    Stream<Object> first =
        Stream.<Object>of((Object[]) line.split(" ")).filter(word -> !word.equals(""));
    return Stream.concat(first, Stream.of(others)).toArray();
  }

  List<String> lines() {
    return out.lines().toList();
  }

  String lastLine() {
    return lines().get(lines().size() - 1);
  }

  /** Asserts that the program refused with that code, these lines and nothing on its output. */
  void assertRefused(int expected, String... lines) {
    assertEquals(List.of(lines), err.lines().toList());
    assertEquals(expected, code);
    assertEquals("", out);
  }

  static Map<String, Object> json(String text) {
    try {
      return JSON.std.with(JSON.Feature.FAIL_ON_DUPLICATE_MAP_KEYS).mapFrom(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes a data set that a network can learn: bright where the pixel's number is the label modulo
   * the classes, and noise elsewhere.
   *
   * @return {@code folder}
   */
  static Path writeData(Path folder, int rows, int cols, int classes, int train, int test) {
    var random = new Random(1);
    write(folder, "train", rows, cols, classes, train, random);
    write(folder, "t10k", rows, cols, classes, test, random);
    return folder;
  }

  private static void write(
      Path folder, String split, int rows, int cols, int classes, int count, Random random) {
    ByteBuffer images = ByteBuffer.allocate(16 + count * rows * cols);
    images.putInt(0x803).putInt(count).putInt(rows).putInt(cols);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      for (int pixel = 0; pixel < rows * cols; pixel++) {
        int light = pixel % classes == i % classes ? 100 : 0;
        images.put((byte) (light + random.nextInt(120)));
      }
      labels.put((byte) (i % classes));
    }
    try {
      Files.createDirectories(folder);
      Files.write(folder.resolve(split + "-images-idx3-ubyte"), images.array());
      Files.write(folder.resolve(split + "-labels-idx1-ubyte"), labels.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
