package mlpcuda.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compares with known answers: Random123's {@code kat_vectors} for philox4x32 with 10 rounds. */
class PhiloxTest {
  @ParameterizedTest
  @CsvSource({
    "00000000 00000000 00000000 00000000, 00000000 00000000,"
        + " 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff,"
        + " 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0,"
        + " d16cfe09 94fdcceb 5001e420 24126ea1"
  })
  void givesThePublishedAnswers(String counter, String key, String answer) {
    int[] c = words(counter);
    int[] k = words(key);
    int[] out = new int[4];
    Philox.block(out, c[0], c[1], c[2], c[3], k[0], k[1]);
    assertArrayEquals(words(answer), out);
  }

  private static int[] words(String hex) {
    return java.util.Arrays.stream(hex.trim().split(" "))
        .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
        .toArray();
  }

  @Test
  void seedIsTheKeyLowWordFirstAndUseTheLastCounterWord() {
    int[] bySeed = new int[4];
    int[] byWords = new int[4];
    Philox.block(bySeed, 5, 6, 7, Philox.Use.DROPOUT, 0x0123456789abcdefL);
    Philox.block(byWords, 5, 6, 7, 2, 0x89abcdef, 0x01234567);
    assertArrayEquals(byWords, bySeed);
  }

  /** A use must keep its number, which is part of every run that ever used it. */
  @Test
  void usesKeepTheirNumbers() {
    assertEquals(0, Philox.Use.INITIAL_WEIGHTS.ordinal());
    assertEquals(1, Philox.Use.ORDER.ordinal());
    assertEquals(2, Philox.Use.DROPOUT.ordinal());
    assertEquals(3, Philox.Use.SPLIT.ordinal());
    assertEquals(4, Philox.Use.IMPORTANCE.ordinal());
  }

  @Test
  void uniformFloatsLieInTheHalfOpenUnitInterval() {
    assertEquals(0f, Philox.uniform(0));
    assertTrue(Philox.uniform(-1) < 1f);
    assertEquals(0.5f, Philox.uniform(0x80000000));
  }
}
