package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import mlpcuda.train.Calibration.Bin;
import org.junit.jupiter.api.Test;

class CalibrationTest {
  private static Calibration of(float[] probabilities, int... right) {
    byte[] labels = new byte[right.length];
    int[] classes = new int[right.length];
    for (int i = 0; i < right.length; i++) {
      labels[i] = (byte) 200; // a class above 127 shows that labels are unsigned
      classes[i] = right[i] == 1 ? 200 : 3;
    }
    return Calibration.of(new Predictions(classes, probabilities), labels);
  }

  /**
   * Two bins have answers: mean confidences 0.5625 and 0.953125, accuracies 1/2 and 3/4. The error
   * is 2/6 · 0.0625 + 4/6 · 0.203125.
   */
  @Test
  void theErrorIsTheWeightedDistanceOfTheBins() {
    var found =
        of(new float[] {0.53125f, 0.59375f, 0.9375f, 0.96875f, 0.90625f, 1f}, 1, 0, 1, 1, 0, 1);
    assertEquals(new Bin(2, 1, 0.5625), found.bins().get(5));
    assertEquals(new Bin(4, 3, 0.953125), found.bins().get(9));
    assertEquals(0.5, found.bins().get(5).accuracy());
    assertEquals((2 * 0.0625 + 4 * 0.203125) / 6, found.error(), 1e-15);
    assertEquals(6, found.bins().stream().mapToInt(Bin::count).sum());
  }

  /** A bin has its upper bound and not its lower one, as in the paper. */
  @Test
  void boundsBelongToTheBinBelow() {
    var found = of(new float[] {0.5f, Math.nextUp(0.5f), 1f, 0f}, 1, 1, 1, 1);
    assertEquals(1, found.bins().get(4).count());
    assertEquals(1, found.bins().get(5).count());
    assertEquals(1, found.bins().get(9).count());
    assertEquals(1, found.bins().get(0).count());
  }

  @Test
  void anEmptyBinHasNeitherConfidenceNorAccuracy() {
    Bin empty = of(new float[] {1f}, 1).bins().get(3);
    assertTrue(Double.isNaN(empty.confidence()) && Double.isNaN(empty.accuracy()));
    assertEquals(0, of(new float[] {1f}, 1).error());
    assertEquals(1, of(new float[] {1f, 1f}, 0, 0).error());
  }
}
