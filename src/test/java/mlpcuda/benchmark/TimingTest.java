package mlpcuda.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimingTest {
  @Test
  void medianMinAndMax() {
    assertEquals(new Timing(3, 1, 9, 3), Timing.of(9, 1, 3));
    assertEquals(new Timing(2.5, 1, 9, 4), Timing.of(3, 9, 1, 2));
    assertEquals(new Timing(7, 7, 7, 1), Timing.of(7));
  }

  @Test
  void eachOfManyParts() {
    assertEquals(new Timing(0.5, 0.25, 1, 3), Timing.of(1, 2, 4).each(4));
  }

  /** A clock that only work moves. */
  private static final class Work {
    final List<Integer> calls = new ArrayList<>();
    private long nanos = 12345;

    /** Times pieces that take a millisecond each, and twice that in the {@code slow}-th call. */
    Timing time(Timing.Plan plan, int slow) {
      return Timing.of(
          plan,
          pieces -> {
            calls.add(pieces);
            nanos += pieces * 1_000_000L * (calls.size() == slow ? 2 : 1);
          },
          () -> nanos);
    }
  }

  /** A repeat that is too short is made of more pieces, at most twice as many. */
  @Test
  void repeatsAreLongEnough() {
    var work = new Work();
    Timing timing = work.time(new Timing.Plan(0, 0.010, 3), 7);
    assertEquals(List.of(1, 2, 4, 8, 12, 12, 12, 12), work.calls);
    assertEquals(0.001, timing.median(), 1e-12);
    assertEquals(0.001, timing.min(), 1e-12);
    assertEquals(
        0.002, timing.max(), 1e-12, "the sixth call is the first repeat, the seventh slow");
  }

  @Test
  void warmUpGoesOnThoughARepeatIsLongEnough() {
    var work = new Work();
    work.time(new Timing.Plan(0.005, 0.001, 2), 0);
    assertEquals(5 + 2, work.calls.size());
    assertEquals(1, work.calls.get(6));
  }

  /** Work that takes long is repeated less often, but at least once. */
  @Test
  void noRepeatBeginsAfterTheMost() {
    var work = new Work();
    work.time(new Timing.Plan(0, 0.001, 7, 0.0025), 0);
    assertEquals(1 + 3, work.calls.size());
    work.calls.clear();
    work.time(new Timing.Plan(0, 0.001, 7, 0), 0);
    assertEquals(1 + 1, work.calls.size());
  }

  @Test
  void theClockIsTheSystems() {
    Timing timing = Timing.of(new Timing.Plan(0, 1e-6, 2), pieces -> {});
    assertTrue(0 < timing.min() && timing.min() <= timing.median(), timing.toString());
    assertTrue(timing.median() <= timing.max(), timing.toString());
  }
}
