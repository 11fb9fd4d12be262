package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LossScaleTest {
  private static float[] settled(float... state) {
    LossScale.settle(state);
    return state;
  }

  @Test
  void aStepIsSettled() {
    assertArrayEquals(new float[] {65536, 1, 0, 0}, settled(LossScale.initial()));
    assertArrayEquals(new float[] {512, 0, 4, 0}, settled(1024, 77, 3, 1));
    assertArrayEquals(new float[] {1024, 1999, 3, 0}, settled(1024, 1998, 3, 0));
    assertArrayEquals(new float[] {2048, 0, 3, 0}, settled(1024, 1999, 3, 0));
    assertArrayEquals(new float[] {512, 0, 4, 0}, settled(1024, 1999, 3, 1));
    assertArrayEquals(new float[] {0.25f, 0, 1, 0}, settled(0.5f, 0, 0, 1));
  }

  @Test
  void skippedStepsAreCountedAtOnce() {
    assertEquals(0, LossScale.skipped(LossScale.initial()));
    assertEquals(3, LossScale.skipped(new float[] {1024, 7, 3, 0}));
    assertEquals(4, LossScale.skipped(new float[] {1024, 7, 3, 1}));
  }

  /**
   * Takes steps at random by PyTorch's rules: the scale is halved after a step that is skipped, and
   * doubled after 2000 in a row that are not.
   */
  @Test
  void manySteps() {
    var random = new Random(3);
    float[] state = LossScale.initial();
    double scale = 65536;
    int inARow = 0;
    int skipped = 0;
    for (int step = 0; step < 100_000; step++) {
      boolean skips = random.nextInt(3000) == 0;
      state[LossScale.SKIPS] = skips ? 1 : 0;
      LossScale.settle(state);
      inARow = skips ? 0 : inARow + 1;
      skipped += skips ? 1 : 0;
      scale = skips ? scale / 2 : inARow % 2000 == 0 ? scale * 2 : scale;
      assertEquals(scale, state[LossScale.SCALE]);
      assertEquals(inARow % 2000, state[LossScale.CLEAN]);
      assertEquals(skipped, LossScale.skipped(state));
      assertEquals(0, state[LossScale.SKIPS]);
    }
    assertTrue(skipped > 20, "some steps must be skipped");
    assertTrue(scale > LossScale.LEAST && scale < LossScale.MOST, "its bounds are apart: " + scale);
  }

  @Test
  void halvingAndDoublingEnd() {
    float[] state = {LossScale.LEAST * 2, 0, 0, 1};
    assertFalse(LossScale.isExhausted(state));
    LossScale.settle(state);
    assertArrayEquals(new float[] {LossScale.LEAST, 0, 1, 0}, state);
    assertFalse(LossScale.isExhausted(state), "this step may be right");
    state[LossScale.SKIPS] = 1;
    assertTrue(LossScale.isExhausted(state));
    assertArrayEquals(new float[] {LossScale.LEAST, 0, 2, 0}, settled(state));
    float[] largest = {LossScale.MOST, LossScale.GROWTH_INTERVAL - 1, 0, 0};
    assertArrayEquals(new float[] {LossScale.MOST, 0, 0, 0}, settled(largest));
  }

  @Test
  void whatIsAState() {
    assertTrue(LossScale.isState(LossScale.initial()));
    assertTrue(LossScale.isState(new float[] {LossScale.LEAST, 1999, 123_456, 1}));
    assertTrue(LossScale.isState(new float[] {LossScale.MOST, 0, 0, 0}));
    for (float[] bad :
        new float[][] {
          {},
          {65536, 0, 0},
          {65536, 0, 0, 0, 0},
          {-2, 0, 0, 0},
          {0, 0, 0, 0},
          {LossScale.LEAST / 2, 0, 0, 0},
          {LossScale.MOST * 2, 0, 0, 0},
          {Float.POSITIVE_INFINITY, 0, 0, 0},
          {3, 0, 0, 0},
          {Float.NaN, 0, 0, 0},
          {Float.NEGATIVE_INFINITY, 0, 0, 0},
          {2, 2000, 0, 0},
          {2, -1, 0, 0},
          {2, 0.5f, 0, 0},
          {2, Float.NaN, 0, 0},
          {2, 0, -1, 0},
          {2, 0, 1.5f, 0},
          {2, 0, Float.POSITIVE_INFINITY, 0},
          {2, 0, 0, 2},
          {2, 0, 0, 0.5f},
          {2, 0, 0, Float.NaN}
        }) {
      assertFalse(LossScale.isState(bad), Arrays.toString(bad));
    }
  }
}
