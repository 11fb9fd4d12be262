package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Compares with PyTorch 1.13.1's ReduceLROnPlateau: {@code scripts/pytorch_schedules.py}. */
class SchedulePlateauTest {
  private static final double NAN = Double.NaN;

  /**
   * Losses with a fall by just the threshold, one by a little more, a NaN and several reductions.
   */
  private static final double[] LOSSES = {
    1, 0.9999, 0.99985, 0.9, 0.95, 0.9, NAN, 0.89995, 0.91, 0.92, 0.93, 0.8, 1, 1, 1, 1
  };

  private static final double[] FACTORS = {
    1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125
  };

  private static final Schedule.ReduceOnPlateau HALF = new Schedule.ReduceOnPlateau(0.5, 2);

  @Test
  void reducesAsPyTorchDoes() {
    var plateau = new Plateau(HALF, Plateau.State.INITIAL);
    double[] factors =
        Arrays.stream(LOSSES)
            .map(
                loss -> {
                  plateau.observe(loss);
                  return plateau.factor();
                })
            .toArray();
    assertArrayEquals(FACTORS, factors);
    assertEquals(new Plateau.State(0.8, 1, 0.125), plateau.state());
  }

  @Test
  void goesOnFromItsState() {
    Plateau.State state = Plateau.State.INITIAL;
    for (int i = 0; i < LOSSES.length; i++) {
      var plateau = new Plateau(HALF, state);
      assertEquals(i == 0 ? 1 : FACTORS[i - 1], plateau.factor());
      plateau.observe(LOSSES[i]);
      state = plateau.state();
      assertEquals(FACTORS[i], state.factor());
    }
  }

  @Test
  void withoutPatienceTheFirstBadEpochReduces() {
    var plateau = new Plateau(new Schedule.ReduceOnPlateau(0.1, 0), Plateau.State.INITIAL);
    plateau.observe(2);
    assertEquals(1, plateau.factor());
    plateau.observe(2);
    assertEquals(0.1, plateau.factor());
    plateau.observe(1.9);
    assertEquals(0.1, plateau.factor());
  }
}
