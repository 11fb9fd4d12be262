package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import mlpcuda.features.Features;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ColumnScalingTest {
  /** The columns 1, 2, 3, 6 and the constant 7. */
  private static final Features SMALL = Features.of(new float[] {1, 7, 2, 7, 3, 7, 6, 7}, 2);

  @Test
  void standardIsMeanAndPopulationDeviation() {
    ColumnScaling scaling = ColumnScaling.of("standard", SMALL);
    assertArrayEquals(new float[] {3, 7}, scaling.centre());
    assertEquals(1 / Math.sqrt(3.5), scaling.factor()[0], 1e-7);
    assertEquals(0, scaling.factor()[1], "a constant column has no deviation to divide by");
  }

  @Test
  void minmaxGoesFromZeroToOne() {
    ColumnScaling scaling = ColumnScaling.of("minmax", SMALL);
    float[] rows = {1, 7, 6, 7, 3.5f, 7};
    scaling.apply(rows);
    assertArrayEquals(new float[] {0, 0, 1, 0, 0.5f, 0}, rows);
  }

  @Test
  void noneLeavesTheNumbers() {
    float[] rows = {1, 7, 6, -7};
    ColumnScaling.of("none", SMALL).apply(rows);
    assertArrayEquals(new float[] {1, 7, 6, -7}, rows);
  }

  /** Years keep their digits: the mean is subtracted before anything is multiplied. */
  @Test
  void largeNumbersOfSmallSpreadKeepTheirDigits() {
    float[] years = new float[101];
    for (int i = 0; i < years.length; i++) {
      years[i] = 1_000_000 + i;
    }
    ColumnScaling scaling = ColumnScaling.of("standard", Features.of(years, 1));
    double deviation = Math.sqrt((101.0 * 101 - 1) / 12);
    float[] rows = years.clone();
    scaling.apply(rows);
    for (int i = 0; i < rows.length; i++) {
      assertEquals((i - 50) / deviation, rows[i], 1e-6);
    }
  }

  /** A column that is constant but for the last bit of a float is constant. */
  @Test
  void roundingNoiseIsNotBlownUp() {
    float above = Math.nextUp(0.1f);
    ColumnScaling scaling =
        ColumnScaling.of("standard", Features.of(new float[] {0.1f, above, 0.1f, 0.1f}, 1));
    assertEquals(0, scaling.factor()[0]);
  }

  /** Twenty thousand rows are several tasks, whose sums must be those of one pass. */
  @Test
  void manyRowsHaveTheMomentsOfTwoPlainPasses() {
    int N = 20_000;
    float[] values = new float[2 * N];
    var random = new Random(1);
    for (int i = 0; i < N; i++) {
      values[2 * i] = (float) (1e4 + random.nextGaussian());
      values[2 * i + 1] = (float) (1e-3 * random.nextGaussian());
    }
    ColumnScaling scaling = ColumnScaling.of("standard", Features.of(values, 2));
    for (int c = 0; c < 2; c++) {
      double mean = 0;
      for (int i = 0; i < N; i++) {
        mean += values[2 * i + c] / (double) N;
      }
      double variance = 0;
      for (int i = 0; i < N; i++) {
        variance += (values[2 * i + c] - mean) * (values[2 * i + c] - mean) / N;
      }
      assertEquals(mean, scaling.centre()[c], Math.abs(mean) * 1e-7);
      assertEquals(1 / Math.sqrt(variance), scaling.factor()[c], 1e-6 / Math.sqrt(variance));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "z-score", "Standard"})
  void otherNamesAreRefused(String name) {
    assertThrows(IllegalArgumentException.class, () -> ColumnScaling.of(name, SMALL));
  }

  @Test
  void numbersThatAreNotFiniteAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new ColumnScaling("none", new float[] {Float.NaN}, new float[] {1}));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ColumnScaling("none", new float[] {1}, new float[] {Float.POSITIVE_INFINITY}));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ColumnScaling("none", new float[] {1}, new float[] {1, 2}));
  }
}
