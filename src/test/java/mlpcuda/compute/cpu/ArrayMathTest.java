package mlpcuda.compute.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.compute.Activation;
import mlpcuda.compute.AdamSettings;
import mlpcuda.compute.SgdSettings;
import org.junit.jupiter.api.Test;

/** Tests numbers at the ends of what a float can hold. */
class ArrayMathTest {
  /** Moments whose gradients end become 0, where rounding would keep them subnormal for ever. */
  @Test
  void momentsAreNeverSubnormal() {
    float[] w = {0.5f, 0.5f};
    float[] m = {0.1f, -0.1f};
    float[] v = {0.01f, 0.01f};
    float[] velocity = {0.1f, -0.1f};
    float[] nesterov = {0.1f, -0.1f};
    var adam = AdamSettings.DEFAULT;
    var sgd = new SgdSettings(0.9, false, 0);
    var lookingAhead = new SgdSettings(0.9, true, 0);
    for (int step = 1; step <= 100_000; step++) {
      new ArrayMath.Adam(adam, 1e-3, step).step(w, m, v, new float[2], 2);
      ArrayMath.descend(w, velocity, new float[2], 1e-3f, 2, sgd);
      ArrayMath.descend(w, nesterov, new float[2], 1e-3f, 2, lookingAhead);
      for (float[] numbers : new float[][] {m, v, velocity, nesterov}) {
        for (float number : numbers) {
          assertTrue(number == 0 || Math.abs(number) >= Float.MIN_NORMAL, number + " at " + step);
        }
      }
    }
    assertArrayEquals(new float[2], m);
    assertArrayEquals(new float[2], velocity);
    assertArrayEquals(new float[2], nesterov);
    m[0] = Float.NaN;
    new ArrayMath.Adam(adam, 1e-3, 1).step(w, m, v, new float[2], 2);
    assertTrue(Float.isNaN(m[0]) && Float.isNaN(w[0]), "a number that is lost must be seen");
  }

  /** What flows backwards is 0 where it could only be subnormal a layer further on. */
  @Test
  void gradientsAreNeverSubnormal() {
    float[] d = new float[3];
    double[] e = {1, Math.exp(-20), Math.exp(-80)};
    ArrayMath.softmaxGradient(d, e, 3, 0, 1, 1, 0);
    assertArrayEquals(new float[] {0, 2.0612e-9f, 0}, d, 1e-13f);
    assertEquals(0, d[2], "exp(-80) is 2e-35");
    for (Activation activation :
        new Activation[] {Activation.SIGMOID, Activation.TANH, Activation.LECUN_TANH}) {
      float[] y = {0.5f, 0.5f, 0.5f};
      float[] gradient = {1e-3f, 1e-31f, Float.NaN};
      ArrayMath.differentiate(gradient, y, 3, activation);
      assertTrue(gradient[0] > 1e-4f, activation + ": " + gradient[0]);
      assertEquals(0, gradient[1], activation.toString());
      assertTrue(Float.isNaN(gradient[2]), activation.toString());
    }
  }

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
