package mlpcuda.input;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.data.LabelColumn;
import mlpcuda.error.BadFileException;
import mlpcuda.files.OneLine;

/** Collects the labels of examples, one after another. */
final class LabelCollector {
  /**
   * The most labels that may differ. More of them are no classes: a column of measurements was
   * taken for the labels.
   */
  private static final int MOST_NAMES = 1 << 16;

  private static final int LONGEST_NAME = 200;

  /** The largest integer below which a double holds every integer: 2^53. */
  private static final double LARGEST_WHOLE = 1L << 53;

  private final String source;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<String> names = new ArrayList<>();
  private int[] codes = new int[1024];
  private int size;

  /**
   * Creates a collector.
   *
   * @param source the file or array of the labels, for messages
   */
  LabelCollector(String source) {
    this.source = source;
  }

  /**
   * Adds the label of the next example.
   *
   * @param name any text but an empty one
   * @throws BadFileException if it is empty, long, or one different label too many
   */
  void add(String name) {
    Integer number = numbers.get(name);
    if (number == null) {
      number = names.size();
      check(name);
      numbers.put(name, number);
      names.add(name);
    }
    if (size == codes.length) {
      codes = Arrays.copyOf(codes, (int) Math.min(Integer.MAX_VALUE - 8L, 2L * size));
    }
    codes[size++] = number;
  }

  private void check(String name) {
    if (name.isBlank()) {
      throw bad("the label of example %,d is empty".formatted(size + 1));
    }
    if (name.length() > LONGEST_NAME) {
      throw bad(
          "a label may have %d characters at most, found %s"
              .formatted(LONGEST_NAME, OneLine.start(name, 30)));
    }
    if (!OneLine.of(name).equals(name)) {
      throw bad("a label may have no control characters, found " + OneLine.start(name, 30));
    }
    if (names.size() == MOST_NAMES) {
      throw bad(
          "more than %,d labels differ, and so they are no classes, such as %s"
              .formatted(MOST_NAMES, OneLine.of(name)));
    }
  }

  private BadFileException bad(String finding) {
    return new BadFileException(source + ": " + finding);
  }

  /** Whether a label that is a number is a whole one of at most 2⁵³, which {@link #name} needs. */
  static boolean isWhole(double number) {
    return number == Math.rint(number) && Math.abs(number) <= LARGEST_WHOLE;
  }

  /** Returns the decimal text of a whole number, such as {@code -1}. */
  static String name(double number) {
    return Long.toString((long) number);
  }

  /** All labels that were added; the collector takes no more. */
  LabelColumn build() {
    return new LabelColumn(List.copyOf(names), Arrays.copyOf(codes, size));
  }
}
