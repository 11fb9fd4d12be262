package mlpcuda.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Collections;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares with the rates that PyTorch 1.13.1's {@code lr_scheduler.py} gives, as {@code python3
 * scripts/pytorch_schedules.py} prints them: base rate 0.002, 6 epochs of 4 steps.
 */
class ScheduleTest {
  private static final double BASE = 0.002;
  private static final int PER_EPOCH = 4;
  private static final int TOTAL = 24;

  private static final double[] COSINE = {
    0.002,
    0.0019914448613738106,
    0.0019659258262890683,
    0.0019238795325112867,
    0.0018660254037844387,
    0.001793353340291235,
    0.0017071067811865474,
    0.0016087614290087207,
    0.0015,
    0.0013826834323650899,
    0.0012588190451025209,
    0.0011305261922200519,
    0.001,
    0.00086947380777994846,
    0.00074118095489747937,
    0.00061731656763491045,
    0.00050000000000000023,
    0.00039123857099127935,
    0.00029289321881345256,
    0.00020664665970876497,
    0.0001339745962155613,
    7.6120467488713264e-05,
    3.4074173710931801e-05,
    8.5551386261896174e-06
  };

  private static final double[] ONE_CYCLE = {
    7.9999999999999993e-05,
    0.00020062724850120127,
    0.00053219455008611614,
    0.00099137679791483596,
    0.0014627783854953291,
    0.0018279329035589852,
    0.0019950745504562196,
    0.0019888308709018233,
    0.0019438835547750462,
    0.0018660259396828232,
    0.0017579726912585604,
    0.0016234913078995259,
    0.0014672707591985488,
    0.0012947579953902066,
    0.0011119680282454033,
    0.00092527420533395006,
    0.00074118599017365954,
    0.0005661219964173984,
    0.00040618618970724048,
    0.00026695506037766118,
    0.00015328318766851277,
    6.9133974850790441e-05,
    1.7441457032604661e-05,
    8.0000000000000005e-09
  };

  @Test
  void constantIsTheBaseRate() {
    assertRates(repeated(TOTAL, BASE), whole("constant", TOTAL));
  }

  @Test
  void stepFallsEveryTwoEpochs() {
    assertRates(repeated(8, BASE, 2e-4, 2e-5), whole("step:2:0.1", TOTAL));
  }

  @Test
  void exponentialFallsEveryEpoch() {
    assertRates(
        repeated(4, 0.002, 0.0014, 0.00098, 0.000686, 0.0004802, 0.00033614),
        whole("exponential:0.7", TOTAL));
  }

  @Test
  void cosineFallsToZero() {
    assertRates(COSINE, whole("cosine", TOTAL));
  }

  @Test
  void oneCycleRisesAndFalls() {
    assertRates(ONE_CYCLE, whole("one-cycle", TOTAL));
  }

  /** In the shortest runs the peak lies before the first step. */
  @Test
  void oneCycleOfFewSteps() {
    assertRates(new double[] {8e-9}, whole("one-cycle", 1));
    assertRates(new double[] {0.0016234913078995259, 8e-9}, whole("one-cycle", 2));
    assertRates(
        new double[] {0.0019888308709018233, 0.00092527420533395006, 8e-9}, whole("one-cycle", 3));
    assertRates(
        new double[] {8e-5, 0.0016234913078995259, 0.0005661219964173984, 8e-9},
        whole("one-cycle", 4));
    assertRates(
        new double[] {
          8e-5,
          0.00104,
          0.002,
          0.0019009692640269472,
          0.0016234913078995261,
          0.0012225240438725783,
          0.00077748395612742152,
          0.00037651669210047396,
          9.9038735973052571e-05,
          8e-9
        },
        whole("one-cycle", 10));
  }

  /** The caller that keeps a Plateau gives its factor, which every schedule takes. */
  @Test
  void plateauIsTheFactorGiven() {
    float[] rates = Schedule.parse("plateau:0.1:5").rates(BASE, 3, 2, PER_EPOCH, TOTAL, 0, 0.01);
    assertRates(new double[] {2e-5, 2e-5}, rates);
  }

  /** The rates are a quarter, two and three quarters, and from the fourth step on the whole. */
  @ParameterizedTest
  @CsvSource({
    "constant,0.0005 0.001 0.0015 0.002 0.002",
    "step:1:0.5,0.0005 0.001 0.0015 0.002 0.001",
    "cosine,0.0005 0.00099572243 0.0014744444 0.0019238795 0.0018660254",
    "one-cycle,2e-5 1.00313624e-4 3.9914591e-4 9.913768e-4 1.4627784e-3"
  })
  void warmUpMultiplies(String text, String expected) {
    float[] rates = Schedule.parse(text).rates(BASE, 0, 5, PER_EPOCH, TOTAL, 4, 1);
    assertRates(
        Arrays.stream(expected.split(" ")).mapToDouble(Double::parseDouble).toArray(), rates);
  }

  @Test
  void warmUpMayBeLongerThanTheRun() {
    float[] rates = new Schedule.Constant().rates(1, 0, 4, 2, 4, 100, 1);
    assertArrayEquals(new float[] {0.01f, 0.02f, 0.03f, 0.04f}, rates);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "constant",
        "step:2:0.1",
        "exponential:0.7",
        "cosine",
        "one-cycle",
        "plateau:0.1:5"
      })
  void aRunThatGoesOnMeetsTheSameRates(String text) {
    Schedule schedule = Schedule.parse(text);
    float[] all = schedule.rates(BASE, 0, TOTAL, PER_EPOCH, TOTAL, 7, 0.5);
    for (int first = 0; first <= TOTAL; first++) {
      for (int end = first; end <= TOTAL; end++) {
        assertArrayEquals(
            Arrays.copyOfRange(all, first, end),
            schedule.rates(BASE, first, end - first, PER_EPOCH, TOTAL, 7, 0.5));
      }
    }
  }

  /** Neither the product of steps and epochs nor a step's number may overflow. */
  @Test
  void theLongestRunIsCounted() {
    int last = Integer.MAX_VALUE - 1;
    for (String text : new String[] {"constant", "step:1:1", "exponential:1"}) {
      float[] rates = Schedule.parse(text).rates(BASE, last, 1, 1, last + 1, Integer.MAX_VALUE, 1);
      assertRates(new double[] {BASE}, rates);
    }
    float[] cycle = Schedule.parse("one-cycle").rates(BASE, last, 1, 938, last + 1, 0, 1);
    assertRates(new double[] {8e-9}, cycle);
  }

  @Test
  void stepsOutsideOfTheRunAreRefused() {
    for (int[] steps : new int[][] {{-1, 1}, {0, 25}, {24, 1}, {1, -1}, {1, Integer.MAX_VALUE}}) {
      var refused =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  new Schedule.Constant().rates(BASE, steps[0], steps[1], PER_EPOCH, TOTAL, 0, 1));
      assertEquals(
          "steps must lie in the run's 24, found %d from %d on".formatted(steps[1], steps[0]),
          refused.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "constant",
        "step:10:0.1",
        "exponential:0.7",
        "cosine",
        "one-cycle",
        "plateau:0.1:5",
        "step:1:1.0E-5",
        "plateau:1.0:0"
      })
  void aScheduleIsShownAsItIsWritten(String text) {
    assertEquals(text, Schedule.parse(text).toString());
  }

  @Test
  void numbersAreReadIntoTheirPlaces() {
    assertEquals(new Schedule.StepLr(10, 0.1), Schedule.parse("step:10:0.1"));
    assertEquals(new Schedule.ExponentialLr(0.7), Schedule.parse("exponential:.7"));
    assertEquals(new Schedule.ReduceOnPlateau(1e-1, 5), Schedule.parse("plateau:1e-1:5"));
  }

  private static final String FORMS =
      "must be constant, step:EPOCHS:GAMMA, exponential:GAMMA, cosine, one-cycle or"
          + " plateau:FACTOR:PATIENCE, found ";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "linear",
        "Cosine",
        "constant:1",
        "constant:",
        "constant/0",
        "step",
        "step:10",
        "step:10:0.1:2",
        "exponential",
        "cosine:10",
        "one-cycle:0.1",
        "one_cycle",
        "plateau",
        "plateau:0.1",
        ":"
      })
  void otherFormsAreRefused(String text) {
    var refused = assertThrows(IllegalArgumentException.class, () -> Schedule.parse(text));
    assertEquals(FORMS + (text.isEmpty() ? "nothing" : text), refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "step:0:0.1,EPOCHS must be a whole number from 1 to 2147483647,0",
    "step::0.1,EPOCHS must be a whole number from 1 to 2147483647,nothing",
    "step:1.5:0.1,EPOCHS must be a whole number from 1 to 2147483647,1.5",
    "step:9999999999:0.1,EPOCHS must be a whole number from 1 to 2147483647,9999999999",
    "step:10:0,GAMMA must be a number above 0 and at most 1,0",
    "step:10:,GAMMA must be a number above 0 and at most 1,nothing",
    "step:10:1.01,GAMMA must be a number above 0 and at most 1,1.01",
    "exponential:-0.7,GAMMA must be a number above 0 and at most 1,-0.7",
    "exponential:NaN,GAMMA must be a number above 0 and at most 1,NaN",
    "exponential:Infinity,GAMMA must be a number above 0 and at most 1,Infinity",
    "exponential:fast,GAMMA must be a number above 0 and at most 1,fast",
    "plateau:0:5,FACTOR must be a number above 0 and at most 1,0",
    "plateau:5:0.1,FACTOR must be a number above 0 and at most 1,5",
    "plateau:0.1:-1,PATIENCE must be a whole number from 0 to 2147483647,-1",
    "plateau:0.1:,PATIENCE must be a whole number from 0 to 2147483647,nothing",
  })
  void badNumbersAreRefused(String text, String rule, String found) {
    var refused = assertThrows(IllegalArgumentException.class, () -> Schedule.parse(text));
    assertEquals(rule + ", found " + found, refused.getMessage());
  }

  private static float[] whole(String text, int steps) {
    return Schedule.parse(text).rates(BASE, 0, steps, PER_EPOCH, steps, 0, 1);
  }

  private static double[] repeated(int times, double... rates) {
    return DoubleStream.of(rates)
        .boxed()
        .flatMap(rate -> Collections.nCopies(times, rate).stream())
        .mapToDouble(Double::doubleValue)
        .toArray();
  }

  /** Asserts rates to the last bit of a float but one: the numbers above are rounded decimals. */
  private static void assertRates(double[] expected, float[] found) {
    assertEquals(expected.length, found.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], found[i], Math.ulp((float) expected[i]), "step " + i);
    }
  }
}
