package mlpcuda.compute.cuda.ptx.module;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.compute.cuda.Arguments;
import mlpcuda.compute.cuda.CudaDriver.Shape;
import mlpcuda.compute.cuda.ptx.Fault;
import mlpcuda.compute.cuda.ptx.kernels.Emulation;
import mlpcuda.compute.cuda.ptx.memory.BankConflicts;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests a compiled product with cp.async in three stages, ldmatrix and mma: that it is right, and
 * that it is at fault as soon as a barrier, a group or a wait is missing.
 */
class PipelineKernelTest {
  private static String text;

  @BeforeAll
  static void read() throws IOException {
    try (InputStream in = PipelineKernelTest.class.getResourceAsStream("pipeline.ptx")) {
      text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Whole numbers that bf16 holds, as do their sums in float. */
  private static int value(int i, int of) {
    return i * 37 % of - of / 2;
  }

  private static long matrix(Emulation emulation, int count, int of) {
    ByteBuffer bytes = Emulation.bytes(2 * count);
    for (int i = 0; i < count; i++) {
      bytes.putShort((short) (Float.floatToRawIntBits(value(i, of)) >>> 16));
    }
    return emulation.of(bytes.array());
  }

  private static float[] product(String ptx, int m, int n, int k) {
    Emulation emulation = new Emulation();
    long c = emulation.memory.allocate(4L * m * n);
    PtxModule.parse("pipeline", ptx)
        .run(
            "pipeline",
            new Shape((n + 15) / 16, (m + 31) / 32, 1, 64, 1),
            new Arguments()
                .address(matrix(emulation, m * k, 101))
                .address(matrix(emulation, k * n, 89))
                .address(c)
                .add(m)
                .add(n)
                .add(k),
            emulation.memory);
    return emulation.floats(c, m * n);
  }

  @ParameterizedTest
  @CsvSource({"32, 16, 16", "32, 16, 160", "33, 24, 40", "1, 8, 8", "70, 40, 104"})
  void products(int m, int n, int k) {
    float[] expected = new float[m * n];
    for (int i = 0; i < m * n; i++) {
      for (int q = 0; q < k; q++) {
        expected[i] += value(i / n * k + q, 101) * value(q * n + i % n, 89);
      }
    }
    assertArrayEquals(expected, product(text, m, n, k));
  }

  @Test
  void rowsLieInDifferentBanks() {
    BankConflicts.Count count =
        BankConflicts.during(() -> product(text, 32, 16, 64)).get("pipeline");
    assertEquals(1, count.degree(), count.where());
  }

  /** Tests the text without each of these in turn. */
  @ParameterizedTest
  @CsvSource({
    "bar\\.sync\\s+0;, 1, a race with the",
    "cp\\.async\\.wait_group 1;, 1, is under way",
    "cp\\.async\\.commit_group;, 3, is under way"
  })
  void whatIsMissingIsFound(String instruction, int count, String message) {
    int found = 0;
    for (Matcher at = Pattern.compile(instruction).matcher(text); at.find(); found++) {
      String without = text.substring(0, at.start()) + text.substring(at.end());
      Fault fault = assertThrows(Fault.class, () -> product(without, 32, 16, 160));
      assertTrue(fault.getMessage().contains(message), fault.getMessage());
    }
    assertEquals(count, found);
  }

  @Test
  void aWaitForTooFewGroupsIsFound() {
    String less = text.replace("cp.async.wait_group 1;", "cp.async.wait_group 2;");
    Emulation.assertFault(() -> product(less, 32, 16, 160), "groups after that of the copy");
  }
}
