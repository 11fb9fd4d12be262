package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Targets;
import mlpcuda.error.DeviceException;
import mlpcuda.features.Features;
import mlpcuda.features.FeaturesBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests batches that the CPU gathers straight from features in the host's memory. */
class HostFeedTest {
  private static final int I = 100_000;
  private static final int N = 30_000;
  private static final int B = 3;

  /**
   * A set of 12 GB whose rows repeat two rows, so that it takes no memory: more values than a
   * buffer, or an array, can have.
   */
  private static HostExamples large() {
    float[] two = new float[2 * I];
    Arrays.fill(two, I, 2 * I, 5);
    int[] rows = new int[N];
    byte[] labels = new byte[N];
    float[] weights = new float[N];
    for (int n = 0; n < N; n++) {
      rows[n] = n % 2;
      labels[n] = (byte) (n % 7);
      weights[n] = n;
    }
    Features features = Features.of(two, I).rows(rows);
    return new HostExamples(features, labels, Optional.of(weights));
  }

  @Test
  void aSetNeedNotFitIntoABuffer() {
    try (Ops ops = new CpuOps(2);
        Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
        Buffer y = ops.allocate("y", Type.INT32, B);
        Buffer weights = ops.allocate("weights", Type.FLOAT32, B);
        Buffer end = ops.allocate("end", Type.INT32, 1)) {
      long before = ops.liveBytes();
      HostExamples examples = large();
      try (Feed feed = ops.feed(examples, B, 1)) {
        assertEquals(before, ops.liveBytes(), "nothing is copied");
        assertEquals(N, feed.size());
        int[] order = {29_999, 8, 29_998, 5};
        feed.begin(order, 1);
        order[1] = 0; // the caller may use its array again
        ops.write(end, new int[] {4}, 0, 1);
        feed.stage(B, 1);
        var targets = new Targets(y, Optional.of(weights));
        feed.gather(0, x, targets, end, B, new InputScaling.Uniform(2, 1));
        float[] found = new float[B * I];
        float[] expected = new float[B * I];
        Arrays.fill(expected, 0, 2 * I, 1);
        Arrays.fill(expected, 2 * I, 3 * I, 11);
        ops.read(x, found);
        assertArrayEquals(expected, found);
        int[] classes = new int[B];
        ops.read(y, classes);
        assertArrayEquals(new int[] {8 % 7, 29_998 % 7, 5}, classes);
        float[] each = new float[B];
        ops.read(weights, each);
        assertArrayEquals(new float[] {8, 29_998, 5}, each);
        assertThrows(UnsupportedOperationException.class, () -> feed.batch(0, B));
      }
    }
  }

  /** The reference copies a set, and says so where that is impossible. */
  @Test
  void aDeviceThatCopiesRefusesWhatNoBufferHolds() {
    try (Ops ops = new ReferenceOps()) {
      var e = assertThrows(DeviceException.class, () -> ops.feed(large(), B, 1));
      assertEquals(
          "features are 3,000,000,000 values, and a buffer of this device may have 2,147,483,647",
          e.why());
      assertEquals(0, ops.liveBytes());
    }
  }

  /** Bytes that are not in one array are gathered to the same bits as those in an array. */
  @Test
  void bytesAreTheSameWhereverTheyLie(@TempDir Path folder) throws IOException {
    byte[] pixels = new byte[20 * 9];
    new Random(1).nextBytes(pixels);
    var array = HostExamples.of(pixels, new byte[20]);
    int[] all = new int[20];
    Arrays.setAll(all, n -> n);
    Features elsewhere = mapped(folder.resolve("pixels"), pixels).first(20);
    assertFalse(elsewhere.isArray());
    var other = new HostExamples(elsewhere, new byte[20], Optional.empty());
    try (Ops ops = new CpuOps(1)) {
      assertArrayEquals(gathered(ops, array, all), gathered(ops, other, all));
    }
  }

  /**
   * Rows of 9 bytes in a file that is too long for the heap's share, and has holes on most disks.
   */
  private static Features mapped(Path path, byte[] first) throws IOException {
    int rows = 16 << 20;
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(first);
      file.setLength(9L * rows);
    }
    return FeaturesBuilder.map(path, 0, Features.Type.UINT8, rows, 9);
  }

  private static float[] gathered(Ops ops, HostExamples examples, int[] order) {
    float[] found = new float[order.length * examples.inputs()];
    try (Feed feed = ops.feed(examples, order.length, 1);
        Buffer x = ops.allocate("x", Type.FLOAT32, found.length);
        Buffer y = ops.allocate("y", Type.INT32, order.length);
        Buffer end = ops.allocate("end", Type.INT32, 1)) {
      ops.write(end, new int[] {order.length}, 0, 1);
      feed.begin(order, 0);
      feed.stage(order.length, 1);
      var targets = new Targets(y, Optional.empty());
      feed.gather(0, x, targets, end, order.length, new InputScaling.Uniform(0.0127f, -0.42f));
      ops.read(x, found);
    }
    return found;
  }
}
