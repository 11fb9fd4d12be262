package mlpcuda.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import mlpcuda.error.BadFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PixelScalingTest {
  /** Five pixels, so that the histogram has some left over: 0, 51, 102, 204, 255. */
  private static final ExampleSet SET =
      ExampleSet.images(1, 5, new byte[] {0, 51, 102, (byte) 204, (byte) 255}, new byte[1]);

  @ParameterizedTest
  @CsvSource({"unit, 0, 1", "centred, -1, 1", "z-score, -1.2941, 1.4020"})
  void mapsBlackAndWhite(String name, float black, float white) {
    PixelScaling scaling = PixelScaling.of(name, SET);
    assertEquals(name, scaling.name());
    assertEquals(black, scaling.shift(), 1e-4);
    assertEquals(white, 255 * scaling.scale() + scaling.shift(), 1e-4);
  }

  @Test
  void zScoreIsMeanAndPopulationDeviation() {
    // Mean of 0, .2, .4, .8, 1 is .48; the mean of the squares .368; sqrt(.368 - .48^2) = .37094.
    assertEquals(new PixelScaling("z-score", 0.48, 0.3709), PixelScaling.of("z-score", SET));
  }

  @Test
  void refusesWhatItCannotScale() {
    ExampleSet constant = ExampleSet.images(1, 2, new byte[] {7, 7}, new byte[1]);
    assertEquals(
        "training images: z-score scaling needs a standard deviation of at least 0.0001,"
            + " found 0.0000 over 2 pixels",
        assertThrows(BadFileException.class, () -> PixelScaling.of("z-score", constant))
            .getMessage());
    assertEquals(
        "scaling must be one of unit, centred, z-score, found none",
        assertThrows(IllegalArgumentException.class, () -> PixelScaling.of("none", SET))
            .getMessage());
    assertThrows(IllegalArgumentException.class, () -> new PixelScaling("z-score", 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new PixelScaling("z-score", Double.NaN, 1));
  }
}
