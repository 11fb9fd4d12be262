package mlpcuda.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import mlpcuda.compute.Activation;
import mlpcuda.compute.Buffer;
import mlpcuda.compute.Buffer.Type;
import org.junit.jupiter.api.Test;

class KinkCounterTest {
  private static long kinks(float x, float w, float b, Activation activation) {
    try (var ops = new KinkCounter();
        Buffer inputs = ops.allocate("x", Type.FLOAT32, 1);
        Buffer weights = ops.allocate("w", Type.FLOAT32, 1);
        Buffer bias = ops.allocate("b", Type.FLOAT32, 1);
        Buffer y = ops.allocate("y", Type.FLOAT32, 1)) {
      ops.write(inputs, new float[] {x});
      ops.write(weights, new float[] {w});
      ops.write(bias, new float[] {b});
      ops.linearForward(y, inputs, weights, bias, 1, 1, 1, activation);
      return ops.kinks();
    }
  }

  /** 1000 − 999.9999 and the like: what is left of them is rounding's. */
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
    try (var ops = new KinkCounter();
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
}
