package mlpcuda.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A set that is split in two: examples to learn from, and examples that are held back for
 * validation or for the test. The choice depends on the seed alone; each part keeps the order of
 * the whole set.
 *
 * @param train the examples to learn from
 * @param held the examples that are held back
 */
public record Split(ExampleSet train, ExampleSet held) {
  /**
   * Parses the amount to split off: a number of examples, such as {@code 5000}, or a fraction of
   * them, such as {@code 0.1}.
   *
   * @return the number, at least 1, or the fraction, below 1
   * @throws IllegalArgumentException if the text is neither, with the rule and what was found
   *     instead
   */
  public static double parse(String text) {
    try {
      double amount = Double.parseDouble(text);
      boolean fraction = amount > 0 && amount < 1;
      boolean whole = amount >= 1 && amount <= Integer.MAX_VALUE && amount == Math.rint(amount);
      if (fraction || whole) {
        return amount;
      }
    } catch (NumberFormatException e) {
      // a text that is not a number is refused below
    }
    throw new IllegalArgumentException(
        "must be a number of examples from 1 on, or a fraction of them above 0 and below 1, found "
            + (text.isEmpty() ? "nothing" : text));
  }

  /**
   * Converts an amount to a number of examples of a set of {@code size}; a fraction is rounded.
   *
   * @param amount an amount that {@link #parse} returned
   * @param what the part that is held back, such as {@code validation}, for the message
   * @throws IllegalArgumentException if a part would be empty
   */
  public static int count(double amount, int size, String what) {
    long count = Math.round(amount < 1 ? amount * size : amount);
    if (count < 1 || count >= size) {
      throw new IllegalArgumentException(
          "the %s set must have at least 1 example and fewer than the training set's %d, found %d"
              .formatted(what, size, count));
    }
    return (int) count;
  }

  /**
   * Splits off {@code count} validation examples, a number that {@link #count} returned, each with
   * the same probability.
   */
  public static Split of(ExampleSet whole, int count, long seed) {
    int[] order = ExampleOrder.forSplit(whole.size(), seed);
    int kept = whole.size() - count;
    return new Split(
        part(whole, Arrays.copyOfRange(order, 0, kept)),
        part(whole, Arrays.copyOfRange(order, kept, order.length)));
  }

  /**
   * Splits off about {@code count} test examples, a number that {@link #count} returned, so that
   * each class keeps its share of both parts. A class with a single example keeps it for training.
   *
   * @param classes the number of classes
   */
  public static Split stratified(ExampleSet whole, int classes, int count, long seed) {
    int[] quota = quotas(whole, classes, count);
    int[] order = ExampleOrder.forTest(whole.size(), seed);
    int[] train = new int[whole.size()];
    int[] held = new int[whole.size()];
    int kept = 0;
    int taken = 0;
    for (int example : order) {
      if (quota[whole.label(example)]-- > 0) {
        held[taken++] = example;
      } else {
        train[kept++] = example;
      }
    }
    return new Split(
        part(whole, Arrays.copyOf(train, kept)), part(whole, Arrays.copyOf(held, taken)));
  }

  /** The number of examples that each class gives: its share, by the largest remainders. */
  private static int[] quotas(ExampleSet whole, int classes, int count) {
    int[] examples = new int[classes];
    for (int i = 0; i < whole.size(); i++) {
      examples[whole.label(i)]++;
    }
    int[] quota = new int[classes];
    double[] remainder = new double[classes];
    int left = count;
    for (int c = 0; c < classes; c++) {
      double share = (double) count * examples[c] / whole.size();
      quota[c] = Math.min((int) share, Math.max(0, examples[c] - 1));
      remainder[c] = share - quota[c];
      left -= quota[c];
    }
    Integer[] byRemainder = IntStream.range(0, classes).boxed().toArray(Integer[]::new);
    Arrays.sort(byRemainder, Comparator.comparingDouble(c -> -remainder[c]));
    for (int c : byRemainder) {
      if (left > 0 && quota[c] < examples[c] - 1) {
        quota[c]++;
        left--;
      }
    }
    return quota;
  }

  private static ExampleSet part(ExampleSet whole, int[] examples) {
    Arrays.sort(examples);
    return whole.chosen(examples);
  }
}
