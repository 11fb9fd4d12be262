package mlpcuda.compute.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Distorting;
import mlpcuda.compute.Distortion;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Originals;
import mlpcuda.compute.Resources;
import mlpcuda.compute.Targets;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.compute.cuda.CudaOptions.FeedKind;
import mlpcuda.compute.cuda.CudaOptions.Launching;
import mlpcuda.compute.cuda.CudaOptions.Multiplier;
import mlpcuda.compute.cuda.emulator.EmulatedDriver;
import mlpcuda.compute.cuda.emulator.EmulatedPolicy;
import mlpcuda.error.DeviceException;
import mlpcuda.features.Features;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DistortingFeedTest {
  private static final int N = 23;
  private static final int ROWS = 6;
  private static final int COLS = 5;
  private static final int I = ROWS * COLS;

  private static final Distortion ALL =
      Distortion.parse("elastic:8:1.5,rotate:12,shear:10,scale:15,translate:1,erase:0.5");

  private static Distorting of(Distortion distortion, int rows, int cols) {
    var scaling = new InputScaling.Uniform(1 / 255f, -0.5f);
    return new Distorting(distortion, rows, cols, 1, 77L << 32 | 5, scaling);
  }

  private static HostExamples examples(boolean weighted) {
    var random = new Random(3);
    byte[] pixels = new byte[N * I];
    byte[] labels = new byte[N];
    float[] weights = new float[N];
    random.nextBytes(pixels);
    for (int i = 0; i < N; i++) {
      labels[i] = (byte) i;
      weights[i] = random.nextFloat();
    }
    Optional<float[]> all = weighted ? Optional.of(weights) : Optional.empty();
    return new HostExamples(Features.of(pixels, I), labels, all);
  }

  private static int[] order() {
    int[] order = new int[N];
    Arrays.setAll(order, i -> 7 * i % N);
    return order;
  }

  private static CudaOps gpu(FeedKind feed) {
    return new CudaOps(
        new EmulatedDriver(EmulatedPolicy.LATEST),
        CudaOptions.layered(Multiplier.PTX, feed, Launching.SINGLE));
  }

  /** What a feed gave: by label, the inputs of its example, then the weight. */
  private record Reader(Ops ops, Feed feed, boolean weighted) {
    /** Reads batches of {@code B}, {@code atOnce} at a time, from an element of the order on. */
    Map<Integer, float[]> read(int from, int B, int atOnce) {
      var read = new HashMap<Integer, float[]>();
      float[] ones = new float[I];
      Arrays.fill(ones, 1);
      try (Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
          Buffer y = ops.allocate("y", Type.INT32, B);
          Buffer weights = ops.allocate("weights", Type.FLOAT32, B);
          Buffer end = ops.allocate("end", Type.INT32, 1);
          Buffer centre = ops.allocate("centre", Type.FLOAT32, I);
          Buffer factor = ops.allocate("factor", Type.FLOAT32, I)) {
        ops.write(factor, ones);
        var targets = new Targets(y, weighted ? Optional.of(weights) : Optional.empty());
        feed.begin(order(), from);
        for (int taken = from; taken + B * atOnce <= N; taken += B * atOnce) {
          feed.stage(B, atOnce);
          for (int i = 0; i < atOnce; i++) {
            feed.gather(i, x, targets, end, B, new InputScaling.PerColumn(centre, factor));
            put(read, x, y, weights, B);
          }
        }
      }
      return read;
    }

    private void put(Map<Integer, float[]> read, Buffer x, Buffer y, Buffer weights, int B) {
      float[] inputs = new float[B * I];
      float[] factors = new float[B];
      int[] labels = new int[B];
      ops.read(x, inputs);
      ops.read(y, labels);
      ops.read(weights, factors);
      for (int b = 0; b < B; b++) {
        float[] example = Arrays.copyOfRange(inputs, b * I, (b + 1) * I + 1);
        example[I] = factors[b];
        read.put(labels[b], example);
      }
    }
  }

  /** Reads an epoch of batches of 4, two at a time, whose images are distorted at a strength. */
  private static Map<Integer, float[]> epoch(Ops device, boolean weighted, float strength) {
    Distorting distorting = of(ALL, ROWS, COLS);
    try (Ops ops = device;
        Buffer w = ops.allocate("w", Type.FLOAT32, I);
        Feed feed = ops.distortedFeedFor(w, examples(weighted), distorting, 4, 2)) {
      assertEquals(N, feed.size());
      feed.distort(3, strength);
      return new Reader(ops, feed, weighted).read(0, 4, 2);
    }
  }

  private static void assertClose(Map<Integer, float[]> expected, Map<Integer, float[]> found) {
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach((label, inputs) -> assertArrayEquals(inputs, found.get(label), 1e-5f));
  }

  private static void assertSame(Map<Integer, float[]> expected, Map<Integer, float[]> found) {
    found.forEach((label, inputs) -> assertArrayEquals(expected.get(label), inputs, "" + label));
  }

  @ParameterizedTest
  @EnumSource(names = {"PINNED", "RESIDENT"})
  void imagesLabelsAndWeightsAreTheReferences(FeedKind kind) {
    for (boolean weighted : new boolean[] {false, true}) {
      for (float strength : new float[] {1, 0.5f}) {
        var expected = epoch(new ReferenceOps(), weighted, strength);
        assertEquals(16, expected.size());
        assertClose(expected, epoch(gpu(kind), weighted, strength));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PINNED", "RESIDENT"})
  void anImageIsTheSameInAnyBatchAndAfterAResumption(FeedKind kind) {
    Distorting distorting = of(ALL, ROWS, COLS);
    try (CudaOps ops = gpu(kind);
        Buffer w = ops.allocate("w", Type.FLOAT32, I);
        Feed feed = ops.distortedFeedFor(w, examples(false), distorting, N, 3)) {
      var reader = new Reader(ops, feed, false);
      feed.distort(1, 1);
      var expected = reader.read(0, N, 1);
      assertEquals(N, expected.size());
      assertSame(expected, reader.read(0, 5, 1));
      assertSame(expected, reader.read(0, 3, 3));
      var resumed = reader.read(11, 2, 2);
      assertEquals(12, resumed.size());
      assertSame(expected, resumed);
      feed.distort(2, 1);
      assertFalse(Arrays.equals(expected.get(7), reader.read(0, N, 1).get(7)), "another epoch");
      feed.distort(1, 1);
      assertSame(expected, reader.read(0, 1, 1));
    }
  }

  /** A stage is one copy and one launch, for which nothing but the bank is waited. */
  @Test
  void aStageOfManyBatchesIsOneCopyAndOneLaunch() {
    var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
    try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
        Buffer w = ops.allocate("w", Type.FLOAT32, I);
        Feed feed = ops.distortedFeedFor(w, examples(false), of(ALL, ROWS, COLS), 2, 4)) {
      feed.begin(order(), 0);
      feed.stage(2, 1);
      Map<String, Integer> before = driver.calls();
      feed.stage(2, 4);
      Map<String, Integer> after = new HashMap<>(driver.calls());
      before.forEach((call, count) -> after.merge(call, -count, Integer::sum));
      after.values().removeIf(count -> count == 0);
      assertEquals(
          Map.of(
              "cuMemcpyHtoDAsync", 1,
              "cuLaunchKernel", 1,
              "cuEventSynchronize", 1,
              "cuEventRecord", 2,
              "cuStreamWaitEvent", 2),
          after);
    }
  }

  /** An image need not fit into a block's memory, nor all images into that for displacements. */
  @Test
  void imagesThatAreDistortedInGroupsAreTheSame() {
    Distorting distorting = of(ALL, 40, 34);
    int pixels = 40 * 34;
    byte[] values = new byte[5 * pixels];
    new Random(1).nextBytes(values);
    float[][] found = new float[2][];
    for (int run = 0; run < 2; run++) {
      long bytes = run == 0 ? 1 << 20 : 2 * 16 * pixels + 1; // five images at once, or two
      var driver = new EmulatedDriver(EmulatedPolicy.LATEST);
      long stream = driver.createStream();
      try (var ops = new CudaOps(driver, CudaOptions.DEFAULT);
          var streams = new Resources();
          var kernels = new DistortionKernels(driver, module(driver, stream), bytes);
          Buffer images = ops.constant("images", values);
          Buffer numbers = ops.allocate("numbers", Type.INT32, 5);
          Buffer x = ops.allocate("x", Type.FLOAT32, 5 * pixels)) {
        ops.write(numbers, new int[] {9, 4, 1000, 0, 4}, 0, 5);
        kernels.distort(x, new Originals(images, numbers, true), 5, distorting, 2);
        streams.add(() -> driver.destroyStream(stream));
        driver.synchronizeStream(stream);
        found[run] = new float[5 * pixels];
        ops.read(x, found[run]);
      }
    }
    assertArrayEquals(found[0], found[1]);
  }

  private static KernelModule module(CudaDriver driver, long stream) {
    return new KernelModule(
        new LaunchStream(driver, stream, Launching.SINGLE), "distort", note -> {});
  }

  @Test
  void batchesThatNoBufferHoldsAreRefused() {
    byte[] pixels = new byte[100_000];
    try (CudaOps ops = gpu(FeedKind.PINNED);
        Buffer w = ops.allocate("w", Type.FLOAT32, I)) {
      var examples = HostExamples.of(pixels, new byte[1]);
      Distorting distorting = of(ALL, 1000, 100);
      var e =
          assertThrows(
              DeviceException.class,
              () -> ops.distortedFeedFor(w, examples, distorting, 60_000, 100));
      assertEquals(
          "6000000 examples of 500005 bytes at once are too many: at most 2147483647 bytes",
          e.why());
    }
  }
}
