package mlpcuda.conformance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Feed;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;
import mlpcuda.random.Philox;

/**
 * The conformance table: every operation at the sizes where kernels go wrong. To add an operation,
 * add its cases here; the tests run them all on each device, and so does {@code compare}.
 */
public final class Cases {
  /** Normalised mean squared error that FP32 arithmetic stays under at every size of the table. */
  public static final double FP32 = 1e-10;

  /**
   * The same of products whose operands are rounded, of a device and a reference that round them
   * alike: what is left is what the sums differ by. A CPU stays below FP32's limit; the tensor
   * cores of a GPU truncate where they add, once for every 4 to 16 products, and that adds up: a
   * sum of 1025 is cut 256 times at most, by 2⁻²³ of its size each time, whose square is 1e-9. To
   * forget the rounding of one operand costs 4e-8 with 10 bits after the point, and more with 7.
   */
  public static final double ROUNDED_OPERANDS = 1e-9;

  /** A few roundings to float, whatever the size. */
  private static final double ROUNDED = 1e-13;

  /** Copies and masks: not a bit may differ. */
  private static final double EXACT = 0;

  private static final int[] RAGGED = {1, 7, 31, 33, 103, 784, 1025};

  /**
   * One operation at certain sizes.
   *
   * @param operation its name
   * @param sizes what tells it from the operation's other cases
   * @param limit largest normalised mean squared error of any output against the reference
   * @param inputs makes the inputs on a bench; what it returns calls the operation on them, and may
   *     be called again
   */
  public record Case(
      String operation, String sizes, double limit, Function<Bench, Runnable> inputs) {
    /** Operation and sizes. */
    public String name() {
      return sizes.isEmpty() ? operation : operation + " " + sizes;
    }

    @Override
    public String toString() {
      return name();
    }
  }

  private Cases() {}

  /** All cases, for a device in single precision. */
  public static List<Case> all() {
    return all(Precision.FP32);
  }

  /** All cases, for a device whose products have operands of that precision. */
  public static List<Case> all(Precision precision) {
    var cases = new ArrayList<Case>(others());
    cases.addAll(products(precision));
    return cases;
  }

  /** Those of {@link #all(Precision)} that are the same whatever the precision. */
  public static List<Case> others() {
    var cases = new ArrayList<Case>();
    for (int n : RAGGED) {
      cases.add(gather(n, 7));
      cases.add(gather(33, n));
      for (Activation activation : Activation.values()) {
        cases.add(activationBackward(n, activation));
      }
      cases.add(dropout(n, 0.5f));
      cases.add(logSoftmax(n, 10, 1));
      cases.add(logSoftmax(7, n, 1));
      for (float smoothing : new float[] {0, 0.1f}) {
        cases.add(crossEntropy(n, 10, 1, smoothing, true));
        cases.add(crossEntropy(7, n, 1, smoothing, true));
        cases.add(crossEntropy(33, n, 1e4, smoothing, true));
      }
      cases.add(adam(n, 1, AdamSettings.DEFAULT));
      cases.add(sgd(n, SgdSettings.DEFAULT));
      cases.add(sgd(n, new SgdSettings(0.9, false, 0)));
      cases.add(clip(n, 1, 0.5f));
      cases.add(clip(n, 1, 1e6f));
      cases.add(sum(n));
      cases.add(zero(n));
    }
    cases.add(dropout(109_386, 0f));
    cases.add(dropout(109_386, 0.1f));
    cases.add(logSoftmax(33, 10, 1e4));
    cases.add(crossEntropy(64, 10, 1, 0, false));
    cases.add(crossEntropy(64, 10, 1, 0.9f, false));
    cases.add(adam(109_386, 1000, AdamSettings.DEFAULT));
    cases.add(adam(1025, 3, new AdamSettings(0.8, 0.99, 1e-2, 0.01, false)));
    cases.add(adam(1025, 3, new AdamSettings(0.9, 0.999, 1e-2, 0.01, true)));
    cases.add(sgd(109_386, new SgdSettings(0.9, true, 0.01)));
    cases.add(sgd(1025, new SgdSettings(0.9, false, 0.3)));
    cases.add(sgd(1025, new SgdSettings(0.8, true, 0.3)));
    cases.add(clip(300_000, 1, 2)); // more than a thread has one element of
    cases.add(clip(1025, 1e30, 2)); // whose squares no float holds
    cases.add(clip(1025, 1e-30, 1e-10f));
    cases.add(clipOf("zeros", 1, 0, 0, 0));
    cases.add(clipOf("the limit", 5 + 2e-6f, 3, 4));
    cases.add(clipOf("infinity", 2, 1, Float.NEGATIVE_INFINITY, -2));
    cases.add(clipOf("infinity, no limit", Float.POSITIVE_INFINITY, 1, Float.POSITIVE_INFINITY));
    cases.add(clipOf("NaN", 2, 1, Float.NaN, -2));
    cases.add(clipOf("a norm that no float holds", 2, 3e38f, 3e38f, -1));
    cases.add(decay(false));
    cases.add(decay(true));
    cases.add(crossEntropyOfTies(103, 10));
    cases.add(crossEntropyOfTies(33, 2));
    cases.add(crossEntropyOfEqual(7, 103));
    cases.add(crossEntropyBeforeTheFirstStep());
    cases.add(dropoutAtTheRate());
    cases.add(logSoftmaxOfLargeButClose());
    for (float smoothing : new float[] {0, 0.1f}) {
      cases.add(crossEntropyOfLargeButClose(smoothing));
      cases.add(crossEntropyOfSpecial(7, 10, smoothing));
      cases.add(crossEntropyOfSpecial(7, 103, smoothing));
    }
    cases.add(gatherAll());
    for (int images = 0; images < 4; images++) {
      for (int before = 0; before < 3; before++) {
        cases.add(gatherUnaligned(images, before));
      }
    }
    cases.add(advance());
    addScaled(cases);
    return cases;
  }

  /** What a {@link LossScale} changes, which a device has whatever its precision. */
  private static void addScaled(List<Case> cases) {
    for (int B : new int[] {1, 33, 1025}) {
      cases.add(scaledCrossEntropy(B, 10, 0));
    }
    cases.add(scaledCrossEntropy(7, 103, 0.1f));
    for (int n : new int[] {7, 1025}) {
      cases.add(scaledAdam(n, AdamSettings.DEFAULT, false));
      cases.add(scaledAdam(n, AdamSettings.DEFAULT, true));
      cases.add(scaledSgd(n, false));
      cases.add(scaledSgd(n, true));
    }
    for (float limit : new float[] {0.5f, 1e6f, Float.POSITIVE_INFINITY}) {
      cases.add(scaledClip(33, limit));
      cases.add(scaledClip(300_000, limit));
    }
    for (float limit : new float[] {2, Float.POSITIVE_INFINITY}) {
      // What is 0 beside gradients that are not finite must stay 0, for nobody sets it anew.
      cases.add(scaledClipOf("infinity", limit, 1, Float.NEGATIVE_INFINITY, 0, -2));
      cases.add(scaledClipOf("NaN", limit, 1, Float.NaN, 0, -2));
      cases.add(scaledClipOf("zeros", limit, 0, 0, 0));
    }
    cases.add(scaledAdvance("before the first step", 0, 1024, 5, 2, 1)); // of nobody
    cases.add(scaledAdvance("after a step that was skipped", 41, 1024, 5, 2, 1));
    cases.add(scaledAdvance("after a step that was not", 41, 1024, 5, 2, 0));
    cases.add(scaledAdvance("after the step before the last", 41, 1024, 1998, 2, 0));
    cases.add(scaledAdvance("after the step that doubles the scale", 41, 1024, 1999, 2, 0));
    cases.add(scaledAdvance("after that step, skipped", 41, 1024, 1999, 2, 1));
    cases.add(scaledAdvance("after a skipped step of the least", 41, LossScale.LEAST, 0, 2, 1));
    cases.add(scaledAdvance("that cannot be doubled", 41, LossScale.MOST, 1999, 2, 0));
  }

  /** Those of {@link #all(Precision)} in which the precision plays a part. */
  public static List<Case> products(Precision precision) {
    var cases = new ArrayList<Case>();
    double limit = limit(precision);
    int[][] layers = { // B, I, O
      {1, 1, 1},
      {1, 784, 128},
      {7, 1, 33},
      {31, 33, 7},
      {33, 103, 31},
      {64, 784, 128},
      {64, 128, 64},
      {64, 64, 10},
      {103, 784, 10},
      {103, 31, 1025},
      {784, 103, 33},
      {1025, 33, 103},
      {7, 1025, 784}
    };
    for (int[] s : layers) {
      for (Activation activation : Activation.values()) {
        cases.add(linearForward(limit, s[0], s[1], s[2], activation));
        cases.add(linearBackward(limit, s[0], s[1], s[2], activation, true));
      }
      cases.add(linearBackward(limit, s[0], s[1], s[2], Activation.NONE, false));
    }
    cases.add(
        linearBackward(limit, 32, 784, 5, Activation.NONE, false)); // fewer outputs than processors
    cases.add(linearBackward(limit, 64, 512, 4, Activation.RELU, true));
    cases.add(firstLayer(limit, 3, 33, 7, 5));
    cases.add(firstLayer(limit, 31, 103, 64, 33));
    cases.add(firstLayer(limit, 64, 784, 467, 128));
    cases.add(
        firstLayer(limit, 1025, 103, 31, 10)); // gradients are summed up by parts of the batch
    for (Activation activation : Activation.values()) {
      cases.add(special(limit, activation));
    }
    if (precision != Precision.FP32) {
      cases.add(edgesForward(true));
      cases.add(edgesForward(false));
      cases.add(edgesBackward(true));
      cases.add(edgesBackward(false));
      cases.add(edgesBackwardToInputs());
      cases.add(beyondHalves(limit));
      cases.add(subnormalHalves(limit));
    }
    return cases;
  }

  /** Normalised mean squared error that products with operands of that precision stay under. */
  public static double limit(Precision precision) {
    return precision == Precision.FP32 ? FP32 : ROUNDED_OPERANDS;
  }

  /**
   * What a training step asks of a device, at its sizes and in its order; without {@link
   * Ops#advance}, which has none.
   *
   * @param precision the device's
   * @param sizes widths of the network's input, of its hidden layers and of its output
   * @param hidden activation of the hidden layers
   * @param output activation of the output layer
   * @param dropout of the hidden layers; 0 for none
   * @param n parameters
   */
  public static List<Case> ofStep(
      Precision precision,
      int B,
      List<Integer> sizes,
      Activation hidden,
      Activation output,
      float dropout,
      float smoothing,
      int n,
      OptimizerSettings optimizer) {
    var cases = new ArrayList<Case>();
    double limit = limit(precision);
    boolean scaled = precision.needsLossScale();
    int layers = sizes.size() - 1;
    cases.add(gather(B, sizes.get(0)));
    for (int l = 0; l < layers; l++) {
      Activation activation = l + 1 < layers ? hidden : output;
      cases.add(linearForward(limit, B, sizes.get(l), sizes.get(l + 1), activation));
      if (l + 1 < layers && dropout > 0) {
        cases.add(dropout(B * sizes.get(l + 1), dropout));
      }
    }
    int C = sizes.get(layers);
    cases.add(
        scaled ? scaledCrossEntropy(B, C, smoothing) : crossEntropy(B, C, 1, smoothing, true));
    if (output != Activation.NONE) {
      cases.add(activationBackward(B * C, output));
    }
    for (int l = layers - 1; l >= 0; l--) {
      boolean apart = l == 0 || dropout > 0; // from the activation's gradient
      Activation below = apart ? Activation.NONE : hidden;
      cases.add(linearBackward(limit, B, sizes.get(l), sizes.get(l + 1), below, l > 0));
      if (l > 0 && dropout > 0) {
        cases.add(dropout(B * sizes.get(l), dropout));
        cases.add(activationBackward(B * sizes.get(l), hidden));
      }
    }
    if (scaled) {
      cases.add(scaledClip(n, Float.POSITIVE_INFINITY));
    }
    if (optimizer instanceof AdamSettings adam) {
      cases.add(scaled ? scaledAdam(n, adam, false) : adam(n, 1, adam));
    } else {
      cases.add(sgd(n, (SgdSettings) optimizer));
    }
    return cases;
  }

  private static Case gather(int B, int I) {
    return new Case(
        "gatherForward",
        "B=%d I=%d".formatted(B, I),
        FP32,
        t -> {
          int N = 19;
          Buffer x = t.output("x", B * I);
          Buffer y = t.intOutput("y", new int[B]);
          Buffer images = t.bytes("images", N * I, 256);
          Buffer labels = t.bytes("labels", N, 256);
          Buffer rows = t.integers("rows", B + 5, N);
          Buffer end = t.given("end", B + 3); // the batch stands between others
          return () ->
              t.ops().gatherForward(x, y, images, labels, rows, end, B, I, 0.0127f, -0.42f);
        });
  }

  private static Case gatherAll() {
    return new Case(
        "gatherForward",
        "B=33 I=103 without rows",
        FP32,
        t -> {
          Buffer x = t.output("x", 33 * 103);
          Buffer y = t.intOutput("y", new int[33]);
          Buffer images = t.bytes("images", 40 * 103, 256);
          Buffer labels = t.bytes("labels", 40, 256);
          return () ->
              t.ops().gatherForward(x, y, images, labels, null, null, 33, 103, 0.0127f, -0.42f);
        });
  }

  /**
   * A row's length that vectors of 4 fit, at addresses that they may not fit.
   *
   * @param imagesFrom where the images begin in their buffer
   * @param before buffers made before x: the alignment of x is another after each
   */
  private static Case gatherUnaligned(int imagesFrom, int before) {
    return new Case(
        "gatherForward",
        "B=3 I=8, images at byte %d, x after %d buffers".formatted(imagesFrom, before),
        FP32,
        t -> {
          for (int i = 0; i < before; i++) {
            t.given("before " + i, 0f);
          }
          Buffer x = t.output("x", 3 * 8);
          Buffer y = t.intOutput("y", new int[3]);
          Buffer images = t.bytes("images", 4 + 3 * 8, 256).slice("from", imagesFrom, 3 * 8);
          Buffer labels = t.bytes("labels", 3, 256);
          return () ->
              t.ops().gatherForward(x, y, images, labels, null, null, 3, 8, 0.0127f, -0.42f);
        });
  }

  private static Case linearForward(double limit, int B, int I, int O, Activation activation) {
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

  private static Case linearBackward(
      double limit, int B, int I, int O, Activation below, boolean withDx) {
    return new Case(
        "linearBackward",
        "B=%d I=%d O=%d below %s%s".formatted(B, I, O, below, withDx ? "" : ", without dx"),
        limit,
        t -> {
          Buffer dx = withDx ? t.output("dx", B * I) : null;
          Buffer dw = t.output("dw", O * I);
          Buffer db = t.output("db", O);
          Buffer dy = t.normal("dy", B * O, 1);
          Buffer x = t.activated("x", B * I, below);
          Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
          return () -> t.ops().linearBackward(dx, dw, db, dy, x, w, B, I, O, below);
        });
  }

  /**
   * The layer behind images that have a border in which few pixels are not 0: a device need not
   * multiply all of it. The second of two batches in the same place.
   */
  private static Case firstLayer(double limit, int B, int I, int core, int O) {
    return new Case(
        "linearBackward",
        "B=%d I=%d O=%d and forward, %d inputs of a border".formatted(B, I, O, I - core),
        limit,
        t -> {
          // Of so few bits that every device has the same x, and rounds it alike.
          float scale = 53_267 * 0x1p-22f;
          float shift = -1_761_607 * 0x1p-22f;
          Buffer x = t.output("x", B * I);
          Buffer y = t.intOutput("y", new int[B]);
          Buffer z = t.output("z", B * O);
          Buffer dw = t.output("dw", O * I);
          Buffer db = t.output("db", O);
          Buffer dz = t.normal("dz", B * O, 1);
          Buffer w = t.normal("w", O * I, 1 / Math.sqrt(I));
          Buffer b = t.normal("b", O, 1);
          Feed images = t.images(2 * B, I, core, B);
          int[] order = new int[2 * B];
          Arrays.setAll(order, i -> (7 * i + 3) % order.length);
          images.begin(order, 0);
          images.stage(B, 1);
          images.gather(0, x, y, t.given("first end", B), B, scale, shift);
          images.stage(B, 1);
          Buffer end = t.given("end", 2 * B);
          return () -> {
            images.gather(0, x, y, end, B, scale, shift);
            t.ops().linearForward(z, x, w, b, B, I, O, Activation.RELU);
            t.ops().linearBackward(null, dw, db, dz, x, w, B, I, O, Activation.NONE);
          };
        });
  }

  private static Case activationBackward(int n, Activation activation) {
    return new Case(
        "activationBackward",
        "n=%d %s".formatted(n, activation),
        FP32,
        t -> {
          Buffer dx = t.output("dx", n);
          Buffer dy = t.normal("dy", n, 1);
          Buffer y = t.activated("y", n, activation);
          return () -> t.ops().activationBackward(dx, dy, y, n, activation);
        });
  }

  private static Case dropout(int n, float rate) {
    return new Case(
        "dropoutForward",
        "n=%d rate=%s".formatted(n, rate),
        rate == 0 || rate == 0.5f ? EXACT : FP32,
        t -> {
          Buffer y = t.output("y", n);
          Buffer x = t.normal("x", n, 1);
          Buffer step = t.given("step", 12);
          return () -> t.ops().dropoutForward(y, x, step, n, rate, 3, 0x123456789L);
        });
  }

  /**
   * A rate that is the number of element 17 exactly: the element is kept. The next larger rate, of
   * 24 bits, drops it. The last of the 24 bits is set, and those after it would be rounded up: a
   * device that takes more bits or fewer has another mask.
   */
  private static Case dropoutAtTheRate() {
    int n = 19;
    long seed = 0x123456789L;
    int[] words = new int[4];
    Philox.block(words, 17 / 4, 3, 12, Philox.Use.DROPOUT, seed);
    float rate = Philox.uniform(words[17 % 4]);
    return new Case(
        "dropoutForward",
        "n=19, rate of an element",
        FP32,
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

  private static Case logSoftmax(int B, int C, double scale) {
    return new Case(
        "logSoftmaxForward",
        "B=%d C=%d logits ±%.0e".formatted(B, C, scale),
        FP32,
        t -> {
          Buffer y = t.output("y", B * C);
          Buffer x = t.uniform("x", B * C, -scale, scale);
          return () -> t.ops().logSoftmaxForward(y, x, B, C);
        });
  }

  private static Case crossEntropy(int B, int C, double scale, float smoothing, boolean withDx) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d logits ±%.0e smoothing=%s%s"
            .formatted(B, C, scale, smoothing, withDx ? "" : ", without dx"),
        FP32,
        t -> {
          Buffer dx = withDx ? t.output("dx", B * C) : null;
          // Step 5 of a log of 3 rows: the second is written, the others keep.
          Buffer log = t.inOut("log", 6, 1, 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.uniform("x", B * C, -scale, scale);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 5);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, smoothing);
        });
  }

  /** The weights are small beside the update, and so what is seen of the result is the update. */
  private static Case adam(int n, int steps, AdamSettings settings) {
    return new Case(
        "adamStep",
        "n=%d step=%d %s".formatted(n, steps, settings),
        FP32,
        t -> {
          Buffer w = t.inOut("w", n, -0.01, 0.01);
          Buffer m = t.inOut("m", n, -0.01, 0.01);
          Buffer v = t.inOut("v", n, 0, 1e-4);
          Buffer dw = t.normal("dw", n, 0.01);
          Buffer step = t.given("step", steps);
          Buffer rate = t.given("rate", 0.1f);
          return () -> t.ops().adamStep(w, m, v, dw, step, rate, null, n, settings);
        });
  }

  /** Weight decay alone: no gradient, so that nothing hides it. */
  private static Case decay(boolean decoupled) {
    var settings = new AdamSettings(0.9, 0.999, 1e-2, 0.3, decoupled);
    return new Case(
        "adamStep",
        "without gradient, " + settings,
        FP32,
        t -> {
          Buffer w = t.inOut("w", 33, -1, 1);
          Buffer m = t.inOut("m", 33, 0, 0);
          Buffer v = t.inOut("v", 33, 0, 0);
          Buffer dw = t.uniform("dw", 33, 0, 0);
          Buffer step = t.given("step", 2);
          Buffer rate = t.given("rate", 0.1f);
          return () -> t.ops().adamStep(w, m, v, dw, step, rate, null, 33, settings);
        });
  }

  private static Case crossEntropyOfTies(int B, int C) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d with equal logits".formatted(B, C),
        FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.ties("x", B * C);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 1);
          return () -> t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, 0);
        });
  }

  /** The first of all classes is the answer, also of those that one lane of a warp looks at. */
  private static Case crossEntropyOfEqual(int B, int C) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d with one logit".formatted(B, C),
        FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.uniform("x", B * C, 3, 3);
          Buffer y = t.integers("y", B, 1);
          Buffer step = t.given("step", 1);
          return () -> t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, 0);
        });
  }

  /** A step below 1, as after 2^31 steps: the row of the log is in the log still. */
  private static Case crossEntropyBeforeTheFirstStep() {
    return new Case(
        "crossEntropyForward",
        "B=7 C=10 step -6",
        FP32,
        t -> {
          Buffer dx = t.output("dx", 70);
          Buffer log = t.inOut("log", 6, 1, 2);
          Buffer losses = t.output("losses", 14);
          Buffer x = t.uniform("x", 70, -1, 1);
          Buffer y = t.integers("y", 7, 10);
          Buffer step = t.given("step", -6);
          return () -> t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, 7, 10, 0);
        });
  }

  /** NaN and infinity in, the same NaN and infinity out: a device must not hide them. */
  private static Case special(double limit, Activation activation) {
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

  /** A loss must be NaN or infinite where the logits make it so: that is how divergence is seen. */
  private static Case crossEntropyOfSpecial(int B, int C, float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d of NaN and infinity, smoothing=%s".formatted(B, C, smoothing),
        FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.special("x", B * C);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 1);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, B, C, smoothing);
        });
  }

  /** What is small beside the logits is right still: the largest is subtracted first. */
  private static Case logSoftmaxOfLargeButClose() {
    return new Case(
        "logSoftmaxForward",
        "B=33 C=10 logits 1e4 ± 1",
        FP32,
        t -> {
          Buffer y = t.output("y", 330);
          Buffer x = t.uniform("x", 330, 9999, 10001);
          return () -> t.ops().logSoftmaxForward(y, x, 33, 10);
        });
  }

  private static Case crossEntropyOfLargeButClose(float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=33 C=10 logits 1e4 ± 1 smoothing=" + smoothing,
        FP32,
        t -> {
          Buffer dx = t.output("dx", 330);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 66);
          Buffer x = t.uniform("x", 330, 9999, 10001);
          Buffer y = t.integers("y", 33, 10);
          Buffer step = t.given("step", 1);
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, null, 33, 10, smoothing);
        });
  }

  private static Case sgd(int n, SgdSettings settings) {
    return new Case(
        "sgdStep",
        "n=%d %s".formatted(n, settings),
        FP32,
        t -> {
          Buffer w = t.inOut("w", n, -0.01, 0.01);
          Buffer velocity = t.inOut("velocity", n, -0.01, 0.01);
          Buffer dw = t.normal("dw", n, 0.01);
          Buffer rate = t.given("rate", 0.1f);
          return () -> t.ops().sgdStep(w, velocity, dw, rate, null, n, settings);
        });
  }

  private static Case clip(int n, double scale, float limit) {
    return new Case(
        "clipNorm",
        "n=%d gradients ±%.0e limit=%s".formatted(n, scale, limit),
        ROUNDED,
        t -> {
          Buffer dw = t.inOut("dw", n, -scale, scale);
          Buffer norm = t.outputAndScratch("norm", 1, Ops.NORM_LENGTH - 1);
          return () -> t.ops().clipNorm(dw, norm, null, n, limit);
        });
  }

  private static Case clipOf(String what, float limit, float... gradients) {
    return new Case(
        "clipNorm",
        "of " + what,
        ROUNDED,
        t -> {
          Buffer dw = t.givenInOut("dw", gradients);
          Buffer norm = t.outputAndScratch("norm", 1, Ops.NORM_LENGTH - 1);
          return () -> t.ops().clipNorm(dw, norm, null, gradients.length, limit);
        });
  }

  private static Case advance() {
    return new Case(
        "advance",
        "",
        EXACT,
        t -> {
          int[] before = {41, 640, 6};
          Buffer position = t.intOutput("position", before);
          Buffer rate = t.output("rate", 1);
          Buffer rates = t.uniform("rates", 9, 0, 1);
          return () -> {
            t.ops().write(position, before, 0, 3); // again and again, it would leave the rates
            t.ops().advance(position, rate, rates, null, 37);
          };
        });
  }

  /** A state of {@link LossScale}: of a step before which 3 of the others were skipped. */
  private static float[] state(boolean skips) {
    return new float[] {1024, 7, 3, skips ? 1 : 0};
  }

  private static Case scaledCrossEntropy(int B, int C, float smoothing) {
    return new Case(
        "crossEntropyForward",
        "B=%d C=%d smoothing=%s, scaled".formatted(B, C, smoothing),
        FP32,
        t -> {
          Buffer dx = t.output("dx", B * C);
          Buffer log = t.output("log", 2);
          Buffer losses = t.output("losses", 2 * B);
          Buffer x = t.uniform("x", B * C, -1, 1);
          Buffer y = t.integers("y", B, C);
          Buffer step = t.given("step", 5);
          Buffer scaling = t.given("scaling", state(false));
          return () ->
              t.ops().crossEntropyForward(dx, log, losses, x, y, step, scaling, B, C, smoothing);
        });
  }

  /** A step that is skipped changes no bit; one that is not is a step less for each before it. */
  private static Case scaledAdam(int n, AdamSettings settings, boolean skips) {
    return new Case(
        "adamStep",
        "n=%d %s, %s".formatted(n, settings, skips ? "skipped" : "after 3 that were skipped"),
        skips ? EXACT : FP32,
        t -> {
          Buffer w = t.inOut("w", n, -0.01, 0.01);
          Buffer m = t.inOut("m", n, -0.01, 0.01);
          Buffer v = t.inOut("v", n, 0, 1e-4);
          Buffer dw = t.normal("dw", n, 0.01);
          Buffer step = t.given("step", 5);
          Buffer rate = t.given("rate", 0.1f);
          Buffer scaling = t.given("scaling", state(skips));
          return () -> t.ops().adamStep(w, m, v, dw, step, rate, scaling, n, settings);
        });
  }

  private static Case scaledSgd(int n, boolean skips) {
    var settings = new SgdSettings(0.9, true, 0.01);
    return new Case(
        "sgdStep",
        "n=%d %s, %s".formatted(n, settings, skips ? "skipped" : "after 3 that were skipped"),
        skips ? EXACT : FP32,
        t -> {
          Buffer w = t.inOut("w", n, -0.01, 0.01);
          Buffer velocity = t.inOut("velocity", n, -0.01, 0.01);
          Buffer dw = t.normal("dw", n, 0.01);
          Buffer rate = t.given("rate", 0.1f);
          Buffer scaling = t.given("scaling", state(skips));
          return () -> t.ops().sgdStep(w, velocity, dw, rate, scaling, n, settings);
        });
  }

  /** The state says before that the step is skipped: the operation must say anew that it is not. */
  private static Case scaledClip(int n, float limit) {
    return new Case(
        "clipNorm",
        "n=%d limit=%s, scaled".formatted(n, limit),
        ROUNDED,
        t -> {
          Buffer dw = t.inOut("dw", n, -1024, 1024);
          Buffer norm = t.outputAndScratch("norm", 1, Ops.NORM_LENGTH - 1);
          Buffer scaling = t.givenInOut("scaling", state(true));
          return () -> t.ops().clipNorm(dw, norm, scaling, n, limit);
        });
  }

  private static Case scaledClipOf(String what, float limit, float... gradients) {
    return new Case(
        "clipNorm",
        "of %s, limit=%s, scaled".formatted(what, limit),
        ROUNDED,
        t -> {
          Buffer dw = t.givenInOut("dw", gradients);
          Buffer norm = t.outputAndScratch("norm", 1, Ops.NORM_LENGTH - 1);
          Buffer scaling = t.givenInOut("scaling", state(false));
          return () -> t.ops().clipNorm(dw, norm, scaling, gradients.length, limit);
        });
  }

  private static Case scaledAdvance(String when, int steps, float... state) {
    return new Case(
        "advance",
        when + ", scaled",
        EXACT,
        t -> {
          int[] before = {steps, 640, 6};
          Buffer position = t.intOutput("position", before);
          Buffer rate = t.output("rate", 1);
          Buffer rates = t.uniform("rates", 9, 0, 1);
          Buffer scaling = t.givenInOut("scaling", state);
          return () -> {
            t.ops().write(position, before, 0, 3); // again and again, it would leave the rates
            t.ops().advance(position, rate, rates, scaling, 37);
          };
        });
  }

  /**
   * Values at which one precision rounds in another way than the next: ties and what lies beside
   * them, subnormal halves, the end of halves and of floats.
   */
  private static float[] edges() {
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

  /** Each edge times 1: exact, whatever the order of sums. */
  private static Case edgesForward(boolean ofX) {
    float[] edges = edges();
    int n = edges.length;
    int B = ofX ? n : 1;
    int O = ofX ? 1 : n;
    return new Case(
        "linearForward",
        ofX ? "of x at the edges of precisions" : "of w at the edges of precisions",
        EXACT,
        t -> {
          Buffer y = t.output("y", n);
          Buffer x = ofX ? t.given("x", edges) : t.given("x", 1f);
          Buffer w = ofX ? t.given("w", 1f) : t.given("w", edges);
          Buffer b = t.uniform("b", O, 0, 0);
          return () -> t.ops().linearForward(y, x, w, b, B, 1, O, Activation.NONE);
        });
  }

  /** The same of dw and dx, by x and w or by dy; db is of dy unrounded. */
  private static Case edgesBackward(boolean ofDy) {
    float[] edges = edges();
    int n = edges.length;
    return new Case(
        "linearBackward",
        ofDy ? "of dy at the edges of precisions" : "of x and w at the edges of precisions",
        EXACT,
        t -> {
          int I = ofDy ? 1 : n;
          int O = ofDy ? n : 1;
          Buffer dx = ofDy ? null : t.output("dx", n);
          Buffer dw = t.output("dw", n);
          Buffer db = t.output("db", O);
          Buffer dy = ofDy ? t.given("dy", edges) : t.given("dy", 1f);
          Buffer x = ofDy ? t.given("x", 1f) : t.given("x", edges);
          Buffer w = ofDy ? t.uniform("w", n, 1, 1) : t.given("w", edges);
          return () -> t.ops().linearBackward(dx, dw, db, dy, x, w, 1, I, O, Activation.NONE);
        });
  }

  /** The same of dx by dy; what they add up to in dw and db is NaN. */
  private static Case edgesBackwardToInputs() {
    float[] edges = edges();
    int B = edges.length;
    return new Case(
        "linearBackward",
        "of rows of dy at the edges of precisions",
        EXACT,
        t -> {
          Buffer dx = t.output("dx", B);
          Buffer dw = t.output("dw", 1);
          Buffer db = t.output("db", 1);
          Buffer dy = t.given("dy", edges);
          Buffer x = t.uniform("x", B, 1, 1);
          Buffer w = t.given("w", 1f);
          return () -> t.ops().linearBackward(dx, dw, db, dy, x, w, B, 1, 1, Activation.NONE);
        });
  }

  /** Operands that are halves still, of products and sums that are none: those are floats. */
  private static Case beyondHalves(double limit) {
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

  /** Operands that are subnormal as halves: they have fewer bits, and are not 0. */
  private static Case subnormalHalves(double limit) {
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

  private static Case sum(int n) {
    return new Case(
        "sum",
        "n=" + n,
        FP32,
        t -> {
          Buffer out = t.output("out", 1);
          Buffer x = t.uniform("x", n, 0, 1);
          return () -> t.ops().sum(out, x, n);
        });
  }

  private static Case zero(int n) {
    return new Case(
        "zero",
        "n=" + n,
        EXACT,
        t -> {
          Buffer x = t.inOut("x", n, 1, 2);
          return () -> t.ops().zero(x);
        });
  }
}
