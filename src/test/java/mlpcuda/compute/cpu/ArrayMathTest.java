package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.Activation;
import org.junit.jupiter.api.Test;

/** Tests numbers at the ends of what a float can hold. */
class ArrayMathTest {
  @Test
  void aSigmoidIsNeverSubnormal() {
    float[] y = {-200, -100, -90, -87, 0, 200, Float.NaN};
    ArrayMath.activate(y, y.length, Activation.SIGMOID);
    assertEquals(0, y[0]);
    assertEquals(0, y[1]);
    assertEquals(0, y[2], "1/(1 + exp(90)) is 8e-40, which is subnormal");
    assertEquals(1.6458e-38, y[3], 1e-42);
    assertEquals(0.5f, y[4]);
    assertEquals(1f, y[5]);
    assertTrue(Float.isNaN(y[6]), "a number that is lost must be seen");
  }
}
