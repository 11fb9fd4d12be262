package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.cpu.CpuOps;
import mlpcuda.compute.cpu.ReferenceOps;
import mlpcuda.features.Features;
import org.junit.jupiter.api.Test;

/** Tests what batches of distorted images consist of, whatever their size. */
class DistortedFeedTest {
  private static final int N = 40;
  private static final int I = 9 * 7;
  private static final InputScaling NOTHING = new InputScaling.Uniform(5, 7); // never applied
  private static final Distorting DISTORTING =
      new Distorting(
          Distortion.parse("elastic:20:2,rotate:20,shear:10,scale:20,translate:1,erase"),
          9,
          7,
          1,
          3,
          new InputScaling.Uniform(0.01f, -0.5f));

  private static HostExamples examples(Optional<float[]> weights) {
    byte[] pixels = new byte[N * I];
    new Random(1).nextBytes(pixels);
    byte[] labels = new byte[N];
    for (int n = 0; n < N; n++) {
      labels[n] = (byte) (n % 5);
    }
    return new HostExamples(Features.of(pixels, I), labels, weights);
  }

  private static int[] order() {
    int[] order = new int[N];
    for (int i = 0; i < N; i++) {
      order[i] = i * 7 % N;
    }
    return order;
  }

  /**
   * The images of a pass from the {@code from}-th on, in batches of B, by position in the order.
   */
  private static float[][] pass(Ops ops, HostExamples examples, int epoch, int from, int B) {
    float[][] images = new float[N][];
    try (Buffer w = ops.allocate("w", Type.FLOAT32, 4 * I);
        Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
        Buffer y = ops.allocate("y", Type.INT32, B);
        Buffer end = ops.allocate("end", Type.INT32, 1);
        Feed feed = ops.distortedFeedFor(w, examples, DISTORTING, B, 1)) {
      feed.distort(epoch, 1);
      feed.begin(order(), from);
      for (int at = from; at < N; at += B) {
        int size = Math.min(B, N - at);
        feed.stage(size, 1);
        feed.gather(0, x, new Targets(y, Optional.empty()), end, size, NOTHING);
        float[] values = new float[size * I];
        int[] labels = new int[size];
        ops.read(x, values);
        ops.read(y, labels);
        for (int b = 0; b < size; b++) {
          images[at + b] = Arrays.copyOfRange(values, b * I, (b + 1) * I);
          assertEquals(order()[at + b] % 5, labels[b]);
        }
      }
    }
    return images;
  }

  private static void assertSame(float[][] expected, float[][] found, int from) {
    for (int i = from; i < N; i++) {
      assertArrayEquals(expected[i], found[i], 2e-4f, "image " + i);
    }
  }

  /** Batches, threads, and the place where a pass goes on change no image. */
  @Test
  void anImageDependsOnItsNumberAlone() {
    HostExamples examples = examples(Optional.empty());
    float[][] expected;
    try (Ops reference = new ReferenceOps()) {
      expected = pass(reference, examples, 2, 0, 7);
    }
    for (int threads : new int[] {1, 3}) {
      try (Ops ops = new CpuOps(threads)) {
        for (int B : new int[] {1, 13, N}) {
          assertSame(expected, pass(ops, examples, 2, 0, B), 0);
        }
        assertSame(expected, pass(ops, examples, 2, 17, 13), 17);
      }
    }
  }

  @Test
  void anotherEpochHasOtherImages() {
    try (Ops ops = new CpuOps(1)) {
      float[][] one = pass(ops, examples(Optional.empty()), 1, 0, 8);
      float[][] two = pass(ops, examples(Optional.empty()), 2, 0, 8);
      for (int i = 0; i < N; i++) {
        assertNotEquals(Arrays.toString(one[i]), Arrays.toString(two[i]));
      }
    }
  }

  @Test
  void weightsAreThoseOfTheExamples() {
    float[] weights = new float[N];
    for (int n = 0; n < N; n++) {
      weights[n] = n + 0.5f;
    }
    try (Ops ops = new CpuOps(1);
        Buffer w = ops.allocate("w", Type.FLOAT32, 4 * I);
        Buffer x = ops.allocate("x", Type.FLOAT32, 3 * I);
        Buffer y = ops.allocate("y", Type.INT32, 3);
        Buffer of = ops.allocate("weights", Type.FLOAT32, 3);
        Buffer end = ops.allocate("end", Type.INT32, 1);
        Feed feed = ops.distortedFeedFor(w, examples(Optional.of(weights)), DISTORTING, 3, 1)) {
      feed.distort(1, 1);
      feed.begin(order(), 2);
      feed.stage(3, 1);
      feed.gather(0, x, new Targets(y, Optional.of(of)), end, 3, NOTHING);
      float[] found = new float[3];
      ops.read(of, found);
      assertArrayEquals(new float[] {14.5f, 21.5f, 28.5f}, found);
      assertThrows(UnsupportedOperationException.class, () -> feed.batch(0, 3));
    }
  }

  /** Without strength an image is itself, scaled. */
  @Test
  void noStrengthChangesNothing() {
    HostExamples examples = examples(Optional.empty());
    try (Ops ops = new CpuOps(1);
        Buffer w = ops.allocate("w", Type.FLOAT32, 4 * I);
        Buffer x = ops.allocate("x", Type.FLOAT32, N * I);
        Buffer y = ops.allocate("y", Type.INT32, N);
        Buffer end = ops.allocate("end", Type.INT32, 1);
        Feed feed = ops.distortedFeedFor(w, examples, DISTORTING, N, 1)) {
      feed.distort(1, 0);
      feed.begin(order(), 0);
      feed.stage(N, 1);
      feed.gather(0, x, new Targets(y, Optional.empty()), end, N, NOTHING);
      float[] found = new float[N * I];
      ops.read(x, found);
      byte[] pixels = new byte[I];
      for (int b = 0; b < N; b++) {
        examples.features().read(order()[b], pixels, 0);
        for (int i = 0; i < I; i++) {
          assertEquals((pixels[i] & 0xFF) * 0.01f - 0.5f, found[b * I + i], 1e-5f);
        }
      }
    }
  }
}
