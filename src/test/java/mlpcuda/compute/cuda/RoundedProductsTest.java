package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Resources;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.Tiling.Tiles;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests products of operands that are rounded in memory, and the rounded copies of outputs. */
class RoundedProductsTest {
  private static final List<String> MADE = List.of("linear_forward", "linear_backward_inputs");
  private static final List<String> TILES =
      List.of("_thin", "_small", "_medium", "_medium_async", "_large_async");

  /** The content of a copy's words before a kernel writes there. */
  private static final int UNTOUCHED = 0x5ea1ed;

  /** A device with the module of products of a precision, and matrices for them. */
  private static final class Device implements AutoCloseable {
    private final Resources resources = new Resources();
    private final Random random = new Random(20261129);
    private final Precision precision;
    private final CudaOps ops;
    private final KernelModule gemm;

    Device(Precision precision) {
      var driver = new EmulatedDriver(EmulatedOptions.of(EmulatedPolicy.LATEST).withoutCublas());
      this.precision = precision;
      this.ops = resources.add(new CudaOps(driver, CudaOptions.DEFAULT.with(precision)));
      long stream = driver.createStream();
      resources.add(() -> driver.destroyStream(stream));
      var launches = new LaunchStream(driver, stream, Launching.CHECKED);
      gemm = resources.add(new KernelModules(launches, precision).ofPrecision("gemm"));
    }

    private float[] values(int n) {
      float[] values = new float[n];
      for (int i = 0; i < n; i++) {
        values[i] = (float) random.nextGaussian();
      }
      return values;
    }

    Buffer floats(float... values) {
      Buffer buffer = resources.add(ops.allocate("floats", Type.FLOAT32, values.length));
      ops.write(buffer, values);
      return buffer;
    }

    private Buffer words(int... values) {
      Buffer buffer = resources.add(ops.allocate("words", Type.INT32, values.length));
      ops.write(buffer, values, 0, values.length);
      return buffer;
    }

    int[] bits(Buffer floats) {
      float[] values = new float[floats.length()];
      ops.read(floats, values);
      return RoundedProductsTest.bits(values);
    }

    /** The words of {@code values} as rounded elements in memory. */
    int[] packed(float... values) {
      if (!precision.isHalf()) {
        return RoundedProductsTest.bits(rounded(values));
      }
      int[] words = new int[(values.length + 1) / 2];
      for (int i = 0; i < values.length; i++) {
        words[i / 2] |= half(precision.round(values[i])) << 16 * (i % 2);
      }
      return words;
    }

    private float[] rounded(float... values) {
      float[] rounded = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        rounded[i] = precision.round(values[i]);
      }
      return rounded;
    }

    /** The 16 bits of a normal or zero number that is rounded already. */
    private int half(float x) {
      int bits = Float.floatToRawIntBits(x);
      if (precision == Precision.BF16 || x == 0) {
        return bits >>> 16;
      }
      return bits >>> 16 & 0x8000 | (bits >>> 13) - (127 - 15 << 10) & 0x7fff;
    }

    /** Launches a product with outputs (M, N) at that address and, if not 0, a copy of them. */
    void multiply(String entry, int M, int N, int K, Matrices matrices, long output, long copy) {
      var arguments = new Arguments().address(output);
      boolean weights = entry.startsWith("linear_backward_weights");
      if (!weights) {
        arguments.address(copy);
      }
      arguments.address(matrices.a);
      boolean inputs = entry.startsWith("linear_backward_inputs");
      if (inputs) {
        arguments.address(matrices.third);
      }
      arguments.address(matrices.b);
      if (weights) {
        arguments.add("B", K).add("I", N).add("O", M).add("share", 64);
      } else if (inputs) {
        arguments.add("B", M).add("I", N).add("O", K);
        arguments.add("below", Activation.SIGMOID.ordinal());
      } else {
        arguments.address(matrices.third).add("B", M).add("I", K).add("O", N);
        arguments.add("activation", Activation.TANH.ordinal());
      }
      gemm.launch(entry, shape(entry, M, N, weights ? (K - 1) / 64 + 1 : 1), arguments);
    }

    private static Shape shape(String entry, int M, int N, int parts) {
      Tiles tiles =
          Stream.of(Tiles.values()).filter(t -> entry.contains(t.suffix())).findFirst().get();
      Shape all = tiles.cover(M, N, parts);
      boolean async = entry.endsWith("_async");
      return async ? new Shape(all.gridX(), all.gridY(), all.gridZ(), 128, 1) : all;
    }

    @Override
    public void close() {
      resources.close();
    }
  }

  /** The addresses of both operands, and of the bias or of the outputs of the layer below. */
  private record Matrices(long a, long b, long third) {}

  private static int[] bits(float... values) {
    return IntStream.range(0, values.length).map(i -> Float.floatToRawIntBits(values[i])).toArray();
  }

  /**
   * Tests the copy that each kernel writes beside its outputs, at an address where it writes four
   * at once, and at one where it cannot.
   */
  @ParameterizedTest
  @EnumSource(names = "FP32", mode = EnumSource.Mode.EXCLUDE)
  void theCopyIsTheOutputRounded(Precision precision) {
    int M = 20;
    int N = 36;
    int K = 24;
    int bytes = precision.isHalf() ? 2 : 4;
    try (var device = new Device(precision)) {
      float[] a = device.values(M * K);
      float[] b = device.values(N * K);
      long third = DeviceBuffer.address(device.floats(device.values(M * N)));
      var floats =
          new Matrices(
              DeviceBuffer.address(device.floats(a)),
              DeviceBuffer.address(device.floats(b)),
              third);
      var rounded =
          new Matrices(
              DeviceBuffer.address(device.words(device.packed(a))),
              DeviceBuffer.address(device.words(device.packed(b))),
              third);
      for (String product : MADE) {
        for (String tiles : TILES) {
          for (int skipped : new int[] {0, 4, 1}) {
            String entry = product + tiles;
            Matrices matrices = tiles.endsWith("_async") ? rounded : floats;
            float[] before = new float[skipped + M * N];
            Buffer y = device.floats(before);
            int[] untouched = new int[device.packed(before).length + 4];
            Arrays.fill(untouched, UNTOUCHED);
            Buffer copy = device.words(untouched);
            long output = DeviceBuffer.address(y) + 4L * skipped;
            long kept = DeviceBuffer.address(copy) + (long) bytes * skipped;
            device.multiply(entry, M, N, K, matrices, output, kept);
            String what = entry + " after " + skipped;
            float[] outputs = new float[before.length];
            device.ops.read(y, outputs);
            int[] found = new int[untouched.length];
            device.ops.read(copy, found);
            int[] expected = untouched.clone();
            int[] packed = device.packed(outputs);
            for (int i = skipped; i < outputs.length; i++) {
              int at = i * bytes / 4;
              int mask = bytes == 4 ? -1 : 0xffff << 16 * (i % 2);
              expected[at] = expected[at] & ~mask | packed[at] & mask;
            }
            assertArrayEquals(expected, found, what);
            Buffer without = device.floats(before);
            output = DeviceBuffer.address(without) + 4L * skipped;
            device.multiply(entry, M, N, K, matrices, output, 0);
            assertArrayEquals(device.bits(y), device.bits(without), what);
          }
        }
      }
    }
  }

  /** Tests copies of 8 and 16 bytes from memory: the sums are the same to the last bit. */
  @ParameterizedTest
  @EnumSource(names = "FP32", mode = EnumSource.Mode.EXCLUDE)
  void theAlignmentOfOperandsDoesNotChangeTheSums(Precision precision) {
    int M = 72;
    int N = 136;
    int K = 200; // several steps along K
    try (var device = new Device(precision)) {
      float[] a = device.values(M * K);
      float[] b = device.values(N * K);
      long third = DeviceBuffer.address(device.floats(device.values(M * N)));
      for (String product :
          List.of("linear_forward", "linear_backward_inputs", "linear_backward_weights")) {
        for (String tiles : List.of("_medium_async", "_large_async")) {
          int parts = product.endsWith("weights") ? 4 : 1;
          int[][] found = new int[2][];
          for (int moved = 0; moved < 2; moved++) {
            Buffer y = device.floats(new float[parts * M * N]);
            var matrices =
                new Matrices(
                    DeviceBuffer.address(moved(device, a, 2 * moved)) + 8L * moved,
                    DeviceBuffer.address(moved(device, b, 2 * moved)) + 8L * moved,
                    third);
            device.multiply(product + tiles, M, N, K, matrices, DeviceBuffer.address(y), 0);
            found[moved] = device.bits(y);
          }
          assertArrayEquals(found[0], found[1], product + tiles);
        }
      }
    }
  }

  private static Buffer moved(Device device, float[] values, int words) {
    int[] packed = device.packed(values);
    int[] all = new int[words + packed.length];
    System.arraycopy(packed, 0, all, words, packed.length);
    return device.words(all);
  }

  /** Tests which kernel runs for operands of every alignment, on a device of one processor. */
  @ParameterizedTest
  @EnumSource(names = {"BF16", "TF32"})
  void operandsThatCanBeCopiedAre(Precision precision) {
    boolean half = precision.isHalf();
    assertEquals("linear_forward_large_async", ran(precision, 128, 72, 128));
    assertEquals("linear_forward_medium_async", ran(precision, 44, 52, 36));
    String unlessHalf = half ? "" : "_async";
    assertEquals("linear_forward_medium" + unlessHalf, ran(precision, 44, 50, 36));
    assertEquals(
        half ? "linear_forward_medium" : "linear_forward_large_async",
        ran(precision, 128, 70, 128));
    assertEquals("linear_forward_medium", ran(precision, 128, 71, 128));
    assertEquals("linear_forward_small", ran(precision, 20, 72, 20));
  }

  private static String ran(Precision precision, int B, int I, int O) {
    var options = EmulatedOptions.of(EmulatedPolicy.LATEST).withMultiprocessors(1);
    Map<String, Integer> before = EmulatedDriver.launches();
    var driver = new EmulatedDriver(options.withoutCublas());
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT.with(precision));
        Buffer y = ops.allocate("y", Type.FLOAT32, B * O);
        Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
        Buffer w = ops.allocate("w", Type.FLOAT32, O * I);
        Buffer b = ops.allocate("b", Type.FLOAT32, O)) {
      for (Buffer buffer : List.of(x, w, b)) {
        ops.write(buffer, new float[buffer.length()]);
      }
      ops.linearForward(y, x, w, b, B, I, O, Activation.NONE);
      ops.read(y, new float[1]);
    }
    Set<String> ran =
        EmulatedDriver.launches().entrySet().stream()
            .filter(entry -> entry.getValue() > before.getOrDefault(entry.getKey(), 0))
            .map(entry -> entry.getKey().replaceFirst(".*/", ""))
            .filter(entry -> entry.startsWith("linear"))
            .collect(Collectors.toSet());
    assertEquals(1, ran.size(), ran.toString());
    return ran.iterator().next();
  }

  /** Tests that no lanes of a warp meet in a bank, with either width of copies. */
  @ParameterizedTest
  @EnumSource(names = "FP32", mode = EnumSource.Mode.EXCLUDE)
  void lanesDoNotMeetInABank(Precision precision) {
    Map<String, BankConflicts.Count> counts =
        BankConflicts.during(() -> theAlignmentOfOperandsDoesNotChangeTheSums(precision));
    assertEquals(6, counts.size(), counts.toString());
    counts.forEach((kernel, count) -> assertEquals(1, count.degree(), kernel + " has " + count));
  }
}
