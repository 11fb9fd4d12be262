package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExampleOrderTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 100, 60_000})
  void isAPermutation(int size) {
    int[] order = ExampleOrder.shuffled(size, 5, 1);
    Arrays.sort(order);
    assertArrayEquals(ExampleOrder.sequential(size), order);
  }

  @Test
  void isAFunctionOfSeedAndEpoch() {
    int[] order = ExampleOrder.shuffled(1000, 5, 1);
    assertArrayEquals(order, ExampleOrder.shuffled(1000, 5, 1));
    assertFalse(Arrays.equals(order, ExampleOrder.shuffled(1000, 5, 2)));
    assertFalse(Arrays.equals(order, ExampleOrder.shuffled(1000, 6, 1)));
    assertFalse(Arrays.equals(order, ExampleOrder.sequential(1000)));
  }

  /** Every column and every repetition has a permutation of its own, and none is an epoch's. */
  @Test
  void columnsHaveOrdersOfTheirOwn() {
    int[] order = ExampleOrder.forColumn(1000, 5, 1, 0);
    assertArrayEquals(order, ExampleOrder.forColumn(1000, 5, 1, 0));
    assertFalse(Arrays.equals(order, ExampleOrder.forColumn(1000, 5, 0, 0)));
    assertFalse(Arrays.equals(order, ExampleOrder.forColumn(1000, 5, 1, 1)));
    assertFalse(Arrays.equals(order, ExampleOrder.forColumn(1000, 6, 1, 0)));
    assertFalse(Arrays.equals(order, ExampleOrder.shuffled(1000, 5, 0)));
    Arrays.sort(order);
    assertArrayEquals(ExampleOrder.sequential(1000), order);
  }

  /** The order must stay the one that a few lines of Python computed from the definitions. */
  @Test
  void beginsAsItAlwaysDid() {
    int[] order = ExampleOrder.shuffled(60_000, 1, 1);
    assertArrayEquals(new int[] {28319, 9781, 20595, 22385, 31739}, Arrays.copyOf(order, 5));
  }

  /**
   * The test is chi-squared over all 24 orders of 4 examples: 24,000 draws, 23 degrees of freedom.
   */
  @Test
  void isUniform() {
    int[] counts = new int[256];
    for (int epoch = 0; epoch < 24_000; epoch++) {
      int code = 0;
      for (int i : ExampleOrder.shuffled(4, 42, epoch)) {
        code = 4 * code + i;
      }
      counts[code]++;
    }
    assertEquals(24, Arrays.stream(counts).filter(count -> count > 0).count());
    double chiSquared =
        Arrays.stream(counts)
            .filter(count -> count > 0)
            .mapToDouble(count -> (count - 1000.0) * (count - 1000.0) / 1000)
            .sum();
    assertTrue(chiSquared < 49.7, "chi-squared is " + chiSquared); // exceeded once in a thousand
  }
}
