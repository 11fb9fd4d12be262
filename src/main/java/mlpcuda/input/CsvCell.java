package mlpcuda.input;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import mlpcuda.files.OneLine;

/** What a cell of a table is: a number, a missing number or a word. */
final class CsvCell {
  /** What stands for a missing number, besides nothing at all; capital letters do not matter. */
  private static final List<String> MISSING = List.of("NA", "N/A", "NaN", "null", "?");

  private static final int LONGEST_MISSING = 4;

  /** Words in their order: numbers by their value and first, others by their code points. */
  static final Comparator<String> WORDS =
      Comparator.comparing((String word) -> Float.isNaN(number(word, '.')))
          .thenComparing(word -> number(word, '.'))
          .thenComparing(
              (a, b) ->
                  Arrays.compareUnsigned(
                      a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8)));

  private CsvCell() {}

  /** Whether a cell stands for a missing number. */
  static boolean isMissing(byte[] text, int from, int to) {
    return to - from <= LONGEST_MISSING && isMissing(raw(text, from, to));
  }

  /** Whether a cell stands for a missing number. */
  static boolean isMissing(String cell) {
    return cell.isEmpty() || MISSING.stream().anyMatch(cell::equalsIgnoreCase);
  }

  /** Whether a cell is a number, infinite or not, or stands for a missing one. */
  static boolean isNumberOrMissing(String cell, char decimal) {
    return !Float.isNaN(number(cell, decimal)) || isMissing(cell);
  }

  /** The number that a cell holds: see {@link CsvNumber#parse}. */
  static float number(String cell, char decimal) {
    byte[] text = cell.getBytes(StandardCharsets.UTF_8);
    return CsvNumber.parse(text, 0, text.length, (byte) decimal);
  }

  /** The bytes of a cell, each as a character: quickly made, and different for different cells. */
  static String raw(byte[] text, int from, int to) {
    return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
  }

  /** A cell as it is shown in a message, in quotes. */
  static String shown(byte[] text, int from, int to) {
    return from == to
        ? "an empty cell"
        : '"' + OneLine.start(new String(text, from, to - from, StandardCharsets.UTF_8), 40) + '"';
  }

  /** Decodes what {@link #raw} has made; null if the bytes are not UTF-8. */
  static String decode(String raw) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(raw.getBytes(StandardCharsets.ISO_8859_1)))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
