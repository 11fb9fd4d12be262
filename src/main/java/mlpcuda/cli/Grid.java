package mlpcuda.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mlpcuda.files.OneLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The points that a sweep visits: the values that some options of a command take. A point is a
 * value for each option, by the option's name.
 */
record Grid(List<Axis> axes) {
  /** The most points: more runs than anybody waits for. */
  static final int MAX_POINTS = 10_000;

  private static final Pattern WORD = Pattern.compile("([^=]*)=(.*)", Pattern.DOTALL);
  private static final Pattern WHOLE_RANGE = Pattern.compile("(-?\\d+)\\.\\.(-?\\d+)");
  private static final Pattern REAL_RANGE = Pattern.compile("([^~]*)~([^~]*)");

  /**
   * The draws for each point that is asked for, after which there are too few of them: the chance
   * that this is wrong is 1/e¹⁰⁰.
   */
  private static final int DRAWS = 100;

  /**
   * An option and its values.
   *
   * @param values the values as the command line has them; empty: they are drawn from {@code low}
   *     to {@code high}
   */
  record Axis(OptionSpec option, String name, List<String> values, double low, double high) {
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
    private List<String> words(String value) {
      if (!isFlag()) {
        return List.of("--" + name + "=" + value); // one word: a value may begin with a dash
      }
      if (value.equals("true")) {
        return List.of("--" + name);
      }
      return option.negatable() ? List.of("--no-" + name) : List.of();
    }

    private String draw(SplittableRandom random) {
      // The value depends on doubles alone, which every Java makes in the same way.
      double u = random.nextDouble();
      return isRange()
          ? String.format(Locale.ROOT, "%.3e", low * StrictMath.pow(high / low, u))
          : values.get((int) (u * values.size()));
    }
  }

  /**
   * Reads words such as {@code lr=1e-3,3e-4}, {@code hidden=128,64;300,300}, {@code seed=1..3},
   * {@code no-graph=true,false} or {@code lr=1e-4~1e-2}, whose names are options of {@code
   * command}.
   *
   * @throws IllegalArgumentException if a word is wrong, which says how
   */
  static Grid parse(List<String> words, CommandSpec command) {
    var axes = new LinkedHashMap<String, Axis>();
    for (String word : words) {
      Matcher parts = WORD.matcher(word);
      if (!parts.matches()) {
        throw new IllegalArgumentException("--grid: must be NAME=VALUES, found " + word);
      }
      String name = parts.group(1).strip();
      OptionSpec option = command.optionsMap().get("--" + name);
      if (option == null) {
        throw new IllegalArgumentException(
            "--grid: NAME must be an option of %s without its dashes, one of %s; found %s%s"
                .formatted(
                    command.name(),
                    String.join(", ", names(command)),
                    OneLine.orNothing(name),
                    Suggestion.of(name, names(command))));
      }
      if (axes.put(name, axis(option, name, parts.group(2))) != null) {
        throw new IllegalArgumentException(
            "--grid: a NAME may come once, found %s twice".formatted(name));
      }
    }
    return new Grid(List.copyOf(axes.values()));
  }

  private static TreeSet<String> names(CommandSpec command) {
    var names = new TreeSet<String>();
    command.optionsMap().keySet().stream()
        .filter(name -> name.startsWith("--"))
        .forEach(name -> names.add(name.substring(2)));
    names.removeAll(List.of("help", "version"));
    return names;
  }

  private static Axis axis(OptionSpec option, String name, String list) {
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
    var axis = new Axis(option, name, List.copyOf(values), 0, 0);
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
      for (long i = 0; i < count && count <= MAX_POINTS; i++) {
        numbers.add(Long.toString(first + i));
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // refused below, like a range that is too long
    }
    if (numbers.isEmpty()) {
      throw new IllegalArgumentException(
          "--grid %s: a range A..B must have from 1 to %d numbers, found %s"
              .formatted(name, MAX_POINTS, item));
    }
    return numbers;
  }

  private static Axis range(OptionSpec option, String name, String list) {
    Matcher ends = REAL_RANGE.matcher(list);
    if (ends.matches()) {
      try {
        double low = Double.parseDouble(ends.group(1));
        double high = Double.parseDouble(ends.group(2));
        if (0 < low && low < high && Double.isFinite(high / low)) {
          return new Axis(option, name, List.of(), low, high);
        }
      } catch (NumberFormatException e) {
        // refused below, like ends that are the wrong way round
      }
    }
    throw new IllegalArgumentException(
        "--grid %s: a range A~B must stand alone and have 0 < A < B, found %s"
            .formatted(name, list));
  }

  /**
   * All points; the last option changes fastest.
   *
   * @throws IllegalArgumentException if there are too many points or a range has no end of them
   */
  List<Map<String, String>> all() {
    List<Map<String, String>> points = List.of(Map.of());
    for (Axis axis : axes) {
      if (axis.isRange()) {
        throw new IllegalArgumentException(
            "--grid %s: a range A~B needs --random, found none".formatted(axis.name));
      }
      if ((long) points.size() * axis.values.size() > MAX_POINTS) {
        throw new IllegalArgumentException(
            "--grid: a grid must have at most %d points, found more; --random N visits some of them"
                .formatted(MAX_POINTS));
      }
      var longer = new ArrayList<Map<String, String>>();
      for (Map<String, String> point : points) {
        for (String value : axis.values) {
          var next = new LinkedHashMap<>(point);
          next.put(axis.name, value);
          longer.add(next);
        }
      }
      points = longer;
    }
    return points;
  }

  /**
   * Draws {@code count} different points. The same seed gives the same points, and a larger count
   * begins with the same ones.
   *
   * @throws IllegalArgumentException if there are fewer points
   */
  List<Map<String, String>> random(int count, long seed) {
    if (count > MAX_POINTS) {
      throw new IllegalArgumentException(
          "--random: must be at most %d, found %d".formatted(MAX_POINTS, count));
    }
    var random = new SplittableRandom(seed);
    var points = new LinkedHashSet<Map<String, String>>();
    for (long draws = 0; points.size() < count; draws++) {
      if (draws > (long) DRAWS * count) {
        throw new IllegalArgumentException(
            "--random: the grid must have as many different points, %d; found %d"
                .formatted(count, points.size()));
      }
      var point = new LinkedHashMap<String, String>();
      axes.forEach(axis -> point.put(axis.name, axis.draw(random)));
      points.add(point);
    }
    return List.copyOf(points);
  }

  /** The words of the command line that a point means. */
  List<String> words(Map<String, String> point) {
    return axes.stream().flatMap(axis -> axis.words(point.get(axis.name)).stream()).toList();
  }

  /** The options that have more than one value. */
  List<String> varying() {
    return axes.stream().filter(Axis::varies).map(Axis::name).toList();
  }
}
