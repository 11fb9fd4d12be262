package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests large tiles in single precision: whole ones, edges, several steps, and parts along K. */
class LargeProductsTest {
  /** The share of K of a part of the weights. */
  private static final int SHARE = 64;

  /** A product of operands that stand in memory as its kernel reads them. */
  private enum Product {
    FORWARD("linear_forward_large"),
    WEIGHTS("linear_backward_weights_large"),
    INPUTS("linear_backward_inputs_large");

    private final String entry;

    Product(String entry) {
      this.entry = entry;
    }

    /** Element k of row m of the first operand (M, K). */
    private float a(float[] a, int m, int k, int M, int K) {
      return this == WEIGHTS ? a[k * M + m] : a[m * K + k];
    }

    /** Element k of row n of the second operand (N, K). */
    private float b(float[] b, int n, int k, int N, int K) {
      return this == FORWARD ? b[n * K + k] : b[k * N + n];
    }

    private int parts(int K) {
      return this == WEIGHTS ? (K - 1) / SHARE + 1 : 1;
    }

    /** The outputs, each summed in the order of K, as the kernel must do it to the last bit. */
    float[] expected(float[] a, float[] b, float[] third, int M, int N, int K) {
      float[] outputs = new float[parts(K) * M * N];
      int share = this == WEIGHTS ? SHARE : K;
      for (int part = 0; part < parts(K); part++) {
        for (int m = 0; m < M; m++) {
          for (int n = 0; n < N; n++) {
            float sum = 0;
            for (int k = part * share; k < Math.min(K, (part + 1) * share); k++) {
              sum = Math.fma(a(a, m, k, M, K), b(b, n, k, N, K), sum);
            }
            int at = m * N + n;
            outputs[part * M * N + at] =
                switch (this) {
                  case FORWARD -> Math.max(0, sum + third[n]);
                  case WEIGHTS -> sum;
                  case INPUTS -> third[at] > 0 ? sum : 0;
                };
          }
        }
      }
      return outputs;
    }

    Arguments arguments(long output, long a, long b, long third, int M, int N, int K) {
      var arguments = new Arguments().address(output).address(a);
      int relu = Activation.RELU.ordinal();
      return switch (this) {
        case FORWARD -> {
          arguments.address(b).address(third).add("B", M).add("I", K).add("O", N);
          yield arguments.add("activation", relu);
        }
        case WEIGHTS ->
            arguments.address(b).add("B", K).add("I", N).add("O", M).add("share", SHARE);
        case INPUTS -> {
          arguments.address(third).address(b).add("B", M).add("I", N).add("O", K);
          yield arguments.add("below", relu);
        }
      };
    }
  }

  private static EmulatedOptions options(int major) {
    return EmulatedOptions.of(EmulatedPolicy.LATEST).withMajor(major).withMultiprocessors(1);
  }

  /**
   * Runs all products (M, N) on a device of compute capability {@code major}, and checks each bit.
   *
   * @param skipped the number of floats before the outputs and before what is read beside the
   *     operands: with 1, four outputs cannot be stored at once
   */
  private static void multiply(int major, int M, int N, int K, int skipped) {
    var random = new Random(20261129);
    try (var resources = new Resources()) {
      var driver = new EmulatedDriver(options(major).withoutCublas());
      var ops = resources.add(new CudaOps(driver, CudaOptions.DEFAULT));
      long stream = driver.createStream();
      resources.add(() -> driver.destroyStream(stream));
      var launches = new LaunchStream(driver, stream, Launching.CHECKED);
      KernelModule large = resources.add(new KernelModules(launches, Precision.FP32).large());
      for (Product product : Product.values()) {
        float[] a = values(random, M * K);
        float[] b = values(random, N * K);
        float[] third = values(random, M * N);
        int parts = product.parts(K);
        float[] untouched = new float[skipped + parts * M * N + 5];
        Arrays.fill(untouched, 1234);
        Buffer c = floats(resources, ops, untouched);
        float[] moved = new float[skipped + M * N];
        System.arraycopy(third, 0, moved, skipped, M * N);
        Arguments arguments =
            product.arguments(
                DeviceBuffer.address(c) + 4L * skipped,
                DeviceBuffer.address(floats(resources, ops, a)),
                DeviceBuffer.address(floats(resources, ops, b)),
                DeviceBuffer.address(floats(resources, ops, moved)) + 4L * skipped,
                M,
                N,
                K);
        Shape shape = Tiles.LARGE.cover(M, N, parts);
        large.launch(product.entry, shape, arguments);
        float[] found = new float[untouched.length];
        ops.read(c, found);
        float[] expected = product.expected(a, b, third, M, N, K);
        System.arraycopy(expected, 0, untouched, skipped, expected.length);
        assertArrayEquals(untouched, found, product.entry);
      }
    }
  }

  private static float[] values(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Buffer floats(Resources resources, CudaOps ops, float... values) {
    Buffer buffer = resources.add(ops.allocate("floats", Type.FLOAT32, values.length));
    ops.write(buffer, values);
    return buffer;
  }

  /** Tests a whole tile, and tiles at the edges of the matrix and of K. */
  @ParameterizedTest
  @CsvSource({"7, 128, 128, 64", "9, 128, 128, 64", "7, 132, 12, 76", "9, 132, 140, 76"})
  void eachSumIsTakenInTheOrderOfK(int major, int M, int N, int K) {
    multiply(major, M, N, K, 0);
  }

  /** Tests outputs that cannot be stored four at once. */
  @ParameterizedTest
  @ValueSource(ints = {7, 9})
  void outputsMayBeginAnywhere(int major) {
    multiply(major, 12, 20, 4, 1);
  }

  /** Tests that no lanes of a warp meet in a bank of shared memory. */
  @ParameterizedTest
  @ValueSource(ints = {7, 9})
  void lanesDoNotMeetInABank(int major) {
    Map<String, BankConflicts.Count> counts =
        BankConflicts.during(() -> multiply(major, 128, 128, 32, 0));
    assertEquals(3, counts.size(), counts.toString());
    counts.forEach((kernel, count) -> assertEquals(1, count.degree(), kernel + " has " + count));
  }

  /** Tests which kernel runs for operands of every alignment, on a device of one multiprocessor. */
  @Test
  void operandsThatAreNotMadeOfQuadsTakeMediumTiles() {
    assertEquals(Set.of("large_async/linear_forward_large"), ran(9, 128, 72));
    assertEquals(Set.of("large/linear_forward_large"), ran(7, 128, 72));
    assertEquals(Set.of("gemm/linear_forward_medium"), ran(9, 128, 71));
  }

  private static Set<String> ran(int major, int B, int I) {
    Map<String, Integer> before = EmulatedDriver.launches();
    var driver = new EmulatedDriver(options(major).withoutCublas());
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
        Buffer y = ops.allocate("y", Type.FLOAT32, B * 128);
        Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
        Buffer w = ops.allocate("w", Type.FLOAT32, 128 * I);
        Buffer b = ops.allocate("b", Type.FLOAT32, 128)) {
      for (Buffer buffer : List.of(x, w, b)) {
        ops.write(buffer, new float[buffer.length()]);
      }
      ops.linearForward(y, x, w, b, B, I, 128, Activation.NONE);
      ops.read(y, new float[1]);
    }
    Set<String> ran =
        EmulatedDriver.launches().entrySet().stream()
            .filter(entry -> entry.getValue() > before.getOrDefault(entry.getKey(), 0))
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    assertTrue(ran.size() <= 1, ran.toString());
    return ran;
  }
}
