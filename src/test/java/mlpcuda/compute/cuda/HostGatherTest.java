package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Random;
import mlpcuda.compute.Feed;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
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
    int stride = B * (I + 1) + 13;
    ByteBuffer to = ByteBuffer.allocateDirect(n * stride);
    try (var host = new HostGather(pixels, labels, I, threads)) {
      host.gather(to, stride, order, 2, B, n);
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

  /** The order is wrong in the part of a thread of its own. */
  @Test
  void aFailureOfAThreadIsTheCallers() {
    int I = 4 * HostGather.SHARE;
    try (var host = new HostGather(new byte[I], new byte[1], I, 2)) {
      ByteBuffer to = ByteBuffer.allocateDirect(2 * (I + 1));
      var e =
          assertThrows(
              IllegalStateException.class,
              () -> host.gather(to, 0, new int[] {0, 7}, 0, 2, 1),
              "row 7 of 1");
      assertEquals(IndexOutOfBoundsException.class, e.getCause().getClass());
    }
  }

  /** However many batches, the host waits once, and asks for one copy. */
  @Test
  void aStageOfManyBatchesIsOneCopy() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
        Feed feed = ops.feed(new byte[60], new byte[20], 2, 8)) {
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
