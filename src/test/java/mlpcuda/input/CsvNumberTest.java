package mlpcuda.input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvNumberTest {
  private static float parse(String text) {
    // Bytes around the number must not matter.
    byte[] bytes = ("7" + text + "7").getBytes(StandardCharsets.UTF_8);
    return CsvNumber.parse(bytes, 1, bytes.length - 1, (byte) '.');
  }

  private static void assertExact(String text) {
    assertEquals(
        Float.floatToRawIntBits(Float.parseFloat(text)),
        Float.floatToRawIntBits(parse(text)),
        () -> "%s: %s, not %s".formatted(text, parse(text), Float.parseFloat(text)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-0",
        "+1",
        ".5",
        "5.",
        "1e-3",
        "1E+3",
        "-.5e0",
        "00012",
        "255",
        "1e0000",
        "1e00005",
        "16777217",
        "16777219",
        "33554434.9999",
        "3.4028235e38",
        "3.4028236e38",
        "1e39",
        "1e-46",
        "1.4e-45",
        "0.7e-45",
        "1.1754943508222875e-38",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "9999999999999999999",
        "0.00000000000000000000000000000000000000000001",
        "1e-60",
        "1e60",
        "1e-61",
        "1e999999",
        "0e999999999999",
        "1.00000005960464477539062500000000000000000001",
        // The double next to it is the middle between two floats, and the number is above it.
        "1.000000059604644775390625000001",
        "1.00000017881393432617187499",
        "8388608.5000000001",
      })
  void isWhatParseFloatMakes(String text) {
    assertExact(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "+",
        ".",
        "-.",
        "e",
        "1e",
        "1e+",
        "1e-",
        "e5",
        ".e5",
        "1.2.3",
        "1,5",
        "1 2",
        "0x1p3",
        "1f",
        "1d",
        "1_000",
        "--1",
        "+-1",
        "nan",
        "NaN",
        "1e5.0",
        "١",
        "infinitx",
        "ing",
      })
  void isNoNumber(String text) {
    assertTrue(Float.isNaN(parse(text)), text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"inf", "Inf", "+INF", "infinity", "Infinity"})
  void isInfinite(String text) {
    assertEquals(Float.POSITIVE_INFINITY, parse(text));
    assertEquals(Float.NEGATIVE_INFINITY, parse("-" + text.replace("+", "")));
  }

  @Test
  void takesADecimalComma() {
    byte[] text = "1,5".getBytes(StandardCharsets.UTF_8);
    assertEquals(1.5f, CsvNumber.parse(text, 0, 3, (byte) ','));
    byte[] slow = "1,00000005960464477539062500000000000000000001".getBytes(StandardCharsets.UTF_8);
    assertEquals(Math.nextUp(1f), CsvNumber.parse(slow, 0, slow.length, (byte) ','));
  }

  @Test
  void randomTextIsWhatParseFloatMakes() {
    compare(new Random(1), 200_000);
  }

  @Test
  @Tag("long")
  void muchRandomTextIsWhatParseFloatMakes() {
    compare(new Random(2), 50_000_000);
  }

  private static void compare(Random random, int count) {
    for (int i = 0; i < count; i++) {
      String text = text(random, i % 6);
      if (Float.floatToRawIntBits(Float.parseFloat(text)) != Float.floatToRawIntBits(parse(text))) {
        assertExact(text);
      }
    }
  }

  /** Makes numbers of the kinds that programs write, and numbers near the middle of two floats. */
  private static String text(Random random, int kind) {
    return switch (kind) {
      case 0 -> Float.toString(Float.intBitsToFloat(finite(random)));
      case 1 -> Double.toString(random.nextGaussian() * Math.pow(10, random.nextInt(90) - 45));
      case 2 -> middle(random);
      case 3 -> digits(random, 1 + random.nextInt(25)) + "e" + (random.nextInt(100) - 60);
      case 4 -> digits(random, 1 + random.nextInt(12)) + "." + digits(random, random.nextInt(15));
      default -> "-." + digits(random, 1 + random.nextInt(30));
    };
  }

  private static int finite(Random random) {
    int bits = random.nextInt();
    return (bits & 0x7f800000) == 0x7f800000 ? bits & 0x3fffffff : bits;
  }

  /** The middle between two floats, shortened or with a digit after its end. */
  private static String middle(Random random) {
    float a = Float.intBitsToFloat(finite(random) & 0x7fffffff);
    double middle = ((double) a + Math.nextUp(a)) / 2;
    if (Double.isInfinite(middle)) {
      return "1";
    }
    String exact = new java.math.BigDecimal(middle).round(new java.math.MathContext(60)).toString();
    return switch (random.nextInt(4)) {
      case 0 -> exact;
      case 1 -> Double.toString(middle);
      case 2 -> Double.toString(Math.nextUp(middle));
      default -> Double.toString(Math.nextDown(middle));
    };
  }

  private static String digits(Random random, int count) {
    var text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('0' + random.nextInt(10)));
    }
    return text.toString();
  }
}
