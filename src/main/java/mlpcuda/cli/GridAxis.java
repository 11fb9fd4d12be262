package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.files.OneLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * An option that a grid varies, and its values.
 *
 * @param values the values as the command line has them; empty: they are drawn from {@code low} to
 *     {@code high}
 */
record GridAxis(OptionSpec option, String name, List<String> values, double low, double high) {
  private static final Pattern WHOLE_RANGE = Pattern.compile("(-?\\d+)\\.\\.(-?\\d+)");
  private static final Pattern REAL_RANGE = Pattern.compile("([^~]*)~([^~]*)");

  boolean isRange() {
    return values.isEmpty();
  }

  boolean varies() {
    return values.size() != 1;
  }

  boolean isFlag() {
    return option.arity().max() == 0;
  }

  /** The words that give the option that value; none for a flag that is not set. */
  List<String> words(String value) {
    if (!isFlag()) {
      return List.of("--" + name + "=" + value); // one word: a value may begin with a dash
    }
    if (value.equals("true")) {
      return List.of("--" + name);
    }
    return option.negatable() ? List.of("--no-" + name) : List.of();
  }

  /** Draws a value; a range is drawn from evenly on a logarithmic scale. */
  String draw(SplittableRandom random) {
    // The value depends on doubles alone, which every Java makes in the same way.
    double u = random.nextDouble();
    return isRange()
        ? String.format(Locale.ROOT, "%.3e", low * StrictMath.pow(high / low, u))
        : values.get((int) (u * values.size()));
  }

  /**
   * Reads the values of an option, such as {@code 1e-3,3e-4}.
   *
   * @throws IllegalArgumentException if a value is wrong, which says how
   */
  static GridAxis parse(OptionSpec option, String name, String list) {
    if ((option.type() == double.class || option.type() == Double.class) && list.contains("~")) {
      return range(option, name, list);
    }
    // Widths of layers have commas themselves, and so a semicolon anywhere is the separator.
    var values = new LinkedHashSet<String>();
    for (String item : list.split(list.contains(";") ? ";" : ",", -1)) {
      for (String value : numbers(name, item.strip())) {
        if (value.isEmpty()) {
          throw new IllegalArgumentException(
              "--grid %s: values must not be empty, found %s"
                  .formatted(name, OneLine.orNothing(list)));
        }
        if (!values.add(value)) {
          throw new IllegalArgumentException(
              "--grid %s: values must differ, found %s twice".formatted(name, value));
        }
      }
    }
    var axis = new GridAxis(option, name, List.copyOf(values), 0, 0);
    for (String value : values) {
      if (axis.isFlag() && !value.equals("true") && !value.equals("false")) {
        throw new IllegalArgumentException(
            "--grid %s: values of an option that takes none must be true or false, found %s"
                .formatted(name, value));
      }
    }
    return axis;
  }

  /**
   * Returns the numbers of a range such as {@code 1..3}, or the text itself if it is not a range.
   */
  private static List<String> numbers(String name, String item) {
    Matcher range = WHOLE_RANGE.matcher(item);
    if (!range.matches()) {
      return List.of(item);
    }
    var numbers = new ArrayList<String>();
    try {
      long first = Long.parseLong(range.group(1));
      long count = Math.addExact(Math.subtractExact(Long.parseLong(range.group(2)), first), 1);
      for (long i = 0; i < count && count <= Grid.MAX_POINTS; i++) {
        numbers.add(Long.toString(first + i));
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // refused below, like a range that is too long
    }
    if (numbers.isEmpty()) {
      throw new IllegalArgumentException(
          "--grid %s: a range A..B must have from 1 to %d numbers, found %s"
              .formatted(name, Grid.MAX_POINTS, item));
    }
    return numbers;
  }

  private static GridAxis range(OptionSpec option, String name, String list) {
    Matcher ends = REAL_RANGE.matcher(list);
    if (ends.matches()) {
      try {
        double low = Double.parseDouble(ends.group(1));
        double high = Double.parseDouble(ends.group(2));
        if (0 < low && low < high && Double.isFinite(high / low)) {
          return new GridAxis(option, name, List.of(), low, high);
        }
      } catch (NumberFormatException e) {
        // refused below, like ends that are the wrong way round
      }
    }
    throw new IllegalArgumentException(
        "--grid %s: a range A~B must stand alone and have 0 < A < B, found %s"
            .formatted(name, list));
  }
}
