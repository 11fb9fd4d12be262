package mlpcuda.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the texts of distortions, their Gaussian, and the random numbers of an example. */
class DistortionTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "elastic:37:5.5,rotate:12,shear:10,scale:15,translate:1,erase:0.5",
        "rotate:12.25",
        "erase:1",
        "rotate:0"
      })
  void aTextComesBack(String text) {
    assertEquals(text, Distortion.parse(text).toString());
  }

  @Test
  void ordersAndSpacesMakeNoDifference() {
    assertEquals(
        new Distortion(8, 4, 5, 0, 0, 0, 0.5f), Distortion.parse("erase, rotate:5,elastic:8:4"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|found nothing",
        "rotate|found rotate",
        "rotate:x|must have a number after each colon, found x",
        "rotate:|must have a number after each colon, found nothing",
        "rotate:NaN|rotate's DEG must be a number from 0 to 180, found NaN",
        "rotate:181|rotate's DEG must be a number from 0 to 180, found 181",
        "rotate:-1|rotate's DEG must be a number from 0 to 180, found -1",
        "shear:90|shear's DEG must be a number from 0 to 80, found 90",
        "scale:100|scale's PERCENT must be a number from 0 to 90, found 100",
        "erase:2|erase's SHARE must be a number from 0 to 1, found 2",
        "elastic:37|found elastic:37",
        "elastic:37:0|elastic's SIGMA must be a number from 0.1 to 64, found 0",
        "elastic:37:65|elastic's SIGMA must be a number from 0 to 64, found 65",
        "rotate:1,rotate:2|must name each distortion once, found rotate twice",
        "rotate:1,|found nothing",
        "turn:5|found turn:5"
      })
  void otherTextsAreRefused(String text, String why) {
    var e = assertThrows(IllegalArgumentException.class, () -> Distortion.parse(text));
    assertTrue(e.getMessage().endsWith(why), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.1", "0.5", "5.5", "64"})
  void theGaussianSumsToOne(String sigma) {
    float[] window = Distortion.parse("elastic:1:" + sigma).window();
    double sum = window[0];
    for (int k = 1; k < window.length; k++) {
      sum += 2.0 * window[k];
      assertTrue(window[k] <= window[k - 1], "it falls");
    }
    assertEquals(1, sum, 1e-6);
    double s = Double.parseDouble(sigma);
    assertEquals((int) Math.ceil(3 * (float) s) + 1, window.length);
    if (window.length > 2) {
      assertEquals(Math.exp(-1.5 / (s * s)), window[2] / window[1], 1e-6);
    }
  }

  @Test
  void strengthScalesAllButTheWidthOfTheGaussian() {
    Distortion half = new Distortion(8, 4, 6, 2, 10, 3, 1).times(0.5f);
    assertEquals(new Distortion(4, 4, 3, 1, 5, 1.5f, 0.5f), half);
  }

  /** Amounts lie within their ranges, and reach towards both ends of them. */
  @Test
  void drawsFillTheirRanges() {
    Distortion amounts = Distortion.parse("rotate:30");
    double least = 0;
    double most = 0;
    for (int example = 0; example < 1000; example++) {
      DistortionDraws.Affine map = new DistortionDraws(5, 1, example).affine(amounts, 9, 9);
      double angle = Math.toDegrees(Math.atan2(map.xy(), map.xx()));
      least = Math.min(least, angle);
      most = Math.max(most, angle);
      assertEquals(4, map.xx() * 4 + map.xy() * 4 + map.x0(), 1e-9, "the centre stays");
      assertEquals(4, map.yx() * 4 + map.yy() * 4 + map.y0(), 1e-9, "the centre stays");
    }
    assertTrue(least >= -30 && least < -29.5 && most <= 30 && most > 29.5, least + " " + most);
  }

  @Test
  void seedEpochAndExampleTellImagesApart() {
    Distortion amounts = Distortion.parse("rotate:30,translate:2");
    Set<DistortionDraws.Affine> maps = new HashSet<>();
    for (int i = 0; i < 8; i++) {
      maps.add(new DistortionDraws(i & 1, i >> 1 & 1, i >> 2).affine(amounts, 9, 9));
    }
    assertEquals(8, maps.size());
  }

  @Test
  void rectanglesLieInTheImageAndAreAsFrequentAsAsked() {
    Distortion amounts = Distortion.parse("erase:0.25");
    int erased = 0;
    for (int example = 0; example < 4000; example++) {
      DistortionDraws.Erased one = new DistortionDraws(9, 2, example).erased(amounts, 28, 20);
      erased += one.equals(DistortionDraws.Erased.NOTHING) ? 0 : 1;
      assertTrue(one.top() >= 0 && one.bottom() <= 28 && one.left() >= 0 && one.right() <= 20);
      assertTrue(one.bottom() - one.top() <= 10 && one.right() - one.left() <= 7, one.toString());
    }
    assertEquals(1000, erased, 100);
  }

  /** All 2¹⁶ displacements are different, symmetrical around 0, and less than 1. */
  @Test
  void displacementsAreUniform() {
    double sum = 0;
    for (int bits = 0; bits <= 0xFFFF; bits++) {
      float across = DistortionDraws.across(bits | 0xABCD0000);
      assertEquals(across, DistortionDraws.down(bits << 16 | 0x1234));
      assertTrue(Math.abs(across) < 1);
      assertEquals(-across, DistortionDraws.across(0xFFFF - bits));
      sum += (double) across * across;
    }
    assertEquals(1.0 / 3, sum / 0x10000, 1e-6);
  }
}
