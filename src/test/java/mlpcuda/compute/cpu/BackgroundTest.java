package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Feed;
import mlpcuda.compute.HostExamples;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.Ops;
import mlpcuda.compute.Targets;
import org.junit.jupiter.api.Test;

/** Tests when the CPU may leave pixels out of a product, and when it must not. */
class BackgroundTest {
  private static final int I = 40;
  private static final int O = 8;
  private static final int B = 16;

  /** Images in which few of the pixels 0 … 9 are not 0, and most of the others. */
  private static byte[] bordered(int N, double few) {
    var random = new Random(5);
    byte[] pixels = new byte[N * I];
    for (int i = 0; i < pixels.length; i++) {
      boolean shown = random.nextDouble() < (i % I < 10 ? few : 0.7);
      pixels[i] = (byte) (shown ? 1 + random.nextInt(255) : 0);
    }
    return pixels;
  }

  @Test
  void theBorderComesLast() {
    InputOrder order = Background.order(bordered(500, 0.002), I);
    assertEquals(30, order.multiplied());
    assertArrayEquals(
        IntStream.range(0, 10).toArray(), IntStream.of(order.pixels()).skip(30).sorted().toArray());
    assertArrayEquals(
        IntStream.range(0, I).toArray(), IntStream.of(order.pixels()).sorted().toArray());
  }

  @Test
  void imagesWithoutABorderStayAsTheyAre() {
    InputOrder order = Background.order(bordered(500, 0.5), I);
    assertTrue(order.isNatural());
    assertEquals(I, order.multiplied());
    assertEquals(Optional.empty(), Background.of(bordered(500, 0.5), order));
  }

  /** One input of blank images is multiplied, since a product of no inputs would be none. */
  @Test
  void ofBlankImagesOneInputIsMultiplied() {
    assertEquals(1, Background.order(new byte[3 * I], I).multiplied());
  }

  /** The sample has every second image; pixels of the others are found all the same. */
  @Test
  void whatTheSampleDidNotShowIsListed() {
    byte[] pixels = bordered(2048, 0);
    pixels[I * 1001 + 3] = 7;
    InputOrder order = Background.order(pixels, I);
    Background background = Background.of(pixels, order).orElseThrow();
    assertEquals(background.start(1001) + 1, background.start(1002));
    int k = background.start(1001);
    assertEquals(3, order.pixels()[background.core() + background.column(k)]);
    assertEquals(7, background.value(k));

    for (int image = 1; image < 2048; image += 2) { // these images are not in the sample
      for (int i = 0; i < 10; i++) {
        pixels[image * I + i] = 1;
      }
    }
    assertEquals(30, Background.order(pixels, I).multiplied());
    assertEquals(Optional.empty(), Background.of(pixels, Background.order(pixels, I)));
  }

  /**
   * Gathers a batch, does something else, and computes the layer behind x.
   *
   * @param ordered whether the device is told of the weights that the batch is multiplied by
   * @return x (B, I), and the outputs of the layer (B, O)
   */
  private static float[][] layer(
      Ops ops, byte[] pixels, boolean ordered, BiConsumer<Ops, Buffer> between) {
    byte[] labels = new byte[pixels.length / I];
    float[] z = new float[B * O];
    float[] inputs = new float[B * I];
    try (Buffer w = ops.allocate("w", Type.FLOAT32, O * I);
        Feed feed =
            ordered
                ? ops.feedFor(w, HostExamples.of(pixels, labels), B, 1)
                : ops.feed(HostExamples.of(pixels, labels), B, 1);
        Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
        Buffer y = ops.allocate("y", Type.INT32, B);
        Buffer end = ops.allocate("end", Type.INT32, 1);
        Buffer b = ops.allocate("b", Type.FLOAT32, O);
        Buffer out = ops.allocate("out", Type.FLOAT32, B * O)) {
      ops.write(w, weights());
      ops.write(end, new int[] {B}, 0, 1);
      feed.begin(IntStream.range(0, labels.length).toArray(), 0);
      feed.stage(B, 1);
      feed.gather(
          0, x, new Targets(y, Optional.empty()), end, B, new InputScaling.Uniform(0.01f, -0.3f));
      between.accept(ops, x);
      ops.linearForward(out, x, w, b, B, I, O, Activation.NONE);
      ops.read(out, z);
      ops.read(x, inputs);
    }
    return new float[][] {inputs, z};
  }

  private static float[] weights() {
    var random = new Random(6);
    float[] weights = new float[O * I];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return weights;
  }

  private static void agrees(byte[] pixels, BiConsumer<Ops, Buffer> between) {
    try (var cpu = new CpuOps(2);
        var reference = new ReferenceOps()) {
      float[][] expected = layer(reference, pixels, true, between);
      float[][] found = layer(cpu, pixels, true, between);
      assertArrayEquals(expected[0], found[0], 1e-5f);
      assertArrayEquals(expected[1], found[1], 1e-4f);
    }
  }

  @Test
  void theOrderOfInputsIsNotSeenBehindTheLayer() {
    byte[] pixels = bordered(B, 0.02);
    assertTrue(Background.order(pixels, I).multiplied() < I);
    try (var cpu = new CpuOps(2)) {
      BiConsumer<Ops, Buffer> nothing = (ops, x) -> {};
      assertArrayEquals(
          layer(cpu, pixels, false, nothing)[1], layer(cpu, pixels, true, nothing)[1], 1e-4f);
    }
  }

  /** Weights that the batches are multiplied by, too, need no change of their order for it. */
  @Test
  void otherWeightsOfTheLayerHaveTheSameOrder() {
    byte[] pixels = bordered(B, 0.02);
    try (var cpu = new CpuOps(1);
        Buffer w = cpu.allocate("w", Type.FLOAT32, 3 * I);
        Buffer average = cpu.allocate("average", Type.FLOAT32, 3 * I);
        Buffer step = cpu.allocate("step", Type.INT32, 1)) {
      float[] values = new float[3 * I];
      for (int i = 0; i < values.length; i++) {
        values[i] = i;
      }
      cpu.write(average, values);
      cpu.feedFor(w, HostExamples.of(pixels, new byte[B]), B, 1).close();
      cpu.feedsToo(average, w);
      InputOrder order = ((Floats) w).order(3 * I, I);
      assertFalse(order.isNatural());
      assertSame(order, ((Floats) average).order(3 * I, I));
      cpu.averageStep(average, w, step, 3 * I, 0.5);
      assertSame(order, ((Floats) average).order(3 * I, I));
      cpu.feedFor(average, HostExamples.of(bordered(1, 0), new byte[1]), 1, 1).close();
      assertSame(order, ((Floats) average).order(3 * I, I), "another set keeps it");
      float[] moved = new float[3 * I];
      cpu.read(average, moved);
      for (int i = 0; i < moved.length; i++) {
        assertEquals(0.1f * i, moved[i], 1e-3f); // step 0 keeps a tenth
      }
    }
  }

  /** The note on x ends with the first write there, by whatever operation. */
  @Test
  void whatIsWrittenOverABatchIsMultiplied() {
    byte[] pixels = bordered(B, 0.005);
    float[] values = new float[I];
    for (int i = 0; i < I; i++) {
      values[i] = i + 0.5f;
    }
    agrees(pixels, (ops, x) -> ops.write(x, values));
    agrees(pixels, (ops, x) -> ops.write(x.slice("row 3", 3 * I, I), values));
    agrees(pixels, (ops, x) -> ops.activationBackward(x, x, x, B * I, Activation.TANH));
    agrees(
        pixels,
        (ops, x) -> {
          try (Buffer step = ops.allocate("step", Type.INT32, 1)) {
            ops.dropoutForward(x, x, step, B * I, 0.5f, 0, 1);
          }
        });
    agrees(
        pixels,
        (ops, x) -> {
          try (Buffer w = ops.allocate("w", Type.FLOAT32, I);
              Buffer b = ops.allocate("b", Type.FLOAT32, I)) {
            ops.write(b, values);
            ops.linearForward(x, x, w, b, B, 1, I, Activation.NONE); // each row becomes b
          }
        });
  }

  /** Gathers {@code n} images of another feed, from number {@code from} on, over the rows of x. */
  private static void gatherOver(Ops ops, Buffer x, byte[] images, int from, int n, float shift) {
    int N = images.length / I;
    try (Buffer w = ops.allocate("other w", Type.FLOAT32, O * I);
        Feed other = ops.feedFor(w, HostExamples.of(images, new byte[N]), B, 1);
        Buffer y = ops.allocate("y", Type.INT32, B);
        Buffer end = ops.allocate("end", Type.INT32, 1)) {
      ops.write(end, new int[] {from + n}, 0, 1);
      other.begin(IntStream.range(0, N).toArray(), from);
      other.stage(n, 1);
      other.gather(
          0, x, new Targets(y, Optional.empty()), end, n, new InputScaling.Uniform(0.01f, shift));
    }
  }

  /**
   * After a shorter batch in the same place, the rows beyond it are still those of the former one,
   * although the shorter batch has an order of its own.
   */
  @Test
  void aShorterBatchLeavesTheRest() {
    byte[] pixels = bordered(2 * B, 0.02);
    agrees(pixels, (ops, x) -> gatherOver(ops, x, pixels, B, 5, -0.3f));
  }

  /** Another scaling, or another set, makes another background. */
  @Test
  void anotherBackgroundIsWrittenWhole() {
    byte[] pixels = bordered(B, 0.005);
    for (float shift : new float[] {-0.3f, 0.25f}) {
      byte[] others = bordered(3 * B, 0.005);
      agrees(pixels, (ops, x) -> gatherOver(ops, x, others, 0, B, shift));
    }
  }

  /** A set whose border has many pixels is fed in the order of the network's first set, whole. */
  @Test
  void allSetsOfANetworkHaveTheOrderOfItsFirst() {
    byte[] first = bordered(B, 0.005);
    byte[] second = bordered(B, 0.9);
    try (var cpu = new CpuOps(2);
        var reference = new ReferenceOps()) {
      float[][] expected = outputs(reference, first, second);
      float[][] found = outputs(cpu, first, second);
      for (int i = 0; i < expected.length; i++) {
        assertArrayEquals(expected[i], found[i], 1e-4f, "batch " + i);
      }
    }
  }

  /** The outputs of one layer for a batch of the first set, of the second, and the first again. */
  private static float[][] outputs(Ops ops, byte[] first, byte[] second) {
    float[][] outputs = new float[3][B * O];
    try (Buffer w = ops.allocate("w", Type.FLOAT32, O * I);
        Feed one = ops.feedFor(w, HostExamples.of(first, new byte[B]), B, 1);
        Feed other = ops.feedFor(w, HostExamples.of(second, new byte[B]), B, 1);
        Buffer x = ops.allocate("x", Type.FLOAT32, B * I);
        Buffer y = ops.allocate("y", Type.INT32, B);
        Buffer end = ops.allocate("end", Type.INT32, 1);
        Buffer b = ops.allocate("b", Type.FLOAT32, O);
        Buffer out = ops.allocate("out", Type.FLOAT32, B * O)) {
      ops.write(w, weights());
      ops.write(end, new int[] {B}, 0, 1);
      Feed[] feeds = {one, other, one};
      for (int i = 0; i < feeds.length; i++) {
        feeds[i].begin(IntStream.range(0, B).toArray(), 0);
        feeds[i].stage(B, 1);
        feeds[i].gather(
            0, x, new Targets(y, Optional.empty()), end, B, new InputScaling.Uniform(0.01f, -0.3f));
        ops.linearForward(out, x, w, b, B, I, O, Activation.NONE);
        ops.read(out, outputs[i]);
      }
    }
    return outputs;
  }

  @Test
  void imagesInAnOrderHaveNoSlices() {
    byte[] pixels = bordered(B, 0.005);
    try (var ops = new CpuOps(1)) {
      var bytes = new Bytes(ops, "images", pixels);
      bytes.arrange(Background.order(pixels, I));
      assertThrows(IllegalStateException.class, () -> bytes.slice("row", 0, I));
    }
  }
}
