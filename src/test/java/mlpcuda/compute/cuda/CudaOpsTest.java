package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Order;
import mlpcuda.compute.Precision;
import mlpcuda.compute.Replay;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cuda.CudaOptions.Activator;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.CudaOptions.StepKind;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedOptions;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.error.DeviceException;
import mlpcuda.features.Features;
import org.junit.jupiter.api.Test;

/** Tests what {@link CudaOps} does besides computing. */
class CudaOpsTest {
  /**
   * The number of elements, of 4 bytes each, that take two whole pieces of the staging memory and a
   * part of one.
   */
  private static final int LONG = 2 * (1 << 18) + 5;

  private static CudaOps ops() {
    return new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), CudaOptions.DEFAULT);
  }

  @Test
  void longArraysOfFloatsCrossInPieces() {
    float[] values = new float[LONG];
    for (int i = 0; i < LONG; i++) {
      values[i] = i;
    }
    float[] found = new float[LONG];
    try (CudaOps ops = ops();
        Buffer x = ops.allocate("x", Type.FLOAT32, LONG)) {
      ops.write(x, values);
      ops.read(x, found);
    }
    assertArrayEquals(values, found);
  }

  @Test
  void longArraysOfIntsCrossInPieces() {
    int[] values = IntStream.range(0, LONG + 3).toArray();
    int[] found = new int[LONG];
    try (CudaOps ops = ops();
        Buffer x = ops.allocate("x", Type.INT32, LONG)) {
      ops.write(x, values, 3, LONG);
      ops.read(x, found);
    }
    assertArrayEquals(Arrays.copyOfRange(values, 3, LONG + 3), found);
  }

  /**
   * Images cannot be read back, so the first, the last, and one that lies in two pieces are
   * gathered.
   */
  @Test
  void longConstantsCrossInPieces() {
    int I = 1000;
    int[] rows = {0, (1 << 20) / I, (1 << 21) / I, 2999};
    byte[] pixels = new byte[3000 * I];
    new Random(1).nextBytes(pixels);
    float[] expected = new float[rows.length * I];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = Byte.toUnsignedInt(pixels[rows[i / I] * I + i % I]);
    }
    float[] found = new float[expected.length];
    try (CudaOps ops = ops();
        Buffer images = ops.constant("images", pixels);
        Buffer labels = ops.constant("labels", new byte[3000]);
        Buffer order = ops.allocate("order", Type.INT32, rows.length);
        Buffer end = ops.allocate("end", Type.INT32, 1);
        Buffer x = ops.allocate("x", Type.FLOAT32, expected.length);
        Buffer y = ops.allocate("y", Type.INT32, rows.length)) {
      ops.write(order, rows, 0, rows.length);
      ops.write(end, new int[] {rows.length}, 0, 1);
      var examples = new DeviceExamples(images, labels, Optional.empty());
      var targets = new Targets(y, Optional.empty());
      var all = Optional.of(new Order(order, end));
      ops.gatherForward(x, targets, examples, all, rows.length, I, new InputScaling.Uniform(1, 0));
      ops.read(x, found);
    }
    assertArrayEquals(expected, found);
  }

  /**
   * A failing constructor must close the driver; the emulated one finds leaks only when it is
   * closed.
   */
  @Test
  void whatCannotBeOpenedIsClosed() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    driver.failNext("cuModuleLoadDataEx", 218, "CUDA_ERROR_INVALID_PTX", "");
    assertThrows(CudaException.class, () -> new CudaOps(driver, CudaOptions.DEFAULT));
    assertEquals(1, driver.calls().get("cuDevicePrimaryCtxRelease"));
  }

  @Test
  void closeClosesTheDriver() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    new CudaOps(driver, CudaOptions.DEFAULT).close();
    assertEquals(1, driver.calls().get("cuDevicePrimaryCtxRelease"));
  }

  /** Only a lack of memory is reported as one, and an allocation that cannot be zeroed is freed. */
  @Test
  void anAllocationThatFailsLeavesNothing() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT)) {
      for (String call : List.of("cuMemAlloc", "cuMemsetD8Async")) {
        driver.failNext(call, 304, "CUDA_ERROR_OPERATING_SYSTEM", "");
        var e = assertThrows(CudaException.class, () -> ops.allocate("x", Type.FLOAT32, 8), call);
        assertTrue(e.why().startsWith(call + " failed: "), e.why());
      }
      assertEquals(0, ops.liveBytes());
    }
  }

  /** The emulated driver refuses to free memory that pending work needs, here its zeros. */
  @Test
  void memoryIsFreedAfterWhatNeedsIt() {
    try (CudaOps ops = ops()) {
      ops.allocate("x", Type.FLOAT32, 8).close();
    }
  }

  @Test
  void aFeedThatCannotBeOpenedLeavesNothing() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT)) {
      driver.failNext("cuMemAllocHost", CudaException.OUT_OF_MEMORY, "CUDA_ERROR", "");
      var e =
          assertThrows(
              DeviceException.class,
              () -> ops.feed(HostExamples.of(new byte[12], new byte[2]), 2, 1).close());
      assertTrue(e.why().startsWith("out of page-locked memory for a batch: asked for 256 bytes"));
      e =
          assertThrows(
              DeviceException.class,
              () ->
                  ops.feed(HostExamples.of(new byte[12], new byte[2]), Integer.MAX_VALUE / 6, 1)
                      .close());
      assertTrue(e.why().contains("at once are too many"), e.why());
      driver.failNext("cuEventCreate", 1, "CUDA_ERROR", "");
      assertThrows(
          CudaException.class, () -> ops.feed(HostExamples.of(new byte[12], new byte[2]), 2, 1));
      assertEquals(0, ops.liveBytes());
    }
  }

  /** A failure during a capture is thrown unchanged, and the stream is as good as before. */
  @Test
  void aFailureInARecordingEndsIt() {
    try (CudaOps ops = ops();
        Buffer x = ops.allocate("x", Type.INT32, 3);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1);
        Buffer rates = ops.allocate("rates", Type.FLOAT32, 12);
        Replay replay = ops.replay()) {
      replay.run(0, 1, 1, () -> ops.advance(x, rate, rates, Optional.empty(), 1));
      var failure = new IllegalStateException("in the recording");
      Runnable failing =
          () -> {
            ops.advance(x, rate, rates, Optional.empty(), 1);
            throw failure;
          };
      assertSame(
          failure, assertThrows(IllegalStateException.class, () -> replay.run(0, 1, 1, failing)));
      assertEquals(0, failure.getSuppressed().length);
      Runnable reading = () -> ops.read(x, new int[2]); // a read cannot be recorded
      var e = assertThrows(CudaException.class, () -> replay.run(0, 1, 1, reading));
      assertTrue(e.why().startsWith("cuStreamSynchronize failed: "), e.why());
      assertEquals(1, e.getSuppressed().length, "the recording could not be ended either");
      replay.run(0, 1, 1, () -> ops.advance(x, rate, rates, Optional.empty(), 1));
      int[] position = new int[2];
      ops.read(x, position);
      assertArrayEquals(new int[] {2, 2}, position);
    }
  }

  /** The first run of a size loads kernels; the next ones are recorded, once for each slot. */
  @Test
  void aStepIsRecordedOnceForEachSlotAndSize() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
        Buffer x = ops.allocate("x", Type.INT32, 3);
        Buffer rate = ops.allocate("rate", Type.FLOAT32, 1);
        Buffer rates = ops.allocate("rates", Type.FLOAT32, 12);
        Replay replay = ops.replay()) {
      replay.run(0, 1, 1, () -> ops.advance(x, rate, rates, Optional.empty(), 1));
      assertFalse(driver.calls().containsKey("cuStreamBeginCapture"));
      assertTrue(replay.nodes().isEmpty());
      for (int round = 0; round < 2; round++) {
        for (int slot = 0; slot < 2; slot++) {
          for (int B = 1; B <= 2; B++) {
            int size = B;
            replay.run(slot, B, 1, () -> ops.advance(x, rate, rates, Optional.empty(), size));
          }
        }
      }
      assertEquals(4, driver.calls().get("cuStreamBeginCapture"));
      assertEquals(7, driver.calls().get("cuGraphLaunch"), "size 2 ran directly once");
      replay.run(
          // pending still when the replay is closed
          0, 1, 1, () -> ops.advance(x, rate, rates, Optional.empty(), 1));
    }
  }

  @Test
  void tensorCoresMustBeThere() {
    var options = EmulatedOptions.of(EmulatedPolicy.LATEST).withMajor(7);
    new CudaOps(new EmulatedDriver(options), CudaOptions.DEFAULT).close();
    for (Precision precision : List.of(Precision.TF32, Precision.BF16, Precision.FP16)) {
      var driver = new EmulatedDriver(options);
      var e =
          assertThrows(
              DeviceException.class,
              () -> new CudaOps(driver, CudaOptions.DEFAULT.with(precision)));
      assertEquals(
          "GPU 0 (Emulated GPU) must have compute capability 8.0 or newer (Ampere, 2020) for "
              + precision.label()
              + ", found 7.0",
          e.why());
      assertEquals("Use precision fp32.", e.remedy());
      assertThrows(RuntimeException.class, driver::close, "it is closed");
    }
  }

  @Test
  void tilesAreAsLargeAsFillsTheDevice() {
    assertEquals(List.of("large_async/linear_forward_large"), productsRun(2));
    assertEquals(List.of("gemm/linear_forward_medium"), productsRun(8));
    assertEquals(List.of("gemm/linear_forward_small"), productsRun(16));
  }

  /** The entries of a product of 2 large, 8 medium or 32 small tiles that ran. */
  private static List<String> productsRun(int multiprocessors) {
    var options = EmulatedOptions.of(EmulatedPolicy.LATEST).withMultiprocessors(multiprocessors);
    Map<String, Integer> before = EmulatedDriver.launches();
    try (var ops = new CudaOps(new EmulatedDriver(options.withoutCublas()), CudaOptions.DEFAULT);
        Buffer y = ops.allocate("y", Type.FLOAT32, 128 * 256);
        Buffer x = ops.allocate("x", Type.FLOAT32, 128 * 4);
        Buffer w = ops.allocate("w", Type.FLOAT32, 256 * 4);
        Buffer b = ops.allocate("b", Type.FLOAT32, 256)) {
      ops.linearForward(y, x, w, b, 128, 4, 256, Activation.NONE);
      ops.read(y, new float[1]);
    }
    return EmulatedDriver.launches().entrySet().stream()
        .filter(entry -> entry.getValue() > before.getOrDefault(entry.getKey(), 0))
        .map(Map.Entry::getKey)
        .toList();
  }

  @Test
  void anotherFailureOfPageLockedMemoryKeepsItsCause() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT)) {
      driver.failNext("cuMemAllocHost", 1, "CUDA_ERROR_INVALID_VALUE", "invalid argument");
      var e =
          assertThrows(
              CudaException.class,
              () -> ops.feed(HostExamples.of(new byte[12_000], new byte[1000]), 1000, 1));
      assertTrue(e.why().startsWith("cuMemAllocHost failed: CUDA_ERROR_INVALID_VALUE"), e.why());
    }
  }

  @Test
  void aProductThatFailsIsToldWithItsSizes() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
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

  @Test
  void aCallOfCudnnThatFailsIsToldWithItsSizes() {
    for (Launching launching : List.of(Launching.SINGLE, Launching.CHECKED)) {
      boolean check = launching == Launching.CHECKED;
      var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
      var options =
          CudaOptions.layered(Multiplier.AUTO, FeedKind.PINNED, launching).with(Activator.CUDNN);
      try (var ops = new CudaOps(driver, options);
          Buffer x = ops.allocate("x", Type.FLOAT32, 6);
          Buffer y = ops.allocate("y", Type.FLOAT32, 6)) {
        driver.failNext("cudnnSoftmaxForward", 5000, "CUDNN_STATUS_EXECUTION_FAILED", "failed");
        var e = assertThrows(DeviceException.class, () -> ops.logSoftmaxForward(y, x, 2, 3));
        assertEquals(
            "cudnnSoftmaxForward failed: CUDNN_STATUS_EXECUTION_FAILED (5000): failed; in"
                + " cudnnSoftmaxForward with N=2 C=3",
            e.why());
        assertEquals(check, e.remedy().contains("this call is at fault"), e.remedy());
        ops.logSoftmaxForward(y, x, 2, 3);
        assertEquals(check, driver.calls().containsKey("cuStreamSynchronize"), "waits");
      }
    }
  }

  /** Options without cuDNN do not even look for it. */
  @Test
  void cudnnIsOpenedOnlyWhereItIsAskedFor() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    new CudaOps(driver, CudaOptions.DEFAULT).close();
    assertFalse(driver.calls().containsKey("cudnnCreate"));
    var without = new EmulatedDriver(EmulatedOptions.of(EmulatedPolicy.LATEST).withoutCudnn());
    var options = CudaOptions.DEFAULT.with(Activator.CUDNN);
    assertThrows(DeviceException.class, () -> new CudaOps(without, options));
    assertEquals(1, without.calls().get("cuDevicePrimaryCtxRelease"), "closed");
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
    try (CudaOps ops = ops();
        Feed one = ops.feed(HostExamples.of(pixels, labels), 4, 1);
        Feed other = ops.feed(HostExamples.of(pixels, labels), 7, 1);
        Buffer x = ops.allocate("x", Type.FLOAT32, 21);
        Buffer y = ops.allocate("y", Type.INT32, 7);
        Buffer end = ops.allocate("end", Type.INT32, 1)) {
      var targets = new Targets(y, Optional.empty());
      one.begin(order, 0);
      other.begin(order, 0);
      for (int batch = 0; batch < 5; batch++) {
        one.stage(4, 1);
        one.gather(0, x, targets, end, 4, new InputScaling.Uniform(1, 0));
        check(ops, x, y, 19 - 4 * batch, 4);
        int from = 7 * batch % 14;
        if (from == 0) {
          other.begin(order, 0);
        }
        other.stage(7, 1);
        other.gather(0, x, targets, end, 7, new InputScaling.Uniform(1, 0));
        check(ops, x, y, 19 - from, 7);
      }
    }
  }

  /**
   * A set of more values than a buffer has is streamed, and refused where it has to be resident.
   */
  @Test
  void aSetThatNoBufferHoldsIsStreamed() {
    int I = 100_000;
    int N = 30_000;
    Features features = Features.of(new float[I], I).rows(new int[N]);
    var examples = new HostExamples(features, new byte[N], Optional.empty());
    try (CudaOps ops = ops();
        Feed feed = ops.feed(examples, 2, 1)) {
      assertEquals(N, feed.size());
    }
    for (StepKind step : List.of(StepKind.LAYERED, StepKind.PERSISTENT)) {
      var resident =
          CudaOptions.layered(Multiplier.PTX, FeedKind.RESIDENT, Launching.GRAPH).with(step);
      try (var ops = new CudaOps(new EmulatedDriver(EmulatedPolicy.LATEST), resident)) {
        var e = assertThrows(DeviceException.class, () -> ops.feed(examples, 2, 1));
        assertEquals(
            "features are 3,000,000,000 values, and a buffer of this device may have 2,147,483,647",
            e.why());
        String instead = step == StepKind.LAYERED ? "the pinned feed" : "fused steps";
        assertEquals("Use fewer examples, or use " + instead + ".", e.remedy());
        assertEquals(0, ops.liveBytes());
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
