package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.features.Features;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostGatherTest {
  private static final int N = 300;

  /** Rows go where they belong, whichever thread copies them, and nothing else is written. */
  @ParameterizedTest
  @CsvSource({"3,5,2,1", "3,1,1,4", "2000,500,3,4", "2000,77,11,3", "2000,1,1,2"})
  void batchesLieOneAfterAnother(int I, int B, int n, int threads) {
    byte[] pixels = new byte[N * I];
    byte[] labels = new byte[N];
    var random = new Random(I);
    random.nextBytes(pixels);
    random.nextBytes(labels);
    int[] order = random.ints(2 + B * n, 0, N).toArray();
    ByteBuffer to;
    int stride;
    try (var host = new HostGather(HostExamples.of(pixels, labels), threads)) {
      stride = (int) host.layout(B).stride();
      to = ByteBuffer.allocateDirect(n * stride);
      host.gather(to, order, 2, B, n);
    }
    ByteBuffer expected = ByteBuffer.allocate(n * stride);
    for (int batch = 0; batch < n; batch++) {
      for (int b = 0; b < B; b++) {
        int row = order[2 + batch * B + b];
        expected.put(batch * stride + b * I, pixels, row * I, I);
        expected.put(batch * stride + B * I + b, labels[row]);
      }
    }
    assertEquals(expected, to);
  }

  /** Floats and weights lie at multiples of 4 bytes, whatever the number of features. */
  @ParameterizedTest
  @CsvSource({"3,5,2,true", "1,1,3,true", "7,33,2,false"})
  void floatsAndWeightsLieWhereKernelsReadThem(int I, int B, int n, boolean floats) {
    var random = new Random(I);
    float[] values = new float[N * I];
    byte[] pixels = new byte[N * I];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
      pixels[i] = (byte) i;
    }
    byte[] labels = new byte[N];
    random.nextBytes(labels);
    float[] weights = new float[N];
    for (int i = 0; i < N; i++) {
      weights[i] = random.nextFloat();
    }
    int[] order = random.ints(B * n, 0, N).toArray();
    Features features = floats ? Features.of(values, I) : Features.of(pixels, I);
    var examples = new HostExamples(features, labels, Optional.of(weights));
    try (var host = new HostGather(examples, 2)) {
      HostGather.Layout layout = host.layout(B);
      int stride = (int) layout.stride();
      ByteBuffer to = ByteBuffer.allocateDirect(n * stride).order(ByteOrder.nativeOrder());
      host.gather(to, order, 0, B, n);
      assertEquals(0, layout.weights() % Float.BYTES);
      assertTrue(layout.bytes() <= stride);
      for (int r = 0; r < order.length; r++) {
        int batch = r / B * stride;
        int b = r % B;
        for (int i = 0; i < I; i++) {
          int at = b * I + i;
          if (floats) {
            assertEquals(values[order[r] * I + i], to.getFloat(batch + at * Float.BYTES));
          } else {
            assertEquals(pixels[order[r] * I + i], to.get(batch + at));
          }
        }
        assertEquals(weights[order[r]], to.getFloat(batch + layout.weights() + b * Float.BYTES));
        assertEquals(labels[order[r]], to.get(batch + layout.labels() + b));
      }
    }
  }

  /** The order is wrong in the part of a thread of its own. */
  @Test
  void aFailureOfAThreadIsTheCallers() {
    int I = 4 * HostGather.SHARE;
    try (var host = new HostGather(HostExamples.of(new byte[I], new byte[1]), 2)) {
      ByteBuffer to = ByteBuffer.allocateDirect((int) host.layout(2).stride());
      var e =
          assertThrows(
              IllegalStateException.class,
              () -> host.gather(to, new int[] {0, 7}, 0, 2, 1),
              "row 7 of 1");
      assertInstanceOf(IndexOutOfBoundsException.class, e.getCause());
    }
  }

  /** However many batches, the host waits once, and asks for one copy. */
  @Test
  void aStageOfManyBatchesIsOneCopy() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
        Feed feed = ops.feed(HostExamples.of(new byte[60], new byte[20]), 2, 8)) {
      feed.begin(new int[20], 0);
      feed.stage(2, 1);
      Map<String, Integer> before = driver.calls();
      feed.stage(2, 8);
      Map<String, Integer> after = driver.calls();
      assertEquals(
          Map.of("copies", 1, "waits", 1, "records", 2, "awaits", 2), calls(before, after));
    }
  }

  private static Map<String, Integer> calls(
      Map<String, Integer> before, Map<String, Integer> after) {
    return Map.of(
        "copies", difference("cuMemcpyHtoDAsync", before, after),
        "waits", difference("cuEventSynchronize", before, after),
        "records", difference("cuEventRecord", before, after),
        "awaits", difference("cuStreamWaitEvent", before, after));
  }

  private static int difference(
      String call, Map<String, Integer> before, Map<String, Integer> after) {
    return after.get(call) - before.get(call);
  }
}
