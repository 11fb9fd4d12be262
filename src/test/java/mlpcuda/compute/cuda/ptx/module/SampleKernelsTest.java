package mlpcuda.compute.cuda.ptx.module;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.machine.Accesses;
import mlpcuda.random.Philox;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that kernels that nvcc compiled from CUDA compute the same as plain loops. */
class SampleKernelsTest {
  private static PtxModule module;
  private final Emulation emulation = new Emulation();
  private final Random random = new Random(7);

  @BeforeAll
  static void parse() throws IOException {
    try (InputStream in = SampleKernelsTest.class.getResourceAsStream("samples.ptx")) {
      module = PtxModule.parse("samples", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private Accesses run(String entry, Shape shape, Arguments arguments) {
    return module.run(entry, shape, arguments, emulation.memory);
  }

  private float[] floats(int count, float scale) {
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = scale * (float) random.nextGaussian();
    }
    return x;
  }

  private byte[] bytes(int count, int below) {
    byte[] x = new byte[count];
    for (int i = 0; i < count; i++) {
      x[i] = (byte) random.nextInt(below);
    }
    return x;
  }

  @Test
  void parameters() {
    assertEquals("pppiii", module.parameters("blas"));
    assertEquals("ppppppffff", module.parameters("adam"));
    assertEquals("ppppif", module.parameters("dropout"));
  }

  @ParameterizedTest
  @CsvSource({"64, 128, 784", "64, 64, 8", "1, 1, 1", "65, 63, 9", "7, 130, 17"})
  void product(int m, int n, int k) {
    float[] a = floats(m * k, 1);
    float[] b = floats(k * n, 1);
    long pa = emulation.of(a);
    long pb = emulation.of(b);
    long pc = emulation.memory.allocate(4L * m * n);
    Accesses accesses =
        run(
            "blas",
            new Shape((n + 63) / 64, (m + 63) / 64, 1, 256, 1),
            new Arguments().address(pa).address(pb).address(pc).add(m).add(n).add(k));
    float[] expected = new float[m * n];
    for (int i = 0; i < m * n; i++) {
      for (int q = 0; q < k; q++) {
        expected[i] = Math.fma(a[i / n * k + q], b[q * n + i % n], expected[i]);
      }
    }
    assertArrayEquals(expected, emulation.floats(pc, m * n));
    assertEquals(Set.of(pa, pb), accesses.read());
    assertEquals(Set.of(pc), accesses.written());
  }

  @ParameterizedTest
  @CsvSource({"5, 10", "1, 1", "9, 33", "3, 100"})
  void softmax(int rows, int cols) {
    float[] x = floats(rows * cols, 5);
    byte[] labels = bytes(rows, cols);
    long y = emulation.memory.allocate(4L * rows * cols);
    long loss = emulation.memory.allocate(4L * rows);
    run(
        "softmax",
        Emulation.shape((rows + 3) / 4, 128),
        new Arguments()
            .address(emulation.of(x))
            .address(y)
            .address(loss)
            .address(emulation.of(labels))
            .add(rows)
            .add(cols));
    float[] actual = emulation.floats(y, rows * cols);
    float[] losses = emulation.floats(loss, rows);
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (int i = 0; i < cols; i++) {
        sum += Math.exp(x[row * cols + i]);
      }
      for (int i = 0; i < cols; i++) {
        double expected = Math.exp(x[row * cols + i]) / sum;
        assertEquals(expected, actual[row * cols + i], 4e-6 * expected);
      }
      assertEquals(Math.log(sum) - x[row * cols + labels[row]], losses[row], 1e-5);
    }
  }

  private float[] activation(int kind, float... x) {
    long y = emulation.memory.allocate(4L * x.length);
    run(
        "activation",
        Emulation.shape(2, 64),
        new Arguments()
            .address(emulation.of(x))
            .address(emulation.of(0f, 0f))
            .address(y)
            .add(x.length)
            .add(2)
            .add(kind));
    return emulation.floats(y, x.length);
  }

  private void checkActivation(int kind, float[] x, DoubleUnaryOperator expected, double error) {
    float[] y = activation(kind, x);
    for (int i = 0; i < x.length; i++) {
      double e = expected.applyAsDouble(x[i]);
      assertEquals(e, y[i], error * Math.abs(e), kind + " of " + x[i]);
    }
  }

  @Test
  void activations() {
    float[] x = floats(300, 3);
    checkActivation(1, x, v -> Math.max(v, 0), 0);
    checkActivation(2, x, v -> 1 / (1 + Math.exp(-v)), 1e-6);
    checkActivation(3, x, Math::tanh, 1e-6);
    checkActivation(4, x, v -> v >= 0 ? v : 0.01f * v, 1e-7);
    checkActivation(5, x, v -> Math.log1p(Math.exp(v)), 1e-6);
    checkActivation(6, x, Math::expm1, 1e-6);
    checkActivation(10, x, v -> v, 1e-7);
    checkActivation(13, x, v -> Math.max(0, Math.min(1, v)), 0);
    checkActivation(14, x, v -> v % 3, 0);
    checkActivation(17, x, v -> 8 * v, 0);
  }

  @Test
  void activationsOfPositiveNumbers() {
    float[] x = floats(300, 3);
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.abs(x[i]);
    }
    checkActivation(12, x, v -> Math.exp(v) + Math.log(v) + v / 3, 1e-5);
    checkActivation(8, x, v -> 1 / Math.sqrt(v), 3e-7);
    checkActivation(11, x, v -> Math.pow(v, 3.5), 2e-6);
    checkActivation(
        9, x, v -> Math.floor(v + 0.5) + Math.rint(v) + 2 * Math.floor(v) + Math.ceil(v), 0);
    checkActivation(16, new float[] {1.5f, 2, 9}, SampleKernelsTest::powersAndLogarithms, 1e-6);
  }

  private static double powersAndLogarithms(double v) {
    return Math.pow(2, v) + Math.log(v) / Math.log(2) + Math.log10(v);
  }

  @Test
  void activationsOfSpecialNumbers() {
    float inf = Float.POSITIVE_INFINITY;
    float[] special = {Float.NaN, inf, -inf, 0};
    assertArrayEquals(new float[] {1, 2, 2, 3}, activation(15, special));
    assertArrayEquals(new float[] {Float.NaN, 1, 0, 0.5f}, activation(2, special));
    assertArrayEquals(new float[] {Float.NaN, 1, -1, 0}, activation(3, special));
    assertEquals(1, activation(2, 100)[0]);
    assertEquals(0, activation(2, -110)[0], 1e-44f);
  }

  @Test
  void adam() {
    int n = 1000;
    float[] w = floats(n, 1);
    float[] g = floats(n, 1);
    float[] m = floats(n, 0.1f);
    float[] v = floats(n, 0.1f);
    for (int i = 0; i < n; i++) {
      v[i] *= v[i];
    }
    long pw = emulation.of(w);
    long pm = emulation.of(m);
    long pv = emulation.of(v);
    run(
        "adam",
        Emulation.shape(3, 128),
        new Arguments()
            .address(pw)
            .address(emulation.of(g))
            .address(pm)
            .address(pv)
            .address(emulation.of(13L))
            .add((long) n)
            .add(0.001f)
            .add(0.9f)
            .add(0.999f)
            .add(1e-8f));
    double first = 1 - Math.pow(0.9f, 13);
    double second = 1 - Math.pow(0.999f, 13);
    for (int i = 0; i < n; i++) {
      double mi = 0.9 * m[i] + 0.1 * g[i];
      double vi = 0.999 * v[i] + 0.001 * g[i] * g[i];
      assertEquals(mi, emulation.floats(pm, n)[i], 1e-6);
      assertEquals(vi, emulation.floats(pv, n)[i], 1e-6);
      double step = 0.001 * (mi / first) / (Math.sqrt(vi / second) + 1e-8);
      assertEquals(w[i] - step, emulation.floats(pw, n)[i], 1e-6);
    }
  }

  @Test
  void dropout() {
    int quads = 100;
    float[] ones = new float[4 * quads];
    Arrays.fill(ones, 1);
    long y = emulation.of(ones);
    long mask = emulation.memory.allocate(4 * quads);
    long seed = 0x123456789abcdefL;
    run(
        "dropout",
        Emulation.shape(2, 64),
        new Arguments()
            .address(y)
            .address(mask)
            .add(seed)
            .address(emulation.of(1000L))
            .add(quads)
            .add(0.75f));
    float[] dropped = emulation.floats(y, 4 * quads);
    int[] masks = emulation.ints(mask, quads);
    int kept = 0;
    for (int i = 0; i < 4 * quads; i++) {
      int[] words = new int[4];
      Philox.block(words, 1000 + i / 4, 0, 0, Philox.Use.INITIAL_WEIGHTS, seed);
      boolean keep = Integer.toUnsignedLong(words[i % 4]) < 0.75 * 4294967296.0;
      kept += keep ? 1 : 0;
      assertEquals(keep ? 1 / 0.75f : 0, dropped[i]);
      assertEquals(keep ? 1 : 0, masks[i / 4] >> i % 4 & 1);
    }
    assertTrue(kept > 250 && kept < 350);
  }

  @Test
  void gather() {
    int size = 35;
    int count = 6;
    byte[] pixels = bytes(size * 20, 256);
    int[] order = {3, 19, 0, 0, 7, 12};
    long x = emulation.memory.allocate(4L * size * count);
    run(
        "gather",
        Emulation.shape(2, 64),
        new Arguments()
            .address(emulation.of(pixels))
            .address(emulation.of(order))
            .address(x)
            .add(count)
            .add(size)
            .add(0.5f)
            .add(0.25f));
    float[] actual = emulation.floats(x, size * count);
    for (int i = 0; i < actual.length; i++) {
      float pixel = pixels[order[i / size] * size + i % size] & 255;
      assertEquals((pixel / 255f - 0.5f) / 0.25f, actual[i]);
    }
  }

  @Test
  void gatherOfFourBytes() {
    byte[] pixels = bytes(400, 256);
    long x = emulation.memory.allocate(1600);
    run(
        "gather4",
        Emulation.shape(1, 128),
        new Arguments().address(emulation.of(pixels)).address(x).add(100));
    float[] actual = emulation.floats(x, 400);
    for (int i = 0; i < 400; i++) {
      assertEquals(pixels[i] & 255, actual[i]);
    }
  }

  @Test
  void columnSums() {
    int rows = 37;
    int cols = 70;
    float[] x = floats(rows * cols, 1);
    long sum = emulation.memory.allocate(4L * cols);
    run(
        "columns",
        new Shape(3, 1, 1, 32, 8),
        new Arguments().address(emulation.of(x)).address(sum).add(rows).add(cols));
    for (int col = 0; col < cols; col++) {
      double expected = 0;
      for (int row = 0; row < rows; row++) {
        expected += x[row * cols + col];
      }
      assertEquals(expected, emulation.floats(sum, cols)[col], 1e-4);
    }
  }

  @Test
  void sumsInDouble() {
    int n = 1000;
    float[] x = floats(n, 1);
    int[] right = random.ints(n, 0, 2).toArray();
    long sum = emulation.of(Double.doubleToLongBits(3));
    long hits = emulation.of(5);
    run(
        "total",
        Emulation.shape(1, 256),
        new Arguments()
            .address(emulation.of(x))
            .address(emulation.of(right))
            .address(sum)
            .address(hits)
            .add(n));
    double expected = 3;
    int expectedHits = 5;
    for (int i = 0; i < n; i++) {
      expected += x[i];
      expectedHits += right[i];
    }
    assertEquals(expected, Double.longBitsToDouble(emulation.longs(sum, 1)[0]), 1e-11);
    assertEquals(expectedHits, emulation.ints(hits, 1)[0]);
  }

  @Test
  void firstOfTheLargest() {
    float[] x = {1, 7, 7, 0, 9, 9, 9, 9, -5, -6, -7, -5};
    long right = emulation.memory.allocate(12);
    run(
        "argmax",
        Emulation.shape(2, 64),
        new Arguments()
            .address(emulation.of(x))
            .address(emulation.of((byte) 1, (byte) 1, (byte) 0))
            .address(right)
            .add(3)
            .add(4));
    assertArrayEquals(new int[] {3, 2, 1}, emulation.ints(right, 3));
  }
}
