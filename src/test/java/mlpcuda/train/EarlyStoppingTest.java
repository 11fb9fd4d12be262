package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import mlpcuda.train.EarlyStopping.Monitor;
import mlpcuda.train.EarlyStopping.State;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EarlyStoppingTest {
  /** The epoch that ends the run, 0 for none; the best epoch; the epochs that were best so far. */
  @ParameterizedTest
  @CsvSource({
    // falls and rises
    "LOSS,2,0.5 0.4 0.3 0.35 0.31,5,3,1 2 3",
    // an equal loss is not better
    "LOSS,2,0.5 0.5 0.5,3,1,1",
    // any fall is
    "LOSS,1,0.5 0.49999999999 0.5,3,2,1 2",
    // a better epoch just in time
    "LOSS,3,0.5 0.6 0.6 0.4 0.6 0.6 0.6,7,4,1 4",
    "LOSS,3,0.5 0.6 0.6 0.4 0.6 0.6,0,4,1 4",
    "LOSS,1,0.5 0.4 0.3,0,3,1 2 3",
    "ACCURACY,2,0.9 0.8 0.95 0.95 0.94,5,3,1 3",
    "ACCURACY,1,0 0.1 0.2 0.2,4,3,1 2 3",
    // NaN is never better, and does not become the best
    "LOSS,2,0.5 NaN 0.4 NaN NaN,5,3,1 3",
    "LOSS,3,NaN NaN NaN,3,0,''",
    "LOSS,3,NaN NaN 7 8,0,3,3",
    "LOSS,2,Infinity Infinity,2,0,''",
    "ACCURACY,2,NaN 0 NaN NaN,4,2,2",
  })
  void stops(
      Monitor monitor, int patience, String values, int end, int bestEpoch, String bestSoFar) {
    double[] observed = Arrays.stream(values.split(" ")).mapToDouble(Double::valueOf).toArray();
    var stopping = new EarlyStopping(monitor, patience, State.initial(monitor));
    assertFalse(stopping.stops());
    assertFalse(stopping.lastWasBest());
    StringBuilder best = new StringBuilder();
    int ended = 0;
    for (int i = 0; i < observed.length && ended == 0; i++) {
      // The state passes through a record, as in a run that goes on from a checkpoint.
      stopping = new EarlyStopping(monitor, patience, stopping.state());
      // The measure that is not monitored gets better all the time.
      boolean stop =
          monitor == Monitor.LOSS
              ? stopping.observe(observed[i], i)
              : stopping.observe(-i, observed[i]);
      assertEquals(stop, stopping.stops());
      ended = stop ? i + 1 : 0;
      best.append(stopping.lastWasBest() ? " " + (i + 1) : "");
    }
    assertEquals(end, ended);
    assertEquals(bestEpoch, stopping.bestEpoch());
    assertEquals(bestSoFar, best.toString().trim());
    if (bestEpoch > 0) {
      assertEquals(observed[bestEpoch - 1], stopping.state().best());
    }
  }

  @Test
  void aRunThatWasAtItsEndStaysThere() {
    assertTrue(new EarlyStopping(Monitor.LOSS, 2, new State(0.3, 3, 5)).stops());
    assertFalse(new EarlyStopping(Monitor.LOSS, 3, new State(0.3, 3, 5)).stops());
  }

  @Test
  void patienceIsAtLeastOneEpoch() {
    var refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> new EarlyStopping(Monitor.LOSS, 0, State.initial(Monitor.LOSS)));
    assertEquals("patience must be from 1 on, found 0", refused.getMessage());
  }
}
