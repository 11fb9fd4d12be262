package mlpcuda.compute.cuda.ptx.module;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.arithmetic.NarrowFloats;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that kernels for tensor cores that nvcc compiled compute the same as plain loops. */
class TensorKernelsTest {
  private static PtxModule module;
  private final Emulation emulation = new Emulation();
  private final Random random = new Random(7);

  @BeforeAll
  static void parse() throws IOException {
    try (InputStream in = TensorKernelsTest.class.getResourceAsStream("tensor.ptx")) {
      module = PtxModule.parse("tensor", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private float[] floats(int count) {
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** Rounds to the type's number of significant bits. */
  private static float rounded(String type, float x) {
    int bits = type.equals("bf16") ? 8 : 11;
    int least = type.equals("f16") ? -14 : -126;
    int last = Math.max(Math.getExponent(x), least) - bits + 1;
    double scaled = Math.abs(Math.scalb((double) x, -last));
    double whole = type.equals("tf32") ? Math.floor(scaled + 0.5) : Math.rint(scaled);
    return (float) Math.copySign(Math.scalb(whole, last), x);
  }

  @ParameterizedTest
  @CsvSource({
    "tf32, 8, 16, 8, 8",
    "tf32, 8, 33, 21, 45",
    "tf32, 8, 1, 1, 1",
    "bf16, 16, 16, 8, 16",
    "bf16, 16, 33, 21, 45",
    "bf16, 16, 1, 1, 1",
    "f16, 16, 16, 8, 16",
    "f16, 16, 33, 21, 45",
    "f16, 16, 1, 1, 1"
  })
  void products(String type, int depth, int m, int n, int k) {
    float[] a = floats(m * k);
    float[] b = floats(k * n);
    long c = emulation.memory.allocate(4L * m * n);
    module.run(
        type,
        new Shape((n + 7) / 8, (m + 15) / 16, 1, 32, 1),
        new Arguments()
            .address(emulation.of(a))
            .address(emulation.of(b))
            .address(c)
            .add(m)
            .add(n)
            .add(k),
        emulation.memory);
    float[] expected = new float[m * n];
    for (int i = 0; i < m * n; i++) {
      // The sum is a float between the tiles' products, and a double inside of one.
      for (int first = 0; first < k; first += depth) {
        double sum = expected[i];
        for (int q = first; q < Math.min(first + depth, k); q++) {
          sum += (double) rounded(type, a[i / n * k + q]) * rounded(type, b[q * n + i % n]);
        }
        expected[i] = (float) sum;
      }
    }
    assertArrayEquals(expected, emulation.floats(c, m * n));
  }

  @Test
  void pairs() {
    int n = 500;
    float[] x = floats(2 * n);
    long brains = emulation.memory.allocate(4L * n);
    long halves = emulation.memory.allocate(4L * n);
    long back = emulation.memory.allocate(8L * n);
    module.run(
        "pairs",
        Emulation.shape(4, 128),
        new Arguments()
            .address(emulation.of(x))
            .address(brains)
            .address(halves)
            .address(back)
            .add(n),
        emulation.memory);
    float[] actual = emulation.floats(back, 2 * n);
    for (int i = 0; i < n; i++) {
      float first = rounded("bf16", x[2 * i]);
      float second = rounded("bf16", x[2 * i + 1]);
      int packed = Float.floatToRawIntBits(second) | Float.floatToRawIntBits(first) >>> 16;
      assertEquals(packed, emulation.ints(brains, n)[i]);
      assertEquals(first, actual[2 * i]);
      assertEquals(rounded("f16", x[2 * i + 1]), actual[2 * i + 1]);
      float low = NarrowFloats.ofHalf(emulation.ints(halves, n)[i]);
      assertEquals(rounded("f16", x[2 * i]), low);
    }
  }
}
