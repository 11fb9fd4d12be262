package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import mlpcuda.train.LearningRateFinder.Point;
import mlpcuda.train.LearningRateFinder.Result;
import mlpcuda.train.LearningRateFinder.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LearningRateFinderTest {
  /** Settings of 100 steps over eight decades. */
  private static final Settings SETTINGS = new Settings(1e-7, 10, 100);

  @Test
  void ratesGrowByTheSameFactor() {
    Result result = LearningRateFinder.run(SETTINGS, rate -> 2);
    List<Point> curve = result.curve();
    assertEquals(100, curve.size());
    assertEquals(1e-7, curve.get(0).rate());
    assertEquals(10, curve.get(99).rate(), 1e-14);
    for (int i = 1; i < 100; i++) {
      double factor = curve.get(i).rate() / curve.get(i - 1).rate();
      assertEquals(1.2045035402587823, factor, 1e-14); // 10^(8/99)
    }
    assertTrue(curve.stream().allMatch(point -> point.loss() == 2 && point.smoothed() == 2));
    assertEquals(OptionalDouble.empty(), result.suggestion(), "a loss that stays where it is");
  }

  /** The averages are (0.98² · 1 + 0.98 · 2 + 4) / (0.98² + 0.98 + 1) and so on. */
  @Test
  void smoothsWithBiasCorrection() {
    Result result = LearningRateFinder.run(new Settings(1, 8, 4), rate -> rate);
    double[] expected = {
      1, 2.98 / 1.98, 6.9204 / 2.9404, (0.98 * 6.9204 + 8) / (0.98 * 2.9404 + 1)
    };
    for (int i = 0; i < 4; i++) {
      assertEquals(1 << i, result.curve().get(i).loss(), 1e-14);
      assertEquals(expected[i], result.curve().get(i).smoothed(), 1e-14);
    }
  }

  /** The smoothed losses fall along a logistic curve, steepest between two known steps. */
  @ParameterizedTest
  @ValueSource(ints = {20, 40, 60, 80})
  void suggestsTheSteepestDescent(int middle) {
    double[] smoothed =
        IntStream.range(0, 100)
            .mapToDouble(i -> 0.3 + 2 / (1 + Math.exp((i - middle - 0.5) / 4)))
            .toArray();
    Result result = LearningRateFinder.run(SETTINGS, losses(smoothed));
    for (int i = 0; i < 100; i++) {
      assertEquals(smoothed[i], result.curve().get(i).smoothed(), 1e-12);
    }
    assertEquals(rate(middle), result.suggestion().orElseThrow());
  }

  /** The average of the first few losses falls most of all, and after the lowest it falls again. */
  @Test
  void leavesOutTheBeginningAndWhatFollowsTheLowest() {
    double[] smoothed = new double[100];
    for (int i = 0; i < 100; i++) {
      smoothed[i] = i < 10 ? 11 - i : i <= 50 ? 2 - (i - 10) * 0.03 : i < 70 ? 2 : 1;
    }
    smoothed[33] -= 0.005;
    Result result = LearningRateFinder.run(SETTINGS, losses(smoothed));
    assertEquals(100, result.curve().size());
    assertEquals(rate(32), result.suggestion().orElseThrow());
  }

  /** The 61st smoothed loss is the first above 4 times the lowest, and is on the curve. */
  @ParameterizedTest
  @CsvSource({"4.0001,61", "3.9999,100"})
  void endsWhereTheLossExplodes(double times, int steps) {
    double[] smoothed = new double[100];
    Arrays.fill(smoothed, 0, 30, 1);
    Arrays.fill(smoothed, 30, 60, 0.5);
    Arrays.fill(smoothed, 60, 100, times * 0.5);
    Result result = LearningRateFinder.run(SETTINGS, losses(smoothed));
    assertEquals(steps, result.curve().size());
    assertEquals(rate(29), result.suggestion().orElseThrow());
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
  void endsAtALossThatIsNotFinite(double loss) {
    int[] calls = {0};
    Result result =
        LearningRateFinder.run(SETTINGS, rate -> calls[0]++ < 50 ? 3 - calls[0] * 0.01 : loss);
    assertEquals(51, calls[0]);
    assertEquals(50, result.curve().size());
    assertTrue(result.suggestion().isPresent());
    Result atOnce = LearningRateFinder.run(SETTINGS, rate -> loss);
    assertEquals(new Result(List.of(), OptionalDouble.empty()), atOnce);
  }

  @Test
  void aLossThatOnlyRisesSuggestsNothing() {
    assertFalse(LearningRateFinder.run(SETTINGS, r -> 2 + r).suggestion().isPresent());
  }

  /**
   * The step is gradient descent on x², which converges below rate 1; a Python loop gave the
   * numbers.
   */
  @Test
  void findsTheRateOfAParabola() {
    double[] x = {1};
    Result result =
        LearningRateFinder.run(
            new Settings(1e-4, 100, 100),
            rate -> {
              double loss = x[0] * x[0];
              x[0] -= rate * 2 * x[0];
              return loss;
            });
    assertEquals(83, result.curve().size());
    assertEquals(0.08111308307896872, result.suggestion().orElseThrow(), 1e-14);
  }

  @ParameterizedTest
  @CsvSource({
    "0,1",
    "-1,1",
    "1,1",
    "2,1",
    "NaN,1",
    "1e-7,NaN",
    "1e-7,Infinity",
  })
  void ratesThatDoNotGrowAreRefused(double low, double high) {
    var refused = assertThrows(IllegalArgumentException.class, () -> new Settings(low, high, 9));
    assertEquals(
        "rates must grow from above 0 to a finite one, found %s to %s".formatted(low, high),
        refused.getMessage());
  }

  @Test
  void oneStepIsRefused() {
    var refused = assertThrows(IllegalArgumentException.class, () -> new Settings(1, 2, 1));
    assertEquals("steps must be from 2 on, found 1", refused.getMessage());
  }

  private static double rate(int i) {
    return SETTINGS.rate(i);
  }

  /** A step whose losses make that smoothed curve, by solving the moving average's definition. */
  private static DoubleUnaryOperator losses(double[] smoothed) {
    int[] next = {0};
    return rate -> {
      int i = next[0]++;
      double average = smoothed[i] * (1 - Math.pow(0.98, i + 1));
      double before = i == 0 ? 0 : smoothed[i - 1] * (1 - Math.pow(0.98, i));
      return (average - 0.98 * before) / 0.02;
    };
  }
}
