package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceException;
import mlpcuda.compute.Feed;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import org.junit.jupiter.api.Test;

/**
 * What the GPU's operations do when a call fails: the message, and what is given back. The emulated
 * driver's close finds whatever is not.
 */
class CudaOpsTest {
  private final EmulatedDriver driver = new EmulatedDriver(EmulatedPolicy.LATEST);

  private CudaOps open() {
    return new CudaOps(driver, CudaOptions.DEFAULT);
  }

  @Test
  void lackOfPageLockedMemoryIsToldWithARemedy() {
    try (CudaOps ops = open()) {
      driver.failNext("cuMemAllocHost", 2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory");
      var e =
          assertThrows(
              DeviceException.class, () -> ops.feed(new byte[12_000], new byte[1000], 12, 1000));
      assertEquals("out of page-locked memory for a batch: asked for 12.7 KiB", e.why());
      assertEquals("Lower --batch-size or --test-batch-size, or use --feed resident.", e.remedy());
      assertEquals(0, ops.liveBytes());
    }
  }

  @Test
  void anotherFailureOfPageLockedMemoryKeepsItsCause() {
    try (CudaOps ops = open()) {
      driver.failNext("cuMemAllocHost", 1, "CUDA_ERROR_INVALID_VALUE", "invalid argument");
      var e =
          assertThrows(
              CudaException.class, () -> ops.feed(new byte[12_000], new byte[1000], 12, 1000));
      assertTrue(e.why().startsWith("cuMemAllocHost failed: CUDA_ERROR_INVALID_VALUE"), e.why());
    }
  }

  @Test
  void aBatchThatNoBufferHoldsIsRefused() {
    try (CudaOps ops = open()) {
      var e =
          assertThrows(
              DeviceException.class, () -> ops.feed(new byte[0], new byte[0], 1 << 20, 1 << 12));
      assertEquals(
          "a batch of 4096 images of 1048576 bytes is too large: at most 2147483647 bytes",
          e.why());
    }
  }

  @Test
  void anotherFailureOfAnAllocationKeepsItsCause() {
    try (CudaOps ops = open()) {
      driver.failNext("cuMemAlloc", 1, "CUDA_ERROR_INVALID_VALUE", "invalid argument");
      var e = assertThrows(CudaException.class, () -> ops.allocate("x", Type.FLOAT32, 4));
      assertTrue(e.why().startsWith("cuMemAlloc failed: CUDA_ERROR_INVALID_VALUE"), e.why());
    }
  }

  @Test
  void aProductThatFailsIsToldWithItsSizes() {
    try (CudaOps ops = open();
        Buffer x = ops.allocate("x", Type.FLOAT32, 6);
        Buffer w = ops.allocate("w", Type.FLOAT32, 12);
        Buffer b = ops.allocate("b", Type.FLOAT32, 4);
        Buffer y = ops.allocate("y", Type.FLOAT32, 8)) {
      driver.failNext("cublasSgemm", 13, "CUBLAS_STATUS_EXECUTION_FAILED", "failed");
      var e =
          assertThrows(
              DeviceException.class, () -> ops.linearForward(y, x, w, b, 2, 3, 4, Activation.NONE));
      assertEquals(
          "cublasSgemm failed: CUBLAS_STATUS_EXECUTION_FAILED (13): failed; in a product of M=2"
              + " N=4 K=3",
          e.why());
    }
  }

  /** A recording that fails is given up: the stream computes again, and the next one is whole. */
  @Test
  void afterAFailedRecordingTheDeviceGoesOn() {
    try (CudaOps ops = open();
        Buffer position = ops.allocate("position", Type.INT32, 3);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1);
        Buffer rates = ops.allocate("rates", Type.FLOAT32, 12);
        var replay = ops.replay()) {
      replay.run(0, 1, () -> ops.advance(position, rate, rates, 1));
      assertThrows(
          IllegalStateException.class,
          () ->
              replay.run(
                  0,
                  1,
                  () -> {
                    ops.advance(position, rate, rates, 1);
                    throw new IllegalStateException("a broken step");
                  }));
      assertTrue(replay.nodes().isEmpty());
      replay.run(0, 1, () -> ops.advance(position, rate, rates, 1));
      replay.run(0, 1, () -> ops.advance(position, rate, rates, 1));
      int[] values = new int[3];
      ops.read(position, values);
      assertArrayEquals(new int[] {3, 3, 3}, values);
      assertEquals(1, replay.nodes().orElseThrow());
    }
  }

  /** A step is recorded once for each slot and size, and from then on replayed alone. */
  @Test
  void recordsEachSlotAndSizeOnce() {
    float[] each = new float[12];
    for (int i = 0; i < each.length; i++) {
      each[i] = i + 1;
    }
    try (CudaOps ops = open();
        Buffer position = ops.allocate("position", Type.INT32, 3);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1);
        Buffer rates = ops.allocate("rates", Type.FLOAT32, 12);
        var replay = ops.replay()) {
      ops.write(rates, each);
      var recorded = new AtomicInteger();
      for (int epoch = 0; epoch < 3; epoch++) {
        for (int slot = 0; slot < 4; slot++) {
          int B = slot == 3 ? 5 : 8;
          replay.run(
              slot,
              B,
              () -> {
                recorded.incrementAndGet();
                ops.advance(position, rate, rates, B);
              });
        }
      }
      int[] values = new int[3];
      ops.read(position, values);
      assertArrayEquals(new int[] {12, 3 * (8 + 8 + 8 + 5), 12}, values);
      float[] last = new float[1];
      ops.read(rate, last);
      assertEquals(12, last[0], "a replayed step takes its own rate");
      assertEquals(2 + 4, recorded.get(), "2 sizes run directly, 4 slots recorded");
    }
  }

  @Test
  void aGraphCannotBeWaitedForLaunchByLaunch() {
    assertThrows(IllegalArgumentException.class, () -> new CudaOptions(null, false, true, true));
  }

  /** Training and evaluation each have a feed, side by side on one stream. */
  @Test
  void twoFeedsDoNotMeet() {
    byte[] pixels = new byte[60];
    byte[] labels = new byte[20];
    for (int i = 0; i < 20; i++) {
      labels[i] = (byte) i;
      pixels[3 * i] = (byte) (2 * i);
    }
    int[] order = new int[20];
    for (int i = 0; i < 20; i++) {
      order[i] = 19 - i;
    }
    try (CudaOps ops = open();
        Feed one = ops.feed(pixels, labels, 3, 4);
        Feed other = ops.feed(pixels, labels, 3, 7);
        Buffer x = ops.allocate("x", Type.FLOAT32, 21);
        Buffer y = ops.allocate("y", Type.INT32, 7);
        Buffer end = ops.allocate("end", Type.INT32, 1)) {
      one.begin(order, 0);
      other.begin(order, 0);
      for (int batch = 0; batch < 5; batch++) {
        one.stage(4);
        one.gather(x, y, end, 4, 1, 0);
        check(ops, x, y, 19 - 4 * batch, 4);
        int from = 7 * batch % 14;
        if (from == 0) {
          other.begin(order, 0);
        }
        other.stage(7);
        other.gather(x, y, end, 7, 1, 0);
        check(ops, x, y, 19 - from, 7);
      }
    }
  }

  private static void check(CudaOps ops, Buffer x, Buffer y, int first, int B) {
    int[] classes = new int[B];
    float[] values = new float[3 * B];
    ops.read(y, classes);
    ops.read(x, values);
    for (int b = 0; b < B; b++) {
      assertEquals(first - b, classes[b]);
      assertEquals(2 * (first - b), values[3 * b]);
    }
  }
}
