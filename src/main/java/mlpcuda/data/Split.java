package mlpcuda.data;

import java.util.Arrays;

/**
 * A training set that is split in two: examples to learn from, and validation examples on which
 * only epochs are evaluated. The choice is uniform and depends on the seed alone; each part keeps
 * the order of the whole set.
 *
 * @param train the examples to learn from
 * @param validation the examples that are held back
 */
public record Split(ExampleSet train, ExampleSet validation) {
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
   * @throws IllegalArgumentException if a part would be empty
   */
  public static int count(double amount, int size) {
    long count = Math.round(amount < 1 ? amount * size : amount);
    if (count < 1 || count >= size) {
      throw new IllegalArgumentException(
          "the validation set must have at least 1 example and fewer than the training set's %d,"
                  .formatted(size)
              + " found "
              + count);
    }
    return (int) count;
  }

  /**
   * Splits off {@code count} validation examples, a number that {@link #count} returned; the parts
   * are copies.
   */
  public static Split of(ExampleSet whole, int count, long seed) {
    int[] order = ExampleOrder.forSplit(whole.size(), seed);
    int kept = whole.size() - count;
    return new Split(
        part(whole, Arrays.copyOfRange(order, 0, kept)),
        part(whole, Arrays.copyOfRange(order, kept, order.length)));
  }

  private static ExampleSet part(ExampleSet whole, int[] examples) {
    Arrays.sort(examples);
    return whole.chosen(examples);
  }
}
