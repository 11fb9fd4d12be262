package mlpcuda.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import mlpcuda.compute.Precision;
import org.junit.jupiter.api.Test;

class AmbiguousReluCounterTest {
  private static long kinks(float x, float w, float b, Activation activation) {
    try (var ops = new AmbiguousReluCounter();
        Buffer inputs = ops.allocate("x", Type.FLOAT32, 1);
        Buffer weights = ops.allocate("w", Type.FLOAT32, 1);
        Buffer bias = ops.allocate("b", Type.FLOAT32, 1);
        Buffer y = ops.allocate("y", Type.FLOAT32, 1)) {
      ops.write(inputs, new float[] {x});
      ops.write(weights, new float[] {w});
      ops.write(bias, new float[] {b});
      ops.linearForward(y, inputs, weights, bias, 1, 1, 1, activation);
      return ops.ambiguous();
    }
  }

  /** Sums such as 1000 − 999.9999 leave little but rounding. */
  @Test
  void sumsThatCancelAreCounted() {
    assertEquals(1, kinks(3, 1000, -3000.0002f, Activation.RELU));
    assertEquals(1, kinks(3, 1000, -3000, Activation.RELU));
    assertEquals(0, kinks(3, 1000, -3001, Activation.RELU));
    assertEquals(0, kinks(3, 1000, -2999, Activation.RELU));
  }

  @Test
  void whatIsSmallWithoutCancellingIsNot() {
    assertEquals(0, kinks(0, 1000, 0, Activation.RELU)); // 0 on every device
    assertEquals(0, kinks(1e-20f, 1, 0, Activation.RELU));
    assertEquals(0, kinks(3, 1000, -3000, Activation.TANH));
    assertEquals(0, kinks(3, 1000, -3000, Activation.NONE));
  }

  @Test
  void theirRowsAreKnown() {
    try (var ops = new AmbiguousReluCounter();
        Buffer x = ops.allocate("x", Type.FLOAT32, 4);
        Buffer w = ops.allocate("w", Type.FLOAT32, 1);
        Buffer b = ops.allocate("b", Type.FLOAT32, 1);
        Buffer y = ops.allocate("y", Type.FLOAT32, 4)) {
      ops.write(x, new float[] {1, 3, 2, 3});
      ops.write(w, new float[] {1000});
      ops.write(b, new float[] {-3000});
      ops.linearForward(y, x, w, b, 4, 1, 1, Activation.RELU);
      assertEquals("{1, 3}", ops.rows().toString());
    }
  }

  /**
   * The number of kinks of a ReLU whose input is (0.5 + first) + second: two layers of one unit.
   */
  private static long kinksBehind(Precision precision, float first, float second) {
    try (var ops = new AmbiguousReluCounter(precision);
        Buffer x = ops.allocate("x", Type.FLOAT32, 1);
        Buffer w = ops.allocate("w", Type.FLOAT32, 1);
        Buffer b1 = ops.allocate("b1", Type.FLOAT32, 1);
        Buffer hidden = ops.allocate("hidden", Type.FLOAT32, 1);
        Buffer b2 = ops.allocate("b2", Type.FLOAT32, 1);
        Buffer y = ops.allocate("y", Type.FLOAT32, 1)) {
      ops.write(x, new float[] {0.5f});
      ops.write(w, new float[] {1});
      ops.write(b1, new float[] {first});
      ops.write(b2, new float[] {second});
      ops.linearForward(hidden, x, w, b1, 1, 1, 1, Activation.NONE);
      ops.linearForward(y, hidden, w, b2, 1, 1, 1, Activation.RELU);
      return ops.ambiguous();
    }
  }

  /**
   * An output at a tie, but for rounding, may be one number or the next for the layer behind it.
   * Right devices part if the ReLU of that layer is on one side of 0 with the one, and on the other
   * side with the next. From 0.5 on bfloat16's numbers are 2⁻⁸ apart.
   */
  @Test
  void whatRoundsToOneSideOfATieOrTheOther() {
    float between = -0.5f - 0x1p-10f;
    assertEquals(1, kinksBehind(Precision.BF16, 0x1p-9f, between));
    assertEquals(1, kinksBehind(Precision.BF16, 0x1p-9f + 0x1p-23f, between));
    assertEquals(0, kinksBehind(Precision.BF16, 0x1p-9f, -0.6f), "far from both");
    assertEquals(0, kinksBehind(Precision.BF16, 0x1p-9f + 0x1p-13f, between), "no tie");
    assertEquals(0, kinksBehind(Precision.TF32, 0x1p-9f, between), "a number of TF32");
    assertEquals(0, kinksBehind(Precision.FP32, 0x1p-9f, between));
  }
}
