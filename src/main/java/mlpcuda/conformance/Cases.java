package mlpcuda.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.LossScale;
import mlpcuda.compute.Ops;
import mlpcuda.compute.OptimizerSettings;
import mlpcuda.compute.Precision;
import mlpcuda.compute.SgdSettings;

/**
 * The conformance table: every operation at the sizes where kernels go wrong. To add an operation,
 * add its cases here; the tests run them all on each device, and so does {@code compare}.
 */
public final class Cases {
  /**
   * The normalised mean squared error that FP32 arithmetic stays under at every size of the table.
   */
  public static final double FP32 = 1e-10;

  /**
   * The limit for products whose operands are rounded, on a device and a reference that round them
   * alike: what is left is the difference of the sums. A CPU stays below FP32's limit; the tensor
   * cores of a GPU truncate where they add, once for every 4 to 16 products, and that adds up: a
   * sum of 1025 is cut 256 times at most, by 2⁻²³ of its size each time, whose square is 1e-9. To
   * forget the rounding of one operand costs 4e-8 with 10 bits after the point, and more with 7.
   */
  public static final double ROUNDED_OPERANDS = 1e-9;

  /** The limit for a few roundings to float, whatever the size. */
  static final double ROUNDED = 1e-13;

  /** The limit for copies and masks: not a bit may differ. */
  static final double EXACT = 0;

  private static final int[] RAGGED = {1, 7, 31, 33, 103, 784, 1025};

  /**
   * One operation at certain sizes.
   *
   * @param operation the operation's name
   * @param sizes tells the case from the operation's other ones
   * @param limit the largest normalised mean squared error of any output against the reference
   * @param inputs makes the inputs; what it returns calls the operation on them, and may be called
   *     again
   */
  public record Case(
      String operation, String sizes, double limit, Function<GuardedBuffers, Runnable> inputs) {
    /** The name of the operation, with its sizes. */
    public String name() {
      return sizes.isEmpty() ? operation : operation + " " + sizes;
    }

    /**
     * This case with all buffers at addresses that are aligned as those of an allocation, which
     * kernels that read several elements at once ask for.
     */
    Case aligned() {
      return new Case(
          operation,
          sizes,
          limit,
          buffers -> {
            buffers.align();
            return inputs.apply(buffers);
          });
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

  /** The cases of {@link #all(Precision)} that are the same whatever the precision. */
  public static List<Case> others() {
    var cases = new ArrayList<Case>();
    for (int n : RAGGED) {
      cases.add(LayerCases.gather(n, 7));
      cases.add(LayerCases.gather(33, n));
      cases.add(LayerCases.gatherFloats(n, 7, false));
      cases.add(LayerCases.gatherFloats(33, n, true));
      for (Activation activation : Activation.values()) {
        cases.add(LayerCases.activationBackward(n, activation));
      }
      cases.add(LayerCases.dropout(n, 0.5f));
      cases.add(LossCases.logSoftmax(n, 10, 1));
      cases.add(LossCases.logSoftmax(7, n, 1));
      for (float smoothing : new float[] {0, 0.1f}) {
        cases.add(LossCases.crossEntropy(n, 10, 1, smoothing, true));
        cases.add(LossCases.crossEntropy(7, n, 1, smoothing, true));
        cases.add(LossCases.crossEntropy(33, n, 1e4, smoothing, true));
      }
      cases.add(OptimizerCases.adam(n, 1, AdamSettings.DEFAULT));
      cases.add(OptimizerCases.sgd(n, SgdSettings.DEFAULT));
      cases.add(OptimizerCases.sgd(n, new SgdSettings(0.9, false, 0)));
      cases.add(OptimizerCases.average(n, 7, 0.999)); // the step's number bounds the decay
      cases.add(OptimizerCases.average(n, 1_000_000, 0.999));
      cases.add(OptimizerCases.clip(n, 1, 0.5f));
      cases.add(OptimizerCases.clip(n, 1, 1e6f));
    }
    cases.addAll(DistortionCases.all());
    cases.add(LayerCases.dropout(109_386, 0f));
    cases.add(LayerCases.dropout(109_386, 0.1f));
    cases.add(LossCases.logSoftmax(33, 10, 1e4));
    cases.add(LossCases.crossEntropy(64, 10, 1, 0, false));
    cases.add(LossCases.crossEntropy(64, 10, 1, 0.9f, false));
    cases.add(OptimizerCases.adam(109_386, 1000, AdamSettings.DEFAULT));
    cases.add(OptimizerCases.adam(1025, 3, new AdamSettings(0.8, 0.99, 1e-2, 0.01, false)));
    cases.add(OptimizerCases.adam(1025, 3, new AdamSettings(0.9, 0.999, 1e-2, 0.01, true)));
    cases.add(OptimizerCases.sgd(109_386, new SgdSettings(0.9, true, 0.01)));
    cases.add(OptimizerCases.sgd(1025, new SgdSettings(0.9, false, 0.3)));
    cases.add(OptimizerCases.sgd(1025, new SgdSettings(0.8, true, 0.3)));
    cases.add(OptimizerCases.average(109_386, 1, 0.5));
    cases.add(OptimizerCases.average(1025, Integer.MAX_VALUE, 0.1));
    cases.add(OptimizerCases.clip(300_000, 1, 2)); // a thread has more than one element
    cases.add(OptimizerCases.clip(1025, 1e30, 2)); // no float holds the squares
    cases.add(OptimizerCases.clip(1025, 1e-30, 1e-10f));
    cases.add(OptimizerCases.clipOf("zeros", 1, 0, 0, 0));
    cases.add(OptimizerCases.clipOf("the limit", 5 + 2e-6f, 3, 4));
    cases.add(OptimizerCases.clipOf("infinity", 2, 1, Float.NEGATIVE_INFINITY, -2));
    cases.add(
        OptimizerCases.clipOf(
            "infinity, no limit", Float.POSITIVE_INFINITY, 1, Float.POSITIVE_INFINITY));
    cases.add(OptimizerCases.clipOf("NaN", 2, 1, Float.NaN, -2));
    cases.add(OptimizerCases.clipOf("a norm that no float holds", 2, 3e38f, 3e38f, -1));
    cases.add(OptimizerCases.decay(false));
    cases.add(OptimizerCases.decay(true));
    cases.add(LossCases.crossEntropyOfTies(103, 10));
    cases.add(LossCases.crossEntropyOfTies(33, 2));
    cases.add(LossCases.crossEntropyOfEqual(7, 103));
    cases.add(LossCases.crossEntropyBeforeTheFirstStep());
    cases.add(LayerCases.dropoutAtTheRate());
    cases.add(LossCases.logSoftmaxOfLargeButClose());
    for (float smoothing : new float[] {0, 0.1f}) {
      cases.add(LossCases.crossEntropyOfLargeButClose(smoothing));
      cases.add(LossCases.crossEntropyOfSpecial(7, 10, smoothing));
      cases.add(LossCases.crossEntropyOfSpecial(7, 103, smoothing));
    }
    cases.add(LayerCases.gatherAll());
    cases.add(LayerCases.gatherSpecialFloats());
    for (int I : new int[] {8, 31}) {
      cases.add(LayerCases.gatherMixed(I, false));
      cases.add(LayerCases.gatherMixed(I, true));
    }
    for (int images = 0; images < 4; images++) {
      for (int before = 0; before < 3; before++) {
        cases.add(LayerCases.gatherUnaligned(images, before));
      }
    }
    for (int B : new int[] {1, 33, 1025}) {
      cases.add(LossCases.weightedCrossEntropy(B, 10, 0));
    }
    cases.add(LossCases.weightedCrossEntropy(7, 103, 0.1f));
    cases.add(OptimizerCases.advance());
    addScaled(cases);
    return cases;
  }

  /**
   * Adds the cases of what a {@link LossScale} changes; every device has it, whatever its
   * precision.
   */
  private static void addScaled(List<Case> cases) {
    for (int B : new int[] {1, 33, 1025}) {
      cases.add(LossCases.scaledCrossEntropy(B, 10, 0));
    }
    cases.add(LossCases.scaledCrossEntropy(7, 103, 0.1f));
    cases.add(LossCases.scaledAndWeightedCrossEntropy(33, 10));
    for (int n : new int[] {7, 1025}) {
      cases.add(OptimizerCases.scaledAdam(n, AdamSettings.DEFAULT, false));
      cases.add(OptimizerCases.scaledAdam(n, AdamSettings.DEFAULT, true));
      cases.add(OptimizerCases.scaledSgd(n, false));
      cases.add(OptimizerCases.scaledSgd(n, true));
    }
    for (float limit : new float[] {0.5f, 1e6f, Float.POSITIVE_INFINITY}) {
      cases.add(OptimizerCases.scaledClip(33, limit));
      cases.add(OptimizerCases.scaledClip(300_000, limit));
    }
    for (float limit : new float[] {2, Float.POSITIVE_INFINITY}) {
      // A 0 beside non-finite gradients must stay 0, because nobody sets it anew.
      cases.add(OptimizerCases.scaledClipOf("infinity", limit, 1, Float.NEGATIVE_INFINITY, 0, -2));
      cases.add(OptimizerCases.scaledClipOf("NaN", limit, 1, Float.NaN, 0, -2));
      cases.add(OptimizerCases.scaledClipOf("zeros", limit, 0, 0, 0));
    }
    // there is no step to settle
    cases.add(OptimizerCases.scaledAdvance("before the first step", 0, 1024, 5, 2, 1));
    cases.add(OptimizerCases.scaledAdvance("after a step that was skipped", 41, 1024, 5, 2, 1));
    cases.add(OptimizerCases.scaledAdvance("after a step that was not", 41, 1024, 5, 2, 0));
    cases.add(OptimizerCases.scaledAdvance("after the step before the last", 41, 1024, 1998, 2, 0));
    cases.add(
        OptimizerCases.scaledAdvance(
            "after the step that doubles the scale", 41, 1024, 1999, 2, 0));
    cases.add(OptimizerCases.scaledAdvance("after that step, skipped", 41, 1024, 1999, 2, 1));
    cases.add(
        OptimizerCases.scaledAdvance(
            "after a skipped step of the least", 41, LossScale.LEAST, 0, 2, 1));
    cases.add(
        OptimizerCases.scaledAdvance("that cannot be doubled", 41, LossScale.MOST, 1999, 2, 0));
  }

  /** The cases of {@link #all(Precision)} in which the precision plays a part. */
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
        cases.add(LayerCases.linearForward(limit, s[0], s[1], s[2], activation));
        cases.add(LayerCases.linearBackward(limit, s[0], s[1], s[2], activation, true));
      }
      cases.add(LayerCases.linearBackward(limit, s[0], s[1], s[2], Activation.NONE, false));
    }
    cases.add(
        LayerCases.linearBackward(
            limit, 32, 784, 5, Activation.NONE, false)); // fewer outputs than processors
    cases.add(LayerCases.linearBackward(limit, 64, 512, 4, Activation.RELU, true));
    cases.add(LayerCases.firstLayer(limit, 3, 33, 7, 5));
    cases.add(LayerCases.firstLayer(limit, 31, 103, 64, 33));
    cases.add(LayerCases.firstLayer(limit, 64, 784, 467, 128));
    cases.add(
        LayerCases.firstLayer(
            limit, 1025, 103, 31, 10)); // gradients are summed up by parts of the batch
    for (int O : new int[] {33, 36}) { // columns are summed by parts of the batch too
      cases.add(LayerCases.linearBackward(limit, 1025, 3, O, Activation.NONE, false).aligned());
    }
    int[][] quads = { // B, I, O: operands that can be read 4 elements at a time
      {65, 784, 128}, {17, 260, 7}, {257, 12, 260}
    };
    for (int[] s : quads) {
      cases.add(LayerCases.linearForward(limit, s[0], s[1], s[2], Activation.TANH).aligned());
      cases.add(
          LayerCases.linearBackward(limit, s[0], s[1], s[2], Activation.TANH, true).aligned());
    }
    addCopied(cases, limit);
    for (Activation activation : Activation.values()) {
      cases.add(LayerCases.special(limit, activation));
    }
    if (precision != Precision.FP32) {
      cases.add(LayerCases.edgesForward(true));
      cases.add(LayerCases.edgesForward(false));
      cases.add(LayerCases.edgesBackward(true));
      cases.add(LayerCases.edgesBackward(false));
      cases.add(LayerCases.edgesBackwardToInputs());
      cases.add(LayerCases.beyondHalves(limit));
      cases.add(LayerCases.subnormalHalves(limit));
    }
    return cases;
  }

  /**
   * Adds layers whose operands a GPU may copy 16 or 8 bytes at a time, if it rounds them in memory,
   * and layers beside them that it may not. Their outputs take medium and large tiles on a GPU of
   * one multiprocessor.
   */
  private static void addCopied(List<Case> cases, double limit) {
    int[][] layers = { // B, I, O
      {128, 72, 128}, // a whole large tile
      {248, 40, 200}, // several large tiles, each with a single step along K
      {124, 100, 116}, // 8 bytes of halves, 16 of floats
      {124, 98, 118}, // 4 bytes of halves, 8 of floats
      {44, 52, 36}, // a medium tile: 8 bytes of halves, 16 of floats
      {44, 50, 34}, // a medium tile: 4 bytes of halves, 8 of floats
      {36, 328, 40}, // several steps along K
      {776, 40, 56} // parts along K
    };
    for (int[] s : layers) {
      cases.add(LayerCases.linearForward(limit, s[0], s[1], s[2], Activation.SIGMOID).aligned());
      cases.add(
          LayerCases.linearBackward(limit, s[0], s[1], s[2], Activation.SIGMOID, true).aligned());
    }
  }

  /** The normalised mean squared error that products in that precision stay under. */
  public static double limit(Precision precision) {
    return precision == Precision.FP32 ? FP32 : ROUNDED_OPERANDS;
  }

  /**
   * A network whose step is looked at.
   *
   * @param sizes the widths of the input, of the hidden layers and of the output
   * @param hidden the activation of the hidden layers
   * @param output the activation of the output layer
   * @param dropout the rate of dropout of the hidden layers; 0 for none
   * @param parameters the number of parameters
   */
  public record Network(
      List<Integer> sizes, Activation hidden, Activation output, float dropout, int parameters) {}

  /**
   * The operations that a training step asks of a device, at its sizes and in its order, with
   * aligned buffers; without {@link Ops#advance}, which has no sizes.
   *
   * @param precision the precision of the device
   */
  public static List<Case> ofStep(
      Precision precision, Network network, int B, float smoothing, OptimizerSettings optimizer) {
    List<Integer> sizes = network.sizes;
    Activation hidden = network.hidden;
    Activation output = network.output;
    float dropout = network.dropout;
    int n = network.parameters;
    var cases = new ArrayList<Case>();
    double limit = limit(precision);
    boolean scaled = precision.needsLossScale();
    int layers = sizes.size() - 1;
    cases.add(LayerCases.gather(B, sizes.get(0)));
    for (int l = 0; l < layers; l++) {
      Activation activation = l + 1 < layers ? hidden : output;
      cases.add(LayerCases.linearForward(limit, B, sizes.get(l), sizes.get(l + 1), activation));
      if (l + 1 < layers && dropout > 0) {
        cases.add(LayerCases.dropout(B * sizes.get(l + 1), dropout));
      }
    }
    int C = sizes.get(layers);
    cases.add(
        scaled
            ? LossCases.scaledCrossEntropy(B, C, smoothing)
            : LossCases.crossEntropy(B, C, 1, smoothing, true));
    if (output != Activation.NONE) {
      cases.add(LayerCases.activationBackward(B * C, output));
    }
    for (int l = layers - 1; l >= 0; l--) {
      // the gradient of the activation is an operation of its own
      boolean apart = l == 0 || dropout > 0;
      Activation below = apart ? Activation.NONE : hidden;
      cases.add(LayerCases.linearBackward(limit, B, sizes.get(l), sizes.get(l + 1), below, l > 0));
      if (l > 0 && dropout > 0) {
        cases.add(LayerCases.dropout(B * sizes.get(l), dropout));
        cases.add(LayerCases.activationBackward(B * sizes.get(l), hidden));
      }
    }
    if (scaled) {
      cases.add(OptimizerCases.scaledClip(n, Float.POSITIVE_INFINITY));
    }
    if (optimizer instanceof AdamSettings adam) {
      cases.add(
          scaled ? OptimizerCases.scaledAdam(n, adam, false) : OptimizerCases.adam(n, 1, adam));
    } else {
      cases.add(OptimizerCases.sgd(n, (SgdSettings) optimizer));
    }
    return cases.stream().map(Case::aligned).toList();
  }
}
