package mlpcuda.conformance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.DeviceExamples;
import mlpcuda.compute.Feed;
import mlpcuda.compute.InputScaling;
import mlpcuda.compute.LayerGradients;
import mlpcuda.compute.Order;
import mlpcuda.compute.Targets;
import mlpcuda.conformance.Cases.Case;
import mlpcuda.random.Philox;

/** Cases of layers: gathering, products, activations and dropout. */
final class LayerCases {
  private static final InputScaling SCALING = new InputScaling.Uniform(0.0127f, -0.42f);

  private LayerCases() {}

  static Case gather(int B, int I) {
    return new Case(
        "gatherForward",
        "B=%d I=%d".formatted(B, I),
        Cases.FP32,
        t -> gathering(t, t.bytes("features", 19 * I, 256), B, I, SCALING, false));
  }

  /**
   * Floats with an offset that is large beside their differences, as years have it, scaled column
   * by column: an input is wrong if the offset is not subtracted first.
   *
   * @param weighted whether examples have weights
   */
  static Case gatherFloats(int B, int I, boolean weighted) {
    return new Case(
        "gatherForward",
        "B=%d I=%d of floats by column%s".formatted(B, I, weighted ? ", weighted" : ""),
        Cases.FP32,
        t -> {
          Buffer features = t.uniform("features", 19 * I, 1999, 2001);
          InputScaling columns = columns(t, I, 1999, 2001);
          return gathering(t, features, B, I, columns, weighted);
        });
  }

  /** Features with NaN and infinity, which must come through. */
  static Case gatherSpecialFloats() {
    return new Case(
        "gatherForward",
        "B=33 I=8 of floats, NaN and infinity",
        Cases.FP32,
        t -> gathering(t, t.special("features", 19 * 8), 33, 8, columns(t, 8, -1, 1), false));
  }

  /** The pairs of type and scaling that no training chooses by itself. */
  static Case gatherMixed(int I, boolean floats) {
    return new Case(
        "gatherForward",
        "B=7 I=%d of %s".formatted(I, floats ? "floats, scaled alike" : "bytes by column"),
        Cases.FP32,
        t -> {
          Buffer features =
              floats ? t.uniform("features", 19 * I, 0, 255) : t.bytes("features", 19 * I, 256);
          InputScaling scaling = floats ? SCALING : columns(t, I, 0, 255);
          return gathering(t, features, 7, I, scaling, true);
        });
  }

  private static InputScaling columns(GuardedBuffers t, int I, double low, double high) {
    Buffer centre = t.uniform("centre", I, low, high);
    return new InputScaling.PerColumn(centre, t.uniform("factor", I, -2, 3));
  }

  /** Gathers a batch that stands between others of an order. */
  private static Runnable gathering(
      GuardedBuffers t, Buffer features, int B, int I, InputScaling scaling, boolean weighted) {
    int N = features.length() / I;
    Buffer x = t.output("x", B * I);
    Buffer y = t.intOutput("y", new int[B]);
    Optional<Buffer> ofBatch = weighted ? Optional.of(t.output("weights", B)) : Optional.empty();
    Optional<Buffer> ofSet =
        weighted ? Optional.of(t.uniform("weights of the set", N, 0, 3)) : Optional.empty();
    var targets = new Targets(y, ofBatch);
    var examples = new DeviceExamples(features, t.bytes("labels", N, 256), ofSet);
    var order = Optional.of(new Order(t.integers("rows", B + 5, N), t.given("end", B + 3)));
    return () -> t.ops().gatherForward(x, targets, examples, order, B, I, scaling);
  }

  static Case gatherAll() {
    return new Case(
        "gatherForward",
        "B=33 I=103 without rows",
        Cases.FP32,
        t -> {
          Buffer x = t.output("x", 33 * 103);
          var targets = new Targets(t.intOutput("y", new int[33]), Optional.empty());
          Buffer images = t.bytes("images", 40 * 103, 256);
          Buffer labels = t.bytes("labels", 40, 256);
          var examples = new DeviceExamples(images, labels, Optional.empty());
          return () ->
              t.ops().gatherForward(x, targets, examples, Optional.empty(), 33, 103, SCALING);
        });
  }

  /**
   * Rows whose length vectors of 4 fit, at addresses that the vectors may not fit.
   *
   * @param imagesFrom the byte of their buffer at which the images begin
   * @param before the number of buffers made before x: each gives x another alignment
   */
  static Case gatherUnaligned(int imagesFrom, int before) {
    return new Case(
        "gatherForward",
        "B=3 I=8, images at byte %d, x after %d buffers".formatted(imagesFrom, before),
        Cases.FP32,
        t -> {
          for (int i = 0; i < before; i++) {
            t.given("before " + i, 0f);
          }
          Buffer x = t.output("x", 3 * 8);
          var targets = new Targets(t.intOutput("y", new int[3]), Optional.empty());
          Buffer images = t.bytes("images", 4 + 3 * 8, 256).slice("from", imagesFrom, 3 * 8);
          Buffer labels = t.bytes("labels", 3, 256);
          var examples = new DeviceExamples(images, labels, Optional.empty());
          return () -> t.ops().gatherForward(x, targets, examples, Optional.empty(), 3, 8, SCALING);
        });
  }

  static Case linearForward(double limit, int B, int I, int O, Activation activation) {
    return new Case(
        "linearForward",
        "B=%d I=%d O=%d %s".formatted(B, I, O, activation),
        limit,
        t -> {
          Buffer y = t.output("y", B * O);
          Buffer x = t.normal("x", B * I, 1);
          Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
          Buffer b = t.normal("b", O, 1);
          return () -> t.ops().linearForward(y, x, w, b, B, I, O, activation);
        });
  }

  static Case linearBackward(double limit, int B, int I, int O, Activation below, boolean withDx) {
    return new Case(
        "linearBackward",
        "B=%d I=%d O=%d below %s%s".formatted(B, I, O, below, withDx ? "" : ", without dx"),
        limit,
        t -> {
          var gradients = gradients(t, withDx ? B * I : 0, O * I, O);
          Buffer dy = t.normal("dy", B * O, 1);
          Buffer x = t.activated("x", B * I, below);
          Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
          return () -> t.ops().linearBackward(gradients, dy, x, w, B, I, O, below);
        });
  }

  /** Outputs for gradients of so many inputs, weights and biases; no inputs: without dx. */
  private static LayerGradients gradients(GuardedBuffers t, int inputs, int weights, int biases) {
    Optional<Buffer> dx = inputs > 0 ? Optional.of(t.output("dx", inputs)) : Optional.empty();
    return new LayerGradients(dx, t.output("dw", weights), t.output("db", biases));
  }

  /**
   * The layer behind images that have a border in which few pixels are not 0: a device need not
   * multiply all of it. It is tested with the second of two batches in the same place.
   */
  static Case firstLayer(double limit, int B, int I, int core, int O) {
    return new Case(
        "linearBackward",
        "B=%d I=%d O=%d and forward, %d inputs of a border".formatted(B, I, O, I - core),
        limit,
        t -> {
          // The numbers have so few bits that every device has the same x, and rounds it alike.
          var scaling = new InputScaling.Uniform(53_267 * 0x1p-22f, -1_761_607 * 0x1p-22f);
          Buffer x = t.output("x", B * I);
          var targets = new Targets(t.intOutput("y", new int[B]), Optional.empty());
          Buffer z = t.output("z", B * O);
          var gradients = gradients(t, 0, O * I, O);
          Buffer dz = t.normal("dz", B * O, 1);
          Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
          Buffer b = t.normal("b", O, 1);
          Feed images = t.images(w, Math.max(256, 2 * B), I, core, B);
          int[] order = new int[2 * B];
          Arrays.setAll(order, i -> (7 * i + 3) % order.length);
          images.begin(order, 0);
          images.stage(B, 1);
          images.gather(0, x, targets, t.given("first end", B), B, scaling);
          images.stage(B, 1);
          Buffer end = t.given("end", 2 * B);
          return () -> {
            images.gather(0, x, targets, end, B, scaling);
            t.ops().linearForward(z, x, w, b, B, I, O, Activation.RELU);
            t.ops().linearBackward(gradients, dz, x, w, B, I, O, Activation.NONE);
          };
        });
  }

  static Case activationBackward(int n, Activation activation) {
    return new Case(
        "activationBackward",
        "n=%d %s".formatted(n, activation),
        Cases.FP32,
        t -> {
          Buffer dx = t.output("dx", n);
          Buffer dy = t.normal("dy", n, 1);
          Buffer y = t.activated("y", n, activation);
          return () -> t.ops().activationBackward(dx, dy, y, n, activation);
        });
  }

  static Case dropout(int n, float rate) {
    return new Case(
        "dropoutForward",
        "n=%d rate=%s".formatted(n, rate),
        rate == 0 || rate == 0.5f ? Cases.EXACT : Cases.FP32,
        t -> {
          Buffer y = t.output("y", n);
          Buffer x = t.normal("x", n, 1);
          Buffer step = t.given("step", 12);
          return () -> t.ops().dropoutForward(y, x, step, n, rate, 3, 0x123456789L);
        });
  }

  /**
   * Dropout at a rate that is the number of element 17 exactly: the element is kept. The next
   * larger rate, of 24 bits, drops it. The last of the 24 bits is set, and those after it would be
   * rounded up: a device that takes more bits or fewer has another mask.
   */
  static Case dropoutAtTheRate() {
    int n = 19;
    long seed = 0x123456789L;
    int[] words = new int[4];
    Philox.block(words, 17 / 4, 3, 12, Philox.Use.DROPOUT, seed);
    float rate = Philox.uniform(words[17 % 4]);
    return new Case(
        "dropoutForward",
        "n=19, rate of an element",
        Cases.FP32,
        t -> {
          Buffer x = t.normal("x", n, 1);
          Buffer step = t.given("step", 12);
          Buffer kept = t.output("kept", n);
          Buffer dropped = t.output("dropped", n);
          return () -> {
            t.ops().dropoutForward(kept, x, step, n, rate, 3, seed);
            t.ops().dropoutForward(dropped, x, step, n, rate + 0x1p-24f, 3, seed);
          };
        });
  }

  /** Puts NaN and infinity in, and expects the same out: a device must not hide them. */
  static Case special(double limit, Activation activation) {
    int B = 40;
    return new Case(
        "linearForward",
        "of NaN and infinity, " + activation,
        limit,
        t -> {
          Buffer y = t.output("y", B);
          Buffer x = t.special("x", B);
          Buffer w = t.given("w", 1f);
          Buffer b = t.given("b", 0f);
          return () -> t.ops().linearForward(y, x, w, b, B, 1, 1, activation);
        });
  }

  /**
   * Values at which one precision rounds in another way than the next: ties and their neighbours,
   * subnormal halves, the largest halves and floats.
   */
  static float[] edges() {
    var edges = new ArrayList<Float>();
    for (int bits : new int[] {7, 10}) {
      float tie = Math.scalb(1f, -bits - 1);
      for (float value : new float[] {1 + tie, 1 + 3 * tie, 2 - tie}) {
        edges.addAll(List.of(Math.nextDown(value), value, Math.nextUp(value)));
      }
    }
    float least = 0x1p-24f; // half
    for (float value : new float[] {0.5f * least, 1.5f * least, 2.5f * least, 1000.5f * least}) {
      edges.addAll(List.of(Math.nextDown(value), value, Math.nextUp(value)));
    }
    edges.addAll(List.of(0f, least, 0x1p-14f, Math.nextDown(0x1p-14f), 0x1p-26f, 1e-30f));
    edges.addAll(List.of(65504f, Math.nextDown(65520f), 65520f, 65536f, 1e30f));
    edges.addAll(List.of(Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN));
    float[] values = new float[2 * edges.size()];
    for (int i = 0; i < edges.size(); i++) {
      values[2 * i] = edges.get(i);
      values[2 * i + 1] = -edges.get(i);
    }
    return values;
  }

  /** Multiplies each edge by 1, which is exact, whatever the order of sums. */
  static Case edgesForward(boolean ofX) {
    float[] edges = edges();
    int n = edges.length;
    int B = ofX ? n : 1;
    int O = ofX ? 1 : n;
    return new Case(
        "linearForward",
        ofX ? "of x at the edges of precisions" : "of w at the edges of precisions",
        Cases.EXACT,
        t -> {
          Buffer y = t.output("y", n);
          Buffer x = ofX ? t.given("x", edges) : t.given("x", 1f);
          Buffer w = ofX ? t.given("w", 1f) : t.given("w", edges);
          Buffer b = t.uniform("b", O, 0, 0);
          return () -> t.ops().linearForward(y, x, w, b, B, 1, O, Activation.NONE);
        });
  }

  /** Multiplies each edge by 1 for dw and dx, as x and w or as dy; db adds up dy unrounded. */
  static Case edgesBackward(boolean ofDy) {
    float[] edges = edges();
    int n = edges.length;
    return new Case(
        "linearBackward",
        ofDy ? "of dy at the edges of precisions" : "of x and w at the edges of precisions",
        Cases.EXACT,
        t -> {
          int I = ofDy ? 1 : n;
          int O = ofDy ? n : 1;
          var gradients = gradients(t, ofDy ? 0 : n, n, O);
          Buffer dy = ofDy ? t.given("dy", edges) : t.given("dy", 1f);
          Buffer x = ofDy ? t.given("x", 1f) : t.given("x", edges);
          Buffer w = ofDy ? t.uniform("w", n, 1, 1) : t.given("w", edges);
          return () -> t.ops().linearBackward(gradients, dy, x, w, 1, I, O, Activation.NONE);
        });
  }

  /** Multiplies each edge by 1 for dx, as dy; its sums in dw and db are NaN. */
  static Case edgesBackwardToInputs() {
    float[] edges = edges();
    int B = edges.length;
    return new Case(
        "linearBackward",
        "of rows of dy at the edges of precisions",
        Cases.EXACT,
        t -> {
          var gradients = gradients(t, B, 1, 1);
          Buffer dy = t.given("dy", edges);
          Buffer x = t.uniform("x", B, 1, 1);
          Buffer w = t.given("w", 1f);
          return () -> t.ops().linearBackward(gradients, dy, x, w, B, 1, 1, Activation.NONE);
        });
  }

  /**
   * Operands within the range of halves, whose products and sums are out of it: those are floats.
   */
  static Case beyondHalves(double limit) {
    int B = 7;
    int I = 103;
    int O = 33;
    return new Case(
        "linearForward",
        "B=%d I=%d O=%d with products beyond halves".formatted(B, I, O),
        limit,
        t -> {
          Buffer y = t.output("y", B * O);
          Buffer x = t.uniform("x", B * I, -65519, 65519);
          Buffer w = t.uniform("w", O * I, -65519, 65519);
          Buffer b = t.uniform("b", O, 0, 0);
          return () -> t.ops().linearForward(y, x, w, b, B, I, O, Activation.NONE);
        });
  }

  /** Operands that are subnormal as halves: they have fewer bits, and must not become 0. */
  static Case subnormalHalves(double limit) {
    int B = 7;
    int I = 103;
    int O = 33;
    return new Case(
        "linearForward",
        "B=%d I=%d O=%d of subnormal halves".formatted(B, I, O),
        limit,
        t -> {
          Buffer y = t.output("y", B * O);
          Buffer x = t.uniform("x", B * I, -0x1p-14, 0x1p-14);
          Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
          Buffer b = t.uniform("b", O, 0, 0);
          return () -> t.ops().linearForward(y, x, w, b, B, I, O, Activation.NONE);
        });
  }
}
